using System.Text.Json.Serialization;
using OciTool.Cli.Output;

namespace OciTool.Cli.Views;

/// <summary>An image as <c>images --format json</c> prints it: one element for each of its names.</summary>
internal sealed record ImageSummary
{
    /// <summary>The image's ID: the config's digest in hexadecimal.</summary>
    public string Id { get; init; } = "";

    /// <summary>Always empty: layers have no images of their own.</summary>
    public string ParentId { get; init; } = "";

    /// <summary>Always null, as in podman; the names are in <see cref="Names"/>.</summary>
    public string[]? RepoTags { get; init; }

    /// <summary>Repository and digest of each name.</summary>
    public string[] RepoDigests { get; init; } = [];

    /// <summary>The size of the unpacked layers in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Always 0.</summary>
    public int SharedSize { get; init; }

    /// <summary>The same as <see cref="Size"/>.</summary>
    public long VirtualSize { get; init; }

    /// <summary>The labels of the image.</summary>
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>How many containers are made from it.</summary>
    public int Containers { get; init; }

    /// <summary>Whether it is in a read-only store.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ReadOnly { get; init; }

    /// <summary>Whether it has no name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Dangling { get; init; }

    /// <summary>All its names.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? Names { get; init; }

    /// <summary>The digest of its manifest.</summary>
    public string Digest { get; init; } = "";

    /// <summary>The names that it has had, the newest first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? History { get; init; }

    /// <summary>When it was made, in seconds since 1970.</summary>
    public long Created { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; } = GoTime.Zero;
}
