namespace OciTool.Images.Compatibility;

/// <summary>Which engines can read an image: what its manifest and its layers are.</summary>
internal static class PortabilityVerdict
{
    /// <summary>Decides.</summary>
    /// <param name="manifest">The manifest; null where it is not known.</param>
    public static Verdict Of(Manifest? manifest)
    {
        if (manifest is null)
        {
            return new Verdict(CheckLevel.Unknown, "the manifest is not known");
        }

        string[] kinds = [.. manifest.Layers.Select(layer => Compression(layer.MediaType)).Distinct()];
        string what = $"{(manifest.MediaType == MediaTypes.DockerManifest ? "Docker schema 2" : "OCI")} image manifest, {(kinds.Length == 0 ? "no" : string.Join(" and ", kinds))} layers";
        return Array.Exists(kinds, kind => kind == "zstd")
            ? new Verdict(CheckLevel.Warn, $"{what}: docker before 23 and podman before 2 do not read zstd")
            : Array.Exists(kinds, kind => kind is "foreign" or "unknown")
                ? new Verdict(CheckLevel.Warn, $"{what}: not every engine reads them")
                : new Verdict(CheckLevel.Pass, $"{what}, readable by any engine");
    }

    private static string Compression(string mediaType) =>
        mediaType.Contains("foreign", StringComparison.Ordinal) || mediaType.Contains("nondistributable", StringComparison.Ordinal) ? "foreign"
        : mediaType.EndsWith("zstd", StringComparison.Ordinal) ? "zstd"
        : mediaType.EndsWith("gzip", StringComparison.Ordinal) ? "gzip"
        : mediaType.EndsWith("tar", StringComparison.Ordinal) ? "uncompressed"
        : "unknown";
}
