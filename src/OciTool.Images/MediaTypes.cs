namespace OciTool.Images;

/// <summary>The media types of the OCI image-spec and of Docker's image manifest version 2, schema 2.</summary>
/// <remarks>OCI image-spec v1.1, media-types.md, section "Compatibility Matrix".</remarks>
public static class MediaTypes
{
    /// <summary>An OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>An OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>An OCI image configuration.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>An uncompressed OCI layer.</summary>
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>A Docker image manifest.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>A Docker manifest list.</summary>
    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>A Docker image configuration.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>A gzip-compressed Docker layer.</summary>
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>What we ask a registry for, in our order of preference.</summary>
    public static IReadOnlyList<string> Manifests { get; } = [OciIndex, OciManifest, DockerIndex, DockerManifest];

    /// <summary>Whether a document of this type lists manifests of several platforms.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerIndex;

    /// <summary>Whether a document of this type is the manifest of one image.</summary>
    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Whether a blob of this type is the configuration of an image that can be run.</summary>
    public static bool IsImageConfig(string mediaType) => mediaType is OciConfig or DockerConfig;

    /// <summary>Whether a blob of this type is a tar archive that we can apply; the compression is read off its bytes.</summary>
    /// <remarks>Non-distributable layers are read from the registry like any other; their URLs are never used.</remarks>
    public static bool IsLayer(string mediaType) => mediaType is OciLayer
        or OciLayer + "+gzip" or OciLayer + "+zstd"
        or "application/vnd.oci.image.layer.nondistributable.v1.tar"
        or "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        or "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
        or "application/vnd.docker.image.rootfs.diff.tar" or DockerLayerGzip
        or "application/vnd.docker.image.rootfs.diff.tar.zstd"
        or "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        or "application/vnd.docker.image.rootfs.foreign.diff.tar";

    /// <summary>Whether this is Docker's signed or unsigned schema 1, which no current tool writes.</summary>
    public static bool IsSchema1(string? mediaType) => mediaType is
        "application/vnd.docker.distribution.manifest.v1+json" or "application/vnd.docker.distribution.manifest.v1+prettyjws";
}
