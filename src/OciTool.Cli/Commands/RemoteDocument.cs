using System.Text;
using System.Text.Json;
using OciTool.Cli.Output;
using OciTool.Cli.Views;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Makes manifests, indexes and configs of registries readable for people, whatever they are of.</summary>
/// <remarks>Nothing is decided from what is read here, so it is read loosely: a chart, a signature or a broken image can be looked at, too.</remarks>
internal static class RemoteDocument
{
    /// <summary>Prints a document with line breaks; every member stays where it is.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="document">The document.</param>
    /// <param name="indent">Blanks for each level.</param>
    /// <exception cref="OciException">It is not JSON.</exception>
    public static void WriteIndented(TextWriter output, Document document, int indent)
    {
        using JsonDocument json = LooseJson.Parse(document.Bytes) ?? throw new OciException(
            $"document {document.Digest} of type {Printable.Shorten(document.MediaType)} is not a JSON object")
        {
            Hint = "see its bytes with oci inspect --remote --raw",
        };
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer, JsonOutput.WriterOptions(indent)))
        {
            json.WriteTo(writer);
        }

        output.Write(JsonOutput.EscapeActive(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length), html: false));
        output.Write('\n');
    }

    /// <summary>What a manifest or index says of itself and its parts.</summary>
    /// <param name="document">The document.</param>
    public static RemoteInspection Summarize(Document document)
    {
        using JsonDocument? json = LooseJson.Parse(document.Bytes);
        JsonElement? root = json?.RootElement;
        RemoteInspection inspection = new()
        {
            Digest = document.Digest.ToString(),
            MediaType = document.MediaType,
            Annotations = root.Map("annotations"),
            Subject = root.Member("subject") is { } subject ? Describe(subject) : null,
        };
        if (MediaTypes.IsIndex(document.MediaType) || (!MediaTypes.IsManifest(document.MediaType) && root.Member("manifests") is not null))
        {
            return inspection with { ArtifactType = root.Text("artifactType"), Manifests = [.. root.List("manifests").Select(Describe)] };
        }

        JsonElement? config = root.Member("config");
        string? configType = config.Text("mediaType");
        bool isImage = configType is not null && MediaTypes.IsImageConfig(configType);
        return inspection with
        {
            ArtifactType = root.Text("artifactType") ?? (isImage ? null : configType),
            Config = isImage || config is null ? null : Describe(config),
            Layers = [.. root.List("layers").Select(layer => layer.Text("digest") ?? "")],
            LayersData = [.. root.List("layers").Select(layer => new RemoteLayer
            {
                MimeType = layer.Text("mediaType") ?? "",
                Digest = layer.Text("digest") ?? "",
                Size = layer.Number("size"),
                Annotations = layer.Map("annotations"),
            })],
        };
    }

    /// <summary>Adds what the configuration of an image says.</summary>
    /// <param name="inspection">What its manifest says.</param>
    /// <param name="config">The configuration.</param>
    public static RemoteInspection AddConfig(RemoteInspection inspection, Document config)
    {
        using JsonDocument? json = LooseJson.Parse(config.Bytes);
        JsonElement? root = json?.RootElement;
        JsonElement? execution = root.Member("config");
        return inspection with
        {
            Created = root.Text("created"),
            DockerVersion = root.Text("docker_version") ?? "",
            Labels = execution.Map("Labels"),
            Architecture = root.Text("architecture") ?? "",
            Variant = root.Text("variant"),
            Os = root.Text("os") ?? "",
            Env = execution.Texts("Env"),
        };
    }

    /// <summary>The configuration that a manifest names; null when it names none that could be asked for.</summary>
    /// <param name="manifest">The manifest.</param>
    public static Descriptor? ConfigOf(Document manifest)
    {
        using JsonDocument? json = LooseJson.Parse(manifest.Bytes);
        JsonElement? config = ((JsonElement?)json?.RootElement).Member("config");
        long size = config.Number("size");
        return Digest.TryParse(config.Text("digest") ?? "", provider: null, out Digest digest) && size >= 0
            ? new Descriptor(config.Text("mediaType") ?? "", digest, size)
            : null;
    }

    private static RemoteDescriptor Describe(JsonElement? descriptor) => new()
    {
        Platform = PlatformOf(descriptor.Member("platform")),
        Digest = descriptor.Text("digest") ?? "",
        MediaType = descriptor.Text("mediaType") ?? "",
        Size = descriptor.Number("size"),
        ArtifactType = descriptor.Text("artifactType"),
        Annotations = descriptor.Map("annotations"),
    };

    private static string? PlatformOf(JsonElement? platform) => platform is null ? null
        : new Platform(platform.Text("os") ?? "", platform.Text("architecture") ?? "", platform.Text("variant")).ToString();
}
