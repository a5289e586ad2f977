using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>An image as <c>inspect</c> prints it.</summary>
internal sealed record ImageInspection
{
    /// <summary>The image's ID: the config's digest in hexadecimal.</summary>
    public string Id { get; init; } = "";

    /// <summary>The digest of the platform's manifest.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Its names with tags.</summary>
    public string[] RepoTags { get; init; } = [];

    /// <summary>Its names with digests.</summary>
    public string[] RepoDigests { get; init; } = [];

    /// <summary>Always empty.</summary>
    public string Parent { get; init; } = "";

    /// <summary>The comment of its last history entry.</summary>
    public string Comment { get; init; } = "";

    /// <summary>When it was made; null when it does not say.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>What its containers run as.</summary>
    public ImageConfiguration Config { get; init; } = new();

    /// <summary>The version of the tool that made it.</summary>
    public string Version { get; init; } = "";

    /// <summary>Who made it.</summary>
    public string Author { get; init; } = "";

    /// <summary>Its processor architecture.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>Its operating system.</summary>
    public string Os { get; init; } = "";

    /// <summary>The size of its unpacked layers in bytes.</summary>
    public long Size { get; init; }

    /// <summary>The same as <see cref="Size"/>.</summary>
    public long VirtualSize { get; init; }

    /// <summary>How its layers are stored.</summary>
    public GraphDriver GraphDriver { get; init; } = new();

    /// <summary>Its layers.</summary>
    public RootFileSystem RootFS { get; init; } = new();

    /// <summary>Its labels.</summary>
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>The annotations of its manifest.</summary>
    public Dictionary<string, string>? Annotations { get; init; }

    /// <summary>The media type of its manifest.</summary>
    public string ManifestType { get; init; } = "";

    /// <summary>The user of its containers.</summary>
    public string User { get; init; } = "";

    /// <summary>How its layers were made, base first.</summary>
    public HistoryEntry[] History { get; init; } = [];

    /// <summary>The names that it has had, the newest first.</summary>
    public string[]? NamesHistory { get; init; }
}

/// <summary>What an image says about its containers.</summary>
internal sealed record ImageConfiguration
{
    /// <summary>The user.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? User { get; init; }

    /// <summary>The ports that are offered.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Dictionary<string, EmptyObject>? ExposedPorts { get; init; }

    /// <summary>The environment.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? Env { get; init; }

    /// <summary>The entry point.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? Entrypoint { get; init; }

    /// <summary>The command.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? Cmd { get; init; }

    /// <summary>The directories that hold data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Dictionary<string, EmptyObject>? Volumes { get; init; }

    /// <summary>The working directory.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? WorkingDir { get; init; }

    /// <summary>The labels.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>The signal that asks it to stop.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? StopSignal { get; init; }
}

/// <summary><c>{}</c>: the value in the image-spec's sets.</summary>
internal sealed record EmptyObject;

/// <summary>How layers are stored.</summary>
internal sealed record GraphDriver
{
    /// <summary>The kind of snapshot.</summary>
    public string Name { get; init; } = "overlay";

    /// <summary>Its directories.</summary>
    public Dictionary<string, string> Data { get; init; } = [];
}

/// <summary>The layers of an image.</summary>
internal sealed record RootFileSystem
{
    /// <summary>Always <c>layers</c>.</summary>
    public string Type { get; init; } = "layers";

    /// <summary>The digests of the unpacked layers, base first.</summary>
    public string[] Layers { get; init; } = [];
}

/// <summary>How a layer was made.</summary>
internal sealed record HistoryEntry
{
    /// <summary>When.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    /// <summary>By which command.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>By whom.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("author")]
    public string? Author { get; init; }

    /// <summary>A remark.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("comment")]
    public string? Comment { get; init; }

    /// <summary>Whether it changed no file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("empty_layer")]
    public bool EmptyLayer { get; init; }
}
