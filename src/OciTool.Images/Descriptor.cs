using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>Names a piece of content by type, digest and size, so that it can be fetched and then verified.</summary>
/// <param name="MediaType">The RFC 6838 media type of the content.</param>
/// <param name="Digest">The digest of the content as it travels, that is, compressed.</param>
/// <param name="Size">The size of the content as it travels, in bytes; never negative.</param>
/// <remarks>OCI image-spec v1.1, descriptor.md, section "Properties". <c>urls</c> and <c>data</c> are not read: see docs/adr/0005.</remarks>
public sealed record Descriptor(string MediaType, Digest Digest, long Size)
{
    /// <inheritdoc cref="Descriptor(string, Digest, long)"/>
    public long Size { get; init; } = Size >= 0
        ? Size
        : throw new InvalidDocumentException($"descriptor {Digest}: size must not be negative, got {Size}");

    /// <summary>The platform that the content is for; set in the entries of an image index only.</summary>
    public Platform? Platform { get; init; }

    /// <summary>The type of an artifact that the content is, where it is one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Arbitrary metadata; keys are in reverse-domain notation.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The digest of the document and its size, without platform and annotations.</summary>
    [JsonIgnore]
    public Descriptor Bare => new(MediaType, Digest, Size);

    /// <summary>Type, digest and size; a record's own text would have <see cref="Bare"/> in it, without end.</summary>
    public override string ToString() => $"{Printable.Shorten(MediaType)} {Digest} of {Size} bytes";
}
