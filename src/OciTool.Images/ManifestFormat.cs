namespace OciTool.Images;

/// <summary>The two families of documents that describe images.</summary>
public enum ManifestFormat
{
    /// <summary>OCI image-spec v1.1.</summary>
    Oci,

    /// <summary>Docker's image manifest version 2, schema 2.</summary>
    Docker,
}

/// <summary>How a layer is compressed.</summary>
public enum LayerCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>RFC 1952.</summary>
    Gzip,

    /// <summary>RFC 8878; schema 2 has no media type for it.</summary>
    Zstd,
}

/// <summary>Which media types the two formats have for the same thing.</summary>
/// <remarks>OCI image-spec v1.1, media-types.md, section "Compatibility Matrix".</remarks>
public static class FormatTypes
{
    private const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

    /// <summary>The format that a manifest or index is in.</summary>
    /// <param name="mediaType">Its media type.</param>
    public static ManifestFormat FormatOf(string mediaType) =>
        mediaType is MediaTypes.DockerManifest or MediaTypes.DockerIndex ? ManifestFormat.Docker : ManifestFormat.Oci;

    /// <summary>How a layer is compressed, as its type has it; null for what is no layer, or one that is not to be handed on.</summary>
    /// <param name="mediaType">The layer's media type.</param>
    public static LayerCompression? CompressionOf(string mediaType) => mediaType switch
    {
        MediaTypes.OciLayer or DockerLayer => LayerCompression.None,
        MediaTypes.OciLayer + "+gzip" or MediaTypes.DockerLayerGzip => LayerCompression.Gzip,
        MediaTypes.OciLayer + "+zstd" or DockerLayer + ".zstd" => LayerCompression.Zstd,
        _ => null,
    };

    /// <summary>The type of a manifest.</summary>
    public static string Manifest(ManifestFormat format) => format == ManifestFormat.Oci ? MediaTypes.OciManifest : MediaTypes.DockerManifest;

    /// <summary>The type of an index.</summary>
    public static string Index(ManifestFormat format) => format == ManifestFormat.Oci ? MediaTypes.OciIndex : MediaTypes.DockerIndex;

    /// <summary>The type of a configuration.</summary>
    public static string Config(ManifestFormat format) => format == ManifestFormat.Oci ? MediaTypes.OciConfig : MediaTypes.DockerConfig;

    /// <summary>The type of a layer; null where the format has none.</summary>
    public static string? Layer(ManifestFormat format, LayerCompression compression) => (format, compression) switch
    {
        (ManifestFormat.Oci, LayerCompression.None) => MediaTypes.OciLayer,
        (ManifestFormat.Oci, LayerCompression.Gzip) => MediaTypes.OciLayer + "+gzip",
        (ManifestFormat.Oci, _) => MediaTypes.OciLayer + "+zstd",
        (_, LayerCompression.None) => DockerLayer,
        (_, LayerCompression.Gzip) => MediaTypes.DockerLayerGzip,
        _ => null,
    };
}
