using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The images that are mounted for people to look at: <c>image-mounts/ID/merged</c> below the directory of run-time state.</summary>
/// <param name="root">The store.</param>
/// <param name="snapshotter">Stacks the layers.</param>
public sealed class ImageMounts(StorageRoot root, OverlaySnapshotter snapshotter)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _place = PlaceIn(root);

    /// <summary>Mounts an image, unless it is mounted already; it cannot be written.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The mount point.</returns>
    /// <exception cref="OciException">A layer is missing, or the image has none.</exception>
    /// <exception cref="ErrnoException">The kernel does not mount it.</exception>
    public string Mount(StoredImage image)
    {
        if (image.Config.Rootfs.DiffIds.Count == 0)
        {
            throw new OciException($"cannot mount image {image.Id.Hex}: it has no layers");
        }

        string point = PointOf(image.Id);
        if (IsMounted(image.Id))
        {
            return point;
        }

        string top = Path.Join(_place, image.Id.Hex, "top");
        Directory.CreateDirectory(_place, Private);
        Directory.CreateDirectory(top);
        Directory.CreateDirectory(point);
        using RootDirectory tree = DetachedMount.Create(snapshotter.ViewImage(image.Config, top));
        using RootDirectory target = new(point);
        // an image's author does not choose which devices and set-id programs the host has
        Mounts.SetAttributes(tree.Handle, MountAttributes.NoDevices | MountAttributes.NoSuid, MountAttributes.None, recursive: false);
        Mounts.Attach(tree.Handle, target.Handle, point);
        return point;
    }

    /// <summary>Unmounts an image.</summary>
    /// <param name="id">The image's ID.</param>
    /// <param name="force">Whether also where somebody uses it; it is gone for them with the last file that they close.</param>
    /// <returns>False when it was not mounted.</returns>
    /// <exception cref="OciException">Somebody uses it.</exception>
    public bool Unmount(Digest id, bool force)
    {
        bool mounted = IsMounted(id);
        if (mounted)
        {
            try
            {
                Mounts.Detach(PointOf(id), lazily: force);
            }
            catch (ErrnoException e) when (e.Errno == Errno.EBUSY)
            {
                throw new OciException($"cannot unmount image {id.Hex}: '{PointOf(id)}' is in use", e) { Hint = "end what uses it, or unmount with --force" };
            }
        }

        if (Directory.Exists(Path.Join(_place, id.Hex)) && !IsMounted(id))
        {
            Directory.Delete(PointOf(id)); // not below: were it still mounted, nothing of it may go
            Directory.Delete(Path.Join(_place, id.Hex), recursive: true);
        }

        return mounted;
    }

    /// <summary>The mount point of an image; null when it is not mounted.</summary>
    /// <param name="id">The image's ID.</param>
    public string? Find(Digest id) => IsMounted(id) ? PointOf(id) : null;

    /// <summary>Whether an image is mounted.</summary>
    internal static bool IsMounted(StorageRoot root, Digest id)
    {
        string place = Path.Join(PlaceIn(root), id.Hex);
        return FileIdentity.TryOf(Path.Join(place, "merged"), out FileIdentity mounted)
            && FileIdentity.TryOf(place, out FileIdentity around)
            && (mounted.DeviceMajor, mounted.DeviceMinor) != (around.DeviceMajor, around.DeviceMinor);
    }

    private static string PlaceIn(StorageRoot root) => Path.Join(root.RunPath, "image-mounts");

    private bool IsMounted(Digest id) => IsMounted(root, id);

    private string PointOf(Digest id) => Path.Join(_place, id.Hex, "merged");
}
