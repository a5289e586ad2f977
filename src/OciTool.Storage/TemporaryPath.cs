using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>A path below <c>tmp/</c>, for a file or a directory, that the next writer sweeps away when its owner is gone.</summary>
internal sealed class TemporaryPath : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly FileLock _owner;

    internal TemporaryPath(StorageRoot root)
    {
        Path = StorageRoot.Unique(root.Temporary);
        _owner = FileLock.Acquire(Path + LockSuffix); // before what it protects: a sweeper never sees that unowned
    }

    internal string Path { get; }

    public void Dispose()
    {
        DirectoryTree.Remove(Path);
        File.Delete(Path + LockSuffix);
        _owner.Dispose();
    }

    /// <summary>Removes what owners that were killed have left.</summary>
    internal static void Sweep(StorageRoot root)
    {
        foreach (string path in Directory.EnumerateFiles(root.Temporary, "*" + LockSuffix))
        {
            if (FileLock.TryAcquire(path, out FileLock? free))
            {
                DirectoryTree.Remove(path[..^LockSuffix.Length]);
                File.Delete(path);
                free.Dispose();
            }
        }
    }
}
