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

    /// <summary>Makes the content and the size of one file survive a power loss: fdatasync(2). Its name is a matter of <see cref="SyncNames"/>.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">The file cannot be opened or written back.</exception>
    public static void SyncFile(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        SyncFile(file, path);
    }

    /// <inheritdoc cref="SyncFile(string)"/>
    /// <param name="file">The file.</param>
    /// <param name="path">Its path, for errors.</param>
    public static void SyncFile(SafeFileHandle file, string path)
    {
        int result;
        do
        {
            result = Interop.Libc.FDataSync(file);
        }
        while (Interop.Libc.Interrupted(result));

        if (result != 0)
        {
            throw ErrnoException.FromLastError("fdatasync", path);
        }
    }

    /// <summary>Writes back all that is dirty in the file system that a directory lies on: syncfs(2).</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">Something of the file system could not be written back.</exception>
    public static void SyncFileSystem(string path)
    {
        using SafeFileHandle directory = OpenForReading(path);
        int result;
        do
        {
            result = Interop.Libc.Syncfs(directory);
        }
        while (Interop.Libc.Interrupted(result));

        if (result != 0)
        {
            throw ErrnoException.FromLastError("syncfs", path);
        }
    }

    /// <summary>How many bytes an unprivileged writer may still use of the file system of a directory.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">There is no such directory, or the file system does not say.</exception>
    public static long FreeBytes(string path)
    {
        using RootDirectory directory = new(path);
        using DirectoryDescriptor descriptor = DirectoryDescriptor.Of(directory);
        return descriptor.FreeBytes();
    }

    /// <summary>Gives each of two directories the name of the other, at once.</summary>
    /// <param name="first">A path that the caller trusts.</param>
    /// <param name="second">Another one, on the same file system.</param>
    /// <exception cref="ErrnoException">One is missing.</exception>
    public static void Exchange(string first, string second)
    {
        using SafeFileHandle root = OpenForReading("/");
        int result = Interop.Libc.RenameAt2(
            root, Encoding.UTF8.GetBytes($"{Path.GetFullPath(first)}\0"),
            root, Encoding.UTF8.GetBytes($"{Path.GetFullPath(second)}\0"), Interop.Libc.RENAME_EXCHANGE);
        if (result != 0)
        {
            throw ErrnoException.FromLastError("rename", second);
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
