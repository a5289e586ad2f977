using System.Diagnostics.CodeAnalysis;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The tree of an image, mounted where nobody else sees it, to be read; disposing unmounts it.</summary>
public sealed class ImageTree : IDisposable
{
    private readonly TemporaryDirectory _top;

    private ImageTree(TemporaryDirectory top, RootDirectory tree) => (_top, Tree) = (top, tree);

    /// <summary>The root.</summary>
    public RootDirectory Tree { get; }

    /// <summary>Mounts the lowest layers of an image.</summary>
    /// <param name="root">The store, which must be writable: an empty directory of it carries the root's mode and owner.</param>
    /// <param name="snapshotter">Stacks the layers.</param>
    /// <param name="config">The image's config.</param>
    /// <param name="layers">How many layers, from the base on.</param>
    /// <exception cref="OciException">A layer is missing.</exception>
    /// <exception cref="ErrnoException">The kernel does not mount it.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the tree")]
    public static ImageTree Mount(StorageRoot root, OverlaySnapshotter snapshotter, ImageConfig config, int layers)
    {
        root.EnsureWritable();
        TemporaryDirectory top = new(root);
        try
        {
            ImageConfig lower = config with { Rootfs = new ImageRootfs("layers", [.. config.Rootfs.DiffIds.Take(layers)]) };
            return new ImageTree(top, DetachedMount.Create(snapshotter.ViewImage(lower, top.Path)));
        }
        catch
        {
            top.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tree.Dispose();
        _top.Dispose();
    }
}
