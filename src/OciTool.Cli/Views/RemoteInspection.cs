using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>An image, an index or an artifact of a registry as <c>inspect --remote</c> prints it; what it does not have is left out.</summary>
internal sealed record RemoteInspection
{
    /// <summary>The repository with its registry.</summary>
    public string Name { get; init; } = "";

    /// <summary>The digest of the manifest or index.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Its media type.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>The type of the artifact that it is, where it is no image.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ArtifactType { get; init; }

    /// <summary>The tags of the repository, where they were asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? RepoTags { get; init; }

    /// <summary>When the image was made, as it says.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Created { get; init; }

    /// <summary>The version of the engine that made it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DockerVersion { get; init; }

    /// <summary>Its labels.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>Its processor architecture.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Architecture { get; init; }

    /// <summary>The variant of the processor.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }

    /// <summary>Its operating system.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Os { get; init; }

    /// <summary>The digests of its layers as they travel, base first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Layers { get; init; }

    /// <summary>More on the same layers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RemoteLayer[]? LayersData { get; init; }

    /// <summary>The environment of its containers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Env { get; init; }

    /// <summary>The config of an artifact, which is not read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RemoteDescriptor? Config { get; init; }

    /// <summary>What it refers to, for example the image that a signature is of.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RemoteDescriptor? Subject { get; init; }

    /// <summary>The entries of an index.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RemoteDescriptor[]? Manifests { get; init; }

    /// <summary>The annotations of the manifest or index.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>A layer, with the keys of skopeo.</summary>
internal sealed record RemoteLayer
{
    /// <summary>Its media type.</summary>
    [JsonPropertyName("MIMEType")]
    public string MimeType { get; init; } = "";

    /// <summary>Its digest as it travels.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Its size as it travels, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Its annotations.</summary>
    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>What a document says of another one.</summary>
internal sealed record RemoteDescriptor
{
    /// <summary>What it runs on, as <c>os/architecture[/variant]</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Platform { get; init; }

    /// <summary>Its digest.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Its media type.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>Its size in bytes.</summary>
    public long Size { get; init; }

    /// <summary>The type of the artifact that it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ArtifactType { get; init; }

    /// <summary>Its annotations.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, string>? Annotations { get; init; }
}
