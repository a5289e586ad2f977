using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Whole directory trees of the host: making them durable, and removing them.</summary>
public static class DirectoryTree
{
    private const int NameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name

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
    /// <remarks>
    /// The class library cannot remove names that are not UTF-8, which layers may hold, and it resolves paths anew for
    /// each entry. This walk goes by descriptors and bytes.
    /// </remarks>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="IOException">Something could not be removed.</exception>
    public static void Remove(string path)
    {
        try
        {
            using SafeFileHandle directory = OpenForReading(path);
            RemoveEntries(directory, path);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return;
        }

        Directory.Delete(path);
    }

    private static SafeFileHandle OpenForReading(string path) => RootDirectory.Open(
        Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW, mode: 0, resolve: 0);

    private static void RemoveEntries(SafeFileHandle directory, string path)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(32 << 10);
        try
        {
            int length;
            while ((length = Interop.Libc.Getdents64(directory, buffer)) > 0)
            {
                for (int at = 0; at < length; at += MemoryMarshal.Read<ushort>(buffer.AsSpan(at + 16)))
                {
                    ReadOnlySpan<byte> rest = buffer.AsSpan(at + NameOffset);
                    ReadOnlySpan<byte> name = rest[..(rest.IndexOf((byte)0) + 1)];
                    if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                    {
                        RemoveEntry(directory, name, path);
                    }
                }
            }

            if (length < 0)
            {
                throw ErrnoException.FromLastError("getdents64", path);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void RemoveEntry(SafeFileHandle directory, ReadOnlySpan<byte> name, string path)
    {
        if (Interop.Libc.UnlinkAt(directory, name, flags: 0) == 0)
        {
            return;
        }

        if ((Errno)Marshal.GetLastPInvokeError() != Errno.EISDIR)
        {
            throw ErrnoException.FromLastError("unlink in", path);
        }

        int descriptor = Interop.Libc.OpenAt2((int)directory.DangerousGetHandle(), name, new(
            Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC,
            mode: 0,
            Interop.Libc.RESOLVE_BENEATH | Interop.Libc.RESOLVE_NO_SYMLINKS));
        if (descriptor < 0)
        {
            throw ErrnoException.FromLastError("open a directory in", path);
        }

        using (SafeFileHandle child = new(descriptor, ownsHandle: true))
        {
            RemoveEntries(child, path);
        }

        if (Interop.Libc.UnlinkAt(directory, name, Interop.Libc.AT_REMOVEDIR) != 0)
        {
            throw ErrnoException.FromLastError("rmdir in", path);
        }
    }
}
