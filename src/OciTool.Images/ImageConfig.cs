using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>An image configuration: what the image runs on, how it is started, and what its layers hold.</summary>
/// <param name="Architecture">A GOARCH value.</param>
/// <param name="Os">A GOOS value.</param>
/// <param name="Rootfs">The uncompressed layers.</param>
/// <remarks>OCI image-spec v1.1, config.md; Docker's container image JSON has the same shape with more fields.</remarks>
public sealed record ImageConfig(string Architecture, string Os, ImageRootfs Rootfs)
{
    /// <summary>The processor variant.</summary>
    public string? Variant { get; init; }

    /// <summary>When the image was made, as written: RFC 3339.</summary>
    public string? Created { get; init; }

    /// <summary>Who made it.</summary>
    public string? Author { get; init; }

    /// <summary>How containers of it are started.</summary>
    public ExecutionConfig? Config { get; init; }

    /// <summary>How it was made, first step first.</summary>
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    /// <summary>A comment; Docker only.</summary>
    public string? Comment { get; init; }

    /// <summary>The parent image's ID; Docker only.</summary>
    public string? Parent { get; init; }

    /// <summary>The version of the engine that built it; Docker only.</summary>
    [JsonPropertyName("docker_version")]
    public string? DockerVersion { get; init; }

    /// <summary>What the image runs on.</summary>
    [JsonIgnore]
    public Platform Platform => new(Os, Architecture, Variant);

    /// <summary>Parses a configuration and checks it against its manifest.</summary>
    /// <param name="document">The configuration.</param>
    /// <param name="manifest">The manifest that names it.</param>
    /// <exception cref="InvalidDocumentException">It is not a configuration, or has another number of layers.</exception>
    public static ImageConfig Parse(Document document, Manifest manifest)
    {
        ImageConfig config = Parse(document);
        return config.Rootfs.DiffIds.Count == manifest.Layers.Count
            ? config
            : throw new InvalidDocumentException(
                $"config {document.Digest}: it has {config.Rootfs.DiffIds.Count} diff_ids for {manifest.Layers.Count} layers");
    }

    /// <summary>Parses a configuration.</summary>
    /// <param name="document">The configuration.</param>
    /// <exception cref="InvalidDocumentException">It is not a configuration.</exception>
    public static ImageConfig Parse(Document document)
    {
        StrictJson.TopLevelKeys(document.Bytes.Span, $"config {document.Digest}", out _);
        ImageConfig config = SpecJson.Read(document, SpecReader.ReadConfig, "config");
        return config.Rootfs.Type == "layers"
            ? config
            : throw new InvalidDocumentException(
                $"config {document.Digest}: rootfs.type must be 'layers', got '{Printable.Shorten(config.Rootfs.Type)}'");
    }
}

/// <summary>The uncompressed layers of an image.</summary>
/// <param name="Type">Always <c>layers</c>.</param>
/// <param name="DiffIds">The digests of the uncompressed layers, base first; an image without layers may leave them out.</param>
public sealed record ImageRootfs(
    string Type, IReadOnlyList<Digest>? DiffIds = null)
{
    /// <inheritdoc cref="ImageRootfs(string, IReadOnlyList{Digest})"/>
    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<Digest> DiffIds { get; init; } = DiffIds ?? [];

    /// <summary>The identity of the stack up to each layer, base first.</summary>
    /// <remarks>OCI image-spec v1.1, config.md, section "Layer ChainID": ChainID(L0) = DiffID(L0), ChainID(L0|…|Ln) = Digest(ChainID(L0|…|Ln-1) + " " + DiffID(Ln)).</remarks>
    public IReadOnlyList<Digest> ChainIds()
    {
        List<Digest> chain = new(DiffIds.Count);
        foreach (Digest diffId in DiffIds)
        {
            chain.Add(chain.Count == 0 ? diffId : Digest.Of(System.Text.Encoding.ASCII.GetBytes($"{chain[^1]} {diffId}")));
        }

        return chain;
    }
}

/// <summary>How containers of an image are started; keys are written as Go writes them.</summary>
/// <remarks>OCI image-spec v1.1, config.md, section "Properties", <c>config</c>. All of it is an image author's text.</remarks>
public sealed record ExecutionConfig
{
    /// <summary>The user, as <c>user[:group]</c> in names or numbers.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary>Ports that it listens on, for example <c>80/tcp</c>.</summary>
    [JsonPropertyName("ExposedPorts")]
    public IReadOnlyDictionary<string, EmptyObject?>? ExposedPorts { get; init; }

    /// <summary>Environment variables, as <c>NAME=value</c>.</summary>
    [JsonPropertyName("Env")]
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The command that is always run.</summary>
    [JsonPropertyName("Entrypoint")]
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>The arguments of the entrypoint, or the command where there is none.</summary>
    [JsonPropertyName("Cmd")]
    public IReadOnlyList<string>? Cmd { get; init; }

    /// <summary>Directories that hold data of the container.</summary>
    [JsonPropertyName("Volumes")]
    public IReadOnlyDictionary<string, EmptyObject?>? Volumes { get; init; }

    /// <summary>The working directory.</summary>
    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    /// <summary>Labels.</summary>
    [JsonPropertyName("Labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The signal that stops it.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }
}

/// <summary>One step of how an image was made.</summary>
public sealed record HistoryEntry
{
    /// <summary>When, as written: RFC 3339.</summary>
    public string? Created { get; init; }

    /// <summary>The command of the step.</summary>
    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>Who made the step.</summary>
    public string? Author { get; init; }

    /// <summary>A comment.</summary>
    public string? Comment { get; init; }

    /// <summary>Whether the step made no layer.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }
}

/// <summary>Go's <c>struct{}</c>: the value in a map that is a set.</summary>
public sealed record EmptyObject;
