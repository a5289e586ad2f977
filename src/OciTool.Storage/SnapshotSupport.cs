using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>In which form new layers are kept on this machine, and why.</summary>
/// <param name="Form">The form.</param>
/// <param name="Reason">A clause for people, lower case.</param>
public sealed record SnapshotSupport(SnapshotForm Form, string Reason)
{
    /// <summary>Finds out: what the user asked for; otherwise EROFS where a trial mount works, and directories elsewhere.</summary>
    /// <param name="root">The store, in which the trial is made if it is there.</param>
    /// <exception cref="OciException">The user asked for EROFS, and it does not work here, or the store cannot be written.</exception>
    public static SnapshotSupport Find(StorageRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (root.AskedForm == SnapshotForm.Directory)
        {
            return new(SnapshotForm.Directory, "asked for");
        }

        (bool works, string how) = Environment.IsPrivilegedProcess ? Try(root) : (false, "only root can mount EROFS");
        return works ? new(SnapshotForm.Erofs, how)
            : root.AskedForm is null ? new(SnapshotForm.Directory, how)
            : throw new OciException($"cannot use the snapshotter erofs: {how}") { Hint = "use --snapshotter directory" };
    }

    private static (bool Works, string How) Try(StorageRoot root)
    {
        if (Directory.Exists(root.Path))
        {
            root.EnsureWritable();
            using TemporaryDirectory place = new(root);
            return Try(place.Path);
        }

        string elsewhere = Directory.CreateTempSubdirectory("oci-").FullName; // looking makes no store
        try
        {
            return Try(elsewhere);
        }
        finally
        {
            DirectoryTree.Remove(elsewhere);
        }
    }

    /// <summary>Makes an empty layer, and mounts it as a container would.</summary>
    private static (bool Works, string How) Try(string place)
    {
        byte[] archive = new byte[1024];
        Digest diffId = Digest.Of(archive);
        AppliedLayer layer = LayerApplier.Apply(
            new MemoryStream(archive), place, SnapshotForm.Erofs, diffId, new LayerLimits { MaxBytes = archive.Length }, _ => { });
        string image = Path.Join(place, LayerApplier.NameOf(layer.Form));
        try
        {
            bool isLoop = FileSystemImage.NeedsLoopDevice(image);
            DetachedMount.Create(new Mount("overlay", "overlay", [$"{Mount.LowerImage}={image}", $"{Mount.LowerDirectory}={place}"])).Dispose();
            return (true, isLoop ? "mounted through loop devices" : "mounted from files");
        }
        catch (ErrnoException e)
        {
            return (false, $"EROFS cannot be mounted here: {e.Message}");
        }
    }
}
