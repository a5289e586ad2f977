using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>An image as <c>image mount --format json</c> prints it.</summary>
internal sealed record MountedImageView
{
    /// <summary>The image's ID in hexadecimal.</summary>
    [JsonPropertyName("id")]
    public string Id { get; init; } = "";

    /// <summary>The digests of its manifests.</summary>
    public string[] Names { get; init; } = [];

    /// <summary>Its names.</summary>
    public string[] Repositories { get; init; } = [];

    /// <summary>Where it is mounted.</summary>
    [JsonPropertyName("mountpoint")]
    public string MountPoint { get; init; } = "";
}

/// <summary>Differences as <c>diff --format json</c> prints them; what there is none of is left out.</summary>
internal sealed record TreeDifferences
{
    /// <summary>Paths that are in both trees.</summary>
    [JsonPropertyName("changed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Changed { get; init; }

    /// <summary>Paths that are new.</summary>
    [JsonPropertyName("added")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Added { get; init; }

    /// <summary>Paths that are gone.</summary>
    [JsonPropertyName("deleted")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Deleted { get; init; }
}
