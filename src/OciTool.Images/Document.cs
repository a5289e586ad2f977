namespace OciTool.Images;

/// <summary>A manifest, index or configuration exactly as it was fetched; its digest is taken over these bytes.</summary>
public sealed record Document
{
    /// <summary>The most bytes that a manifest, an index or a configuration may have: 4 MiB.</summary>
    /// <remarks>distribution-spec v1.1, "Pushing Manifests": 4 MiB is what registries have to take.</remarks>
    public const int MaxSize = 4 << 20;

    /// <summary>Takes bytes as they are; the descriptor has their sha256 digest.</summary>
    /// <param name="mediaType">The media type that they were served as.</param>
    /// <param name="bytes">The bytes; nobody writes them again.</param>
    public Document(string mediaType, ReadOnlyMemory<byte> bytes)
        : this(new Descriptor(mediaType, Digest.Of(bytes.Span), bytes.Length), bytes)
    {
    }

    private Document(Descriptor descriptor, ReadOnlyMemory<byte> bytes) => (Descriptor, Bytes) = (descriptor, bytes);

    /// <summary>What names these bytes.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The media type that the document was served or described as.</summary>
    public string MediaType => Descriptor.MediaType;

    /// <summary>The digest of the bytes.</summary>
    public Digest Digest => Descriptor.Digest;

    /// <summary>Takes bytes that were verified when they were stored, and are the store's own since.</summary>
    /// <param name="descriptor">What names them.</param>
    /// <param name="bytes">The bytes; their size has been compared.</param>
    public static Document Trust(Descriptor descriptor, ReadOnlyMemory<byte> bytes) => new(descriptor.Bare, bytes);

    /// <summary>Takes bytes that a descriptor names, after verifying their size and digest.</summary>
    /// <param name="expected">What the bytes must match; its media type becomes the document's.</param>
    /// <param name="bytes">The bytes as fetched.</param>
    /// <exception cref="ContentMismatchException">The bytes are others than the descriptor names.</exception>
    public static Document Verify(Descriptor expected, ReadOnlyMemory<byte> bytes)
    {
        Digest actual = Digest.Of(bytes.Span, expected.Digest);
        return actual == expected.Digest && bytes.Length == expected.Size
            ? new Document(expected.Bare, bytes)
            : throw new ContentMismatchException(expected, $"{bytes.Length} bytes with digest {actual}");
    }
}
