using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>A directory below <c>tmp/</c> that the next writer sweeps away when its owner is gone.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly FileLock _owner;

    internal TemporaryDirectory(StorageRoot root)
    {
        Path = StorageRoot.Unique(root.Temporary);
        _owner = FileLock.Acquire(Path + LockSuffix); // before the directory: a sweeper never sees it unowned
        Directory.CreateDirectory(Path);
    }

    internal string Path { get; }

    public void Dispose()
    {
        DirectoryTree.Remove(Path);
        File.Delete(Path + LockSuffix);
        _owner.Dispose();
    }

    /// <summary>Removes what owners that were killed have left: directories, and files that were to replace others.</summary>
    internal static void Sweep(StorageRoot root)
    {
        foreach (string path in Directory.EnumerateFiles(root.Temporary))
        {
            if (FileLock.TryAcquire(path, out FileLock? free))
            {
                if (path.EndsWith(LockSuffix, StringComparison.Ordinal))
                {
                    DirectoryTree.Remove(path[..^LockSuffix.Length]);
                }

                File.Delete(path);
                free.Dispose();
            }
        }
    }
}
