using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Removes what nothing needs: content that no name, container or pull reaches, partial downloads, and what the dead have left.</summary>
/// <param name="root">The store.</param>
/// <param name="images">Its images.</param>
/// <param name="containers">Its containers.</param>
public sealed class StoreSweep(StorageRoot root, ImageStore images, ContainerStore containers)
{
    private readonly List<TemporaryDirectory> _trash = [];
    private long _freed;

    /// <summary>Sweeps the store.</summary>
    /// <returns>How many bytes of content were removed.</returns>
    /// <exception cref="OciException">The store cannot be written, or its list of names is damaged: then all content may be needed.</exception>
    public long Run()
    {
        if (!Directory.Exists(root.Path))
        {
            return 0;
        }

        root.EnsureWritable();
        SweepDead();
        try
        {
            using FileLock held = root.Lock(root.LockFile);
            using FileLock heldContainers = root.Lock(root.ContainersLockFile);
            (HashSet<Digest> blobs, HashSet<Digest> diffIds) = LiveContent(root, images, containers);
            foreach ((string path, Digest? digest) in Entries(root.Blobs, Directory.EnumerateFiles))
            {
                if (digest is null || !blobs.Contains(digest.Value))
                {
                    _freed += new FileInfo(path).Length;
                    File.Delete(path);
                }
            }

            foreach ((string path, Digest? digest) in Entries(root.Layers, Directory.EnumerateDirectories))
            {
                if (digest is null || !diffIds.Contains(digest.Value))
                {
                    _freed += digest is null ? 0 : images.Layers.SizeOf(digest.Value);
                    TemporaryDirectory place = new(root);
                    _trash.Add(place);
                    Directory.Move(path, Path.Join(place.Path, "layer"));
                }
            }
        }
        finally
        {
            _trash.ForEach(place => place.Dispose());
        }

        foreach (string partial in Directory.EnumerateFiles(root.Ingest))
        {
            long size = new FileInfo(partial) is { Exists: true, Length: var length } ? length : 0;
            _freed += RemovePartial(root, partial) ? size : 0;
        }

        return _freed;
    }

    /// <summary>Removes what killed processes have left and the next writer would remove: temporary files, leases, halves of containers.</summary>
    internal void SweepDead()
    {
        root.Sweep();
        containers.SettleKilled();
    }

    /// <summary>All content that something needs; the caller holds the exclusive store lock.</summary>
    internal static (HashSet<Digest> Blobs, HashSet<Digest> DiffIds) LiveContent(StorageRoot root, ImageStore images, ContainerStore containers)
    {
        HashSet<Digest> blobs = Lease.ReadAll(root);
        HashSet<Digest> diffIds = [.. blobs];
        foreach (Descriptor entry in LayoutIndex.Read(root).Entries)
        {
            images.Walk.Reach(entry, without: [], blobs, diffIds);
        }

        foreach (ContainerRecord container in containers.ListReadable())
        {
            images.Walk.Reach(container.ImageDigest, blobs, diffIds);
        }

        return (blobs, diffIds);
    }

    /// <summary>Whether somebody goes on with a partial download.</summary>
    internal static bool IsHeld(StorageRoot root, string partial) => FileLock.IsHeld(LockOf(root, partial));

    /// <summary>Removes a partial download unless somebody goes on with it.</summary>
    internal static bool RemovePartial(StorageRoot root, string partial)
    {
        string lockFile = LockOf(root, partial);
        if (!FileLock.TryAcquire(lockFile, out FileLock? free))
        {
            return false;
        }

        using (free)
        {
            File.Delete(partial);
            File.Delete(lockFile);
            return true;
        }
    }

    // the lock of a blob has the same name
    private static string LockOf(StorageRoot root, string partial) => Path.Join(root.Locks, Path.GetFileName(partial));

    // each algorithm that we write has a directory; what another tool may have put beside these is its own
    internal static List<(string Path, Digest? Digest)> Entries(string place, Func<string, IEnumerable<string>> enumerate)
    {
        List<(string, Digest?)> entries = [];
        foreach (string algorithm in (string[])["sha256", "sha512"])
        {
            string directory = Path.Join(place, algorithm);
            foreach (string path in Directory.Exists(directory) ? enumerate(directory) : [])
            {
                entries.Add((path, Digest.TryParse($"{algorithm}:{Path.GetFileName(path)}", provider: null, out Digest digest) ? digest : null));
            }
        }

        return entries;
    }
}
