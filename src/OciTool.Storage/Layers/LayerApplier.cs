using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Erofs;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Makes of a layer what overlayfs wants as a lower directory: a directory, or a file with a file system in it.</summary>
/// <remarks>
/// image-spec v1.1, layer.md. Whiteouts become character devices 0:0, opaque directories get
/// <c>trusted.overlay.opaque</c>, or <c>user.overlay.opaque</c> when we lack the right for it (mount with
/// <c>userxattr</c> then). Without root, owners and devices are left out of a directory, with a warning.
/// </remarks>
public static class LayerApplier
{
    /// <summary>The name of the directory or the file that a layer becomes.</summary>
    /// <param name="form">The form.</param>
    public static string NameOf(SnapshotForm form) => form == SnapshotForm.Erofs ? "layer.erofs" : "fs";

    /// <summary>Applies a layer, in one pass.</summary>
    /// <param name="content">The layer: a tar archive, plain or compressed by gzip or zstd; read to its end.</param>
    /// <param name="place">A directory that nobody else may enter, in which <see cref="NameOf"/> is made.</param>
    /// <param name="form">What to make; to make it durable is the caller's.</param>
    /// <param name="expectedDiffId">The digest that the configuration has for the uncompressed archive.</param>
    /// <param name="limits">What the layer may cost.</param>
    /// <param name="warn">Takes warnings for the user.</param>
    /// <exception cref="LayerException">The layer is damaged, hostile or too large, or has another digest. What was
    /// written by then is the caller's to remove.</exception>
    /// <exception cref="IOException">The content cannot be read, or nothing can be written.</exception>
    public static AppliedLayer Apply(
        Stream content, string place, SnapshotForm form, Digest expectedDiffId, LayerLimits limits, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(content);
        using LayerContent uncompressed = LayerContent.Open(content, expectedDiffId, limits.MaxBytes ?? DirectoryTree.FreeBytes(place) / 100 * 95);
        Warnings warnings = new(warn);
        LayerReader layer = new(new TarReader(uncompressed), limits, warnings);
        LayerRoot? root = null;
        using (ILayerWriter writer = OpenWriter(form, Path.Join(place, NameOf(form)), layer, warnings))
        {
            while (layer.Next())
            {
                writer.Write();
                if (layer.Path.IsRoot)
                {
                    root = new LayerRoot(layer.Entry.Mode, (uint)layer.Entry.Uid, (uint)layer.Entry.Gid);
                }
            }

            writer.Finish();
        }

        Digest actual = uncompressed.Finish();
        return actual == expectedDiffId
            ? new(form, actual, layer.Count, layer.ContentBytes, uncompressed.Count, layer.Whiteouts.OpaqueRoot, root)
            : throw new LayerException(
                $"uncompressed digest {actual} does not match config diff_id {expectedDiffId}");
    }

    private static ILayerWriter OpenWriter(SnapshotForm form, string path, LayerReader layer, Warnings warnings) =>
        form == SnapshotForm.Erofs ? new ErofsWriter(path, layer, warnings) : new DirectoryWriter(path, layer, warnings);
}
