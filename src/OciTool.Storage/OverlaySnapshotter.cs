using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>Stacks applied layers with overlayfs, directories and file system images alike.</summary>
/// <param name="images">The images, with their applied layers.</param>
/// <param name="containers">The containers, whose writable layers lie in their directories.</param>
public sealed class OverlaySnapshotter(ImageStore images, ContainerStore containers) : ISnapshotter
{
    private const UnixFileMode DefaultMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <inheritdoc/>
    public Mount Prepare(string containerId, ImageConfig config)
    {
        string directory = containers.DirectoryOf(containerId);
        string upper = Path.Join(directory, "upper");
        string work = Path.Join(directory, "work");
        List<AppliedLayer> lower = Stack(images, config, out LayerRoot? root);
        if (!Directory.Exists(upper)) // else the container has run before, and its root is its own
        {
            Directory.CreateDirectory(upper);
            DescribeRoot(upper, root);
        }

        if (lower.Count == 0)
        {
            return new Mount("bind", upper, []);
        }

        Directory.CreateDirectory(work);
        List<string> options = new(lower.Count + 2);
        foreach (AppliedLayer layer in lower)
        {
            string kind = layer.Form == SnapshotForm.Erofs ? Mount.LowerImage : Mount.LowerDirectory;
            options.Add($"{kind}={images.Layers.TreeOf(layer)}");
        }

        options.Add($"upperdir={upper}");
        options.Add($"workdir={work}");
        if (!Environment.IsPrivilegedProcess)
        {
            options.Add("userxattr"); // the layers then carry user.overlay.* instead of trusted.overlay.*
        }

        return new Mount("overlay", "overlay", options);
    }

    /// <summary>The tree of a container as it is now, to be read: also while it runs, and without a change to it.</summary>
    /// <param name="containerId">The container.</param>
    /// <param name="config">The config of its image.</param>
    /// <returns>A mount that cannot be written.</returns>
    /// <exception cref="OciException">A layer is missing.</exception>
    public Mount View(string containerId, ImageConfig config) => View(UpperOf(containerId), Stack(images, config, out _));

    /// <summary>The tree of an image, to be read.</summary>
    /// <param name="config">The image's config.</param>
    /// <param name="top">An empty directory, which gets the mode and the owner of the image's root.</param>
    /// <inheritdoc cref="View(string, ImageConfig)"/>
    public Mount ViewImage(ImageConfig config, string top)
    {
        List<AppliedLayer> lower = Stack(images, config, out LayerRoot? root);
        DescribeRoot(top, root);
        return View(top, lower);
    }

    /// <summary>The directory that has what a container wrote; it is not there before its first start.</summary>
    /// <param name="containerId">The container.</param>
    public string UpperOf(string containerId) => Path.Join(containers.DirectoryOf(containerId), "upper");

    /// <summary>Whether a container's root has another mode or owner than the image gives it.</summary>
    /// <param name="containerId">The container.</param>
    /// <param name="config">The config of its image.</param>
    public bool HasOtherRoot(string containerId, ImageConfig config)
    {
        Stack(images, config, out LayerRoot? root);
        using RootDirectory upper = new(UpperOf(containerId));
        using DirectoryDescriptor descriptor = DirectoryDescriptor.Of(upper);
        return descriptor.Look(".\0"u8, out FileStatus status) == Errno.None
            && (status.Mode, status.Owner, status.Group) != (root?.Mode ?? (uint)DefaultMode, root?.Uid ?? 0, root?.Gid ?? 0);
    }

    // the writable layer is just the topmost of all: so nothing is written, and a mount that has it writable is left alone
    private Mount View(string top, List<AppliedLayer> lower)
    {
        if (lower.Count == 0)
        {
            return new Mount("bind", top, ["ro"]);
        }

        List<string> options = [$"{Mount.LowerDirectory}={top}"];
        options.AddRange(lower.Select(layer =>
            $"{(layer.Form == SnapshotForm.Erofs ? Mount.LowerImage : Mount.LowerDirectory)}={images.Layers.TreeOf(layer)}"));
        options.Add("ro");
        return new Mount("overlay", "overlay", options);
    }

    /// <inheritdoc/>
    public void Remove(string containerId)
    {
        DirectoryTree.Remove(Path.Join(containers.DirectoryOf(containerId), "work"));
        DirectoryTree.Remove(Path.Join(containers.DirectoryOf(containerId), "upper"));
    }

    /// <summary>An image's layers, topmost first, without those that an opaque root hides; and what they say about the root.</summary>
    internal static List<AppliedLayer> Stack(ImageStore images, ImageConfig config, out LayerRoot? root)
    {
        root = null;
        bool hidden = false;
        IReadOnlyList<Digest> diffIds = config.Rootfs.DiffIds;
        List<AppliedLayer> lower = new(diffIds.Count);
        HashSet<Digest> stacked = new(diffIds.Count);
        for (int i = diffIds.Count - 1; i >= 0; i--)
        {
            AppliedLayer layer = images.Layers.Find(diffIds[i])?.Applied
                ?? throw new OciException($"layer {i + 1}/{diffIds.Count} ({diffIds[i].Algorithm}:{diffIds[i].Short}…) is missing in the store")
                {
                    Hint = "pull the image again",
                };

            // overlayfs takes a directory once, and below itself a layer has nothing to add
            if (!hidden && stacked.Add(diffIds[i]))
            {
                lower.Add(layer);
            }

            hidden |= layer.OpaqueRoot;
            root ??= layer.Root; // that of a hidden layer, too: what is in the root is hidden, not the root
        }

        return lower;
    }

    /// <summary>Gives the writable layer the mode and owner that the image has for its root: overlayfs takes them from there.</summary>
    private static void DescribeRoot(string upper, LayerRoot? root)
    {
        if (root is not null && Environment.IsPrivilegedProcess)
        {
            using RootDirectory directory = new(upper);
            using DirectoryDescriptor descriptor = DirectoryDescriptor.Of(directory);
            Errno errno = descriptor.SetOwner(".\0"u8, root.Uid, root.Gid);
            if (errno != Errno.None)
            {
                throw new ErrnoException("chown", upper, errno);
            }
        }

        File.SetUnixFileMode(upper, root is null ? DefaultMode : (UnixFileMode)root.Mode); // whatever the umask is
    }
}
