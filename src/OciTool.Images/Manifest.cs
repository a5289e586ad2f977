using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>An image manifest: the config and the layers of one image for one platform.</summary>
/// <param name="SchemaVersion">Always 2.</param>
/// <param name="Config">The image configuration.</param>
/// <param name="Layers">The layers, base first.</param>
/// <remarks>OCI image-spec v1.1, manifest.md; Docker's image manifest version 2, schema 2, has the same shape.</remarks>
public sealed record Manifest(int SchemaVersion, Descriptor Config, IReadOnlyList<Descriptor> Layers)
{
    /// <summary>The most layers that an image may have: what overlayfs can stack.</summary>
    public const int MaxLayers = 500;

    /// <summary>The media type that the document says it has, where it says so.</summary>
    public string? MediaType { get; init; }

    /// <summary>The type of the artifact, where the manifest is one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The manifest that this one refers to, where it does.</summary>
    public Descriptor? Subject { get; init; }

    /// <summary>Arbitrary metadata.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Whether <see cref="Parse"/> takes it: it has the types and no more layers than the image of a container.</summary>
    [JsonIgnore]
    public bool IsOfImage => MediaTypes.IsImageConfig(Config.MediaType) && Layers.Count <= MaxLayers
        && Layers.All(layer => MediaTypes.IsLayer(layer.MediaType));

    /// <summary>Parses the manifest of an image that can be run.</summary>
    /// <param name="document">The document; its kind is checked against its media type (CVE-2021-41190).</param>
    /// <exception cref="InvalidDocumentException">It is not the manifest of a container image.</exception>
    public static Manifest Parse(Document document)
    {
        Manifest manifest = ParseAny(document);
        if (manifest.Layers.Count > MaxLayers)
        {
            throw new InvalidDocumentException(
                $"manifest {document.Digest}: {manifest.Layers.Count} layers are more than the {MaxLayers} that can be stacked");
        }

        if (!MediaTypes.IsImageConfig(manifest.Config.MediaType))
        {
            string type = Printable.Shorten(manifest.ArtifactType ?? manifest.Config.MediaType);
            throw new InvalidDocumentException(
                $"manifest {document.Digest}: it is an artifact of type {type}, not a container image");
        }

        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            if (!MediaTypes.IsLayer(manifest.Layers[i].MediaType))
            {
                throw new InvalidDocumentException(
                    $"manifest {document.Digest}: layer {i + 1} of {manifest.Layers.Count} has the unsupported media type {Printable.Shorten(manifest.Layers[i].MediaType)}");
            }
        }

        return manifest;
    }

    /// <summary>Parses a manifest that is copied and not run: of an image, of attestations, of any artifact.</summary>
    /// <param name="document">The document; its kind is checked against its media type (CVE-2021-41190).</param>
    /// <exception cref="InvalidDocumentException">It is not a manifest.</exception>
    public static Manifest ParseAny(Document document)
    {
        DocumentKind.Require(document, DocumentKind.Manifest);
        Manifest manifest = SpecJson.Read(document, SpecReader.ReadManifest, "manifest");
        return manifest.SchemaVersion == 2
            ? manifest
            : throw new InvalidDocumentException(
                $"manifest {document.Digest}: schemaVersion must be 2, got {manifest.SchemaVersion}");
    }
}
