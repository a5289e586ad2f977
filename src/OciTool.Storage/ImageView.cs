using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>The files of an image, to be read only: its layers, stacked as for a container, where nobody sees them.</summary>
public static class ImageView
{
    /// <summary>Mounts the layers; the mount ends with the result.</summary>
    /// <param name="images">The store that has them.</param>
    /// <param name="config">The image's configuration.</param>
    /// <returns>Null for an image without layers.</returns>
    /// <exception cref="OciException">A layer is missing, or nothing can be mounted.</exception>
    public static RootDirectory? Open(ImageStore images, ImageConfig config)
    {
        List<AppliedLayer> layers = OverlaySnapshotter.Stack(images, config, out _);
        if (layers.Count == 0)
        {
            return null;
        }

        try
        {
            // overlayfs wants two lower layers where nothing can be written
            return layers is [var only]
                ? only.Form == SnapshotForm.Erofs
                    ? DetachedMount.CreateFromImage(images.Layers.TreeOf(only))
                    : new RootDirectory(images.Layers.TreeOf(only))
                : DetachedMount.Create(new Mount("overlay", "overlay",
                [
                    .. layers.Select(layer => $"{(layer.Form == SnapshotForm.Erofs ? Mount.LowerImage : Mount.LowerDirectory)}={images.Layers.TreeOf(layer)}"),
                    "ro",
                ]));
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot look into the image's layers: {e.Message}", e);
        }
    }
}
