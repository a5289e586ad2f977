using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Makes a directory of a layer, in the form that overlayfs wants as a lower directory.</summary>
/// <remarks>
/// image-spec v1.1, layer.md. Whiteouts become character devices 0:0, opaque directories get
/// <c>trusted.overlay.opaque</c>, or <c>user.overlay.opaque</c> when we lack the right for it (mount with
/// <c>userxattr</c> then). Without root, owners and devices are left out, with a warning.
/// </remarks>
public static class LayerApplier
{
    /// <summary>Applies a layer, in one pass.</summary>
    /// <param name="content">The layer: a tar archive, plain or compressed by gzip or zstd; read to its end.</param>
    /// <param name="target">An empty directory that nobody else may enter.</param>
    /// <param name="expectedDiffId">The digest that the configuration has for the uncompressed archive.</param>
    /// <param name="limits">What the layer may cost.</param>
    /// <param name="warn">Takes warnings for the user.</param>
    /// <exception cref="LayerException">The layer is damaged, hostile or too large, or has another digest. What was
    /// written by then is the caller's to remove.</exception>
    /// <exception cref="IOException">The content cannot be read.</exception>
    public static AppliedLayer Apply(
        Stream content, RootDirectory target, Digest expectedDiffId, LayerLimits limits, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(content);
        using DirectoryDescriptor root = DirectoryDescriptor.Of(target);
        long maxBytes = limits.MaxBytes ?? root.FreeBytes() / 100 * 95;
        using LayerContent uncompressed = LayerContent.Open(content, expectedDiffId, maxBytes);
        Warnings warnings = new(warn);
        LayerReader layer = new(new TarReader(uncompressed), limits, warnings);
        using (DirectoryWriter writer = new(root, layer, warnings))
        {
            while (layer.Next())
            {
                writer.Write();
            }

            writer.Finish();
        }

        Digest actual = uncompressed.Finish();
        return actual == expectedDiffId
            ? new(actual, layer.Count, layer.ContentBytes, uncompressed.Count, layer.Whiteouts.OpaqueRoot)
            : throw new LayerException(
                $"uncompressed digest {actual} does not match config diff_id {expectedDiffId}");
    }
}
