using System.Text.Json;

namespace OciTool.Images;

/// <summary>An image index: the manifests of one image for several platforms. Docker calls it a manifest list.</summary>
/// <param name="SchemaVersion">Always 2.</param>
/// <param name="Manifests">The manifests, and at most one level of further indexes.</param>
/// <remarks>OCI image-spec v1.1, image-index.md.</remarks>
public sealed record ImageIndex(int SchemaVersion, IReadOnlyList<Descriptor> Manifests)
{
    /// <summary>The most entries that an index may have.</summary>
    public const int MaxEntries = 4096;

    /// <summary>The media type that the document says it has, where it says so.</summary>
    public string? MediaType { get; init; }

    /// <summary>The type of the artifact, where the index is one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Arbitrary metadata.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Reads the <c>index.json</c> of an image layout, which no digest names.</summary>
    /// <param name="json">The bytes of the file.</param>
    /// <exception cref="JsonException">It is not an index.</exception>
    /// <exception cref="OciException">A value in it is none, or a name occurs twice.</exception>
    public static ImageIndex ReadLayout(ReadOnlySpan<byte> json)
    {
        StrictJson.TopLevelKeys(json, "index", out _);
        return SpecReader.ReadIndex(json);
    }

    /// <summary>Parses an index.</summary>
    /// <param name="document">The document; its kind is checked against its media type (CVE-2021-41190).</param>
    /// <exception cref="InvalidDocumentException">It is not an index, or too long.</exception>
    public static ImageIndex Parse(Document document)
    {
        DocumentKind.Require(document, DocumentKind.Index);
        ImageIndex index = SpecJson.Read(document, SpecReader.ReadIndex, "index");
        if (index.SchemaVersion != 2)
        {
            throw new InvalidDocumentException($"index {document.Digest}: schemaVersion must be 2, got {index.SchemaVersion}");
        }

        return index.Manifests.Count <= MaxEntries
            ? index
            : throw new InvalidDocumentException(
                $"index {document.Digest}: {index.Manifests.Count} entries are more than the limit of {MaxEntries}");
    }
}
