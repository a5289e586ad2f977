using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Removes a whole store: everything that we put into its directory, and the directory when nothing else is in it.</summary>
/// <param name="root">The store.</param>
/// <param name="containers">Its containers.</param>
public sealed class StoreReset(StorageRoot root, ContainerStore containers)
{
    /// <summary>Removes it.</summary>
    /// <exception cref="OciException">A container runs, a pull is under way, the directory is not a store, or it cannot be written.</exception>
    public void Run()
    {
        if (!Directory.Exists(root.Path))
        {
            return;
        }

        if (!File.Exists(root.LayoutFile) && Directory.EnumerateFileSystemEntries(root.Path).Any())
        {
            throw new OciException($"cannot reset '{root.Path}': it is not a store of this tool, it has no oci-layout");
        }

        root.EnsureWritable();
        using (FileLock held = root.Lock(root.LockFile))
        using (FileLock heldContainers = root.Lock(root.ContainersLockFile))
        {
            if (containers.ListReadable().FirstOrDefault(container => container.State == ContainerState.Running) is { } running)
            {
                throw new OciException($"cannot reset '{root.Path}': container {running.Name} is running") { Hint = $"oci rm --force {running.Name}" };
            }

            if (Lease.ReadAll(root).Count > 0)
            {
                throw new OciException($"cannot reset '{root.Path}': an image is being pulled");
            }

            // the names first: what is left after a kill is content that nothing needs
            foreach (string file in (string[])[root.IndexFile, root.FactsFile, root.LayoutFile])
            {
                File.Delete(file);
            }

            foreach (string directory in (string[])
                [root.Containers, root.ContainerNames, root.Layers, root.Blobs, root.Ingest, root.Locks, root.Leases, root.Temporary,
                    Path.Join(root.Path, "seccomp"), Path.Join(root.RunPath, "read-only", Uri.EscapeDataString(root.Path))])
            {
                DirectoryTree.Remove(directory);
            }

            File.Delete(root.ContainersLockFile);
            File.Delete(root.LockFile);
        }

        foreach (string directory in (string[])[Path.Join(root.RunPath, "read-only"), root.RunPath, root.Path])
        {
            try
            {
                Directory.Delete(directory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // something of somebody else is in it, or is mounted on it
            }
        }
    }
}
