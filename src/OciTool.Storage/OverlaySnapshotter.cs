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
        List<AppliedLayer> lower = Stack(config);
        Directory.CreateDirectory(upper);
        File.SetUnixFileMode(upper, RootModeOf(lower)); // the mode of the merged root is the upper directory's
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

    /// <inheritdoc/>
    public void Remove(string containerId)
    {
        DirectoryTree.Remove(Path.Join(containers.DirectoryOf(containerId), "work"));
        DirectoryTree.Remove(Path.Join(containers.DirectoryOf(containerId), "upper"));
    }

    /// <summary>An image's layers, topmost first.</summary>
    private List<AppliedLayer> Stack(ImageConfig config)
    {
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
            if (stacked.Add(diffIds[i]))
            {
                lower.Add(layer);
            }

            if (layer.OpaqueRoot)
            {
                break;
            }
        }

        return lower;
    }

    // most layers have no entry for the root
    private static UnixFileMode RootModeOf(List<AppliedLayer> lower)
    {
        foreach (AppliedLayer layer in lower)
        {
            if (layer.Root is { } root)
            {
                return (UnixFileMode)root.Mode;
            }
        }

        return DefaultMode;
    }
}
