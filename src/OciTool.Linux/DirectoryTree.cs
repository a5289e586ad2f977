using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Whole directory trees of the host: making them durable, and removing them.</summary>
public static class DirectoryTree
{
    /// <summary>Makes the names in a directory survive a power loss: fsync(2) of the directory.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">The directory cannot be opened or written back.</exception>
    public static void SyncNames(string path)
    {
        using SafeFileHandle directory = OpenForReading(path);
        RandomAccess.FlushToDisk(directory);
    }

    /// <summary>Writes back all that is dirty in the file system that a directory lies on: syncfs(2).</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">Something of the file system could not be written back.</exception>
    public static void SyncFileSystem(string path)
    {
        using SafeFileHandle directory = OpenForReading(path);
        if (Interop.Libc.Syncfs(directory) != 0)
        {
            throw ErrnoException.FromLastError("syncfs", path);
        }
    }

    /// <summary>Removes a directory and all below it; links are removed, not followed. Absence is no error.</summary>
    /// <remarks>The class library cannot remove names that are not UTF-8, which layers may hold.</remarks>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">Something could not be removed.</exception>
    public static void Remove(string path)
    {
        string full = Path.GetFullPath(path);
        string parent = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(parent))
        {
            return;
        }

        using RootDirectory directory = new(parent);
        using DirectoryDescriptor entries = DirectoryDescriptor.Of(directory);
        Errno errno = entries.RemoveTree(Encoding.UTF8.GetBytes($"{Path.GetFileName(full)}\0"));
        if (errno != Errno.None)
        {
            throw new ErrnoException("remove", path, errno);
        }
    }

    private static SafeFileHandle OpenForReading(string path) => RootDirectory.Open(
        Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
}
