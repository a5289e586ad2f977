using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a path inside a root leads to.</summary>
public enum InRootKind
{
    /// <summary>Nothing.</summary>
    Absent,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A regular file.</summary>
    RegularFile,

    /// <summary>A device, a FIFO or a socket.</summary>
    Special,
}

/// <summary>Look-ups in files and directories of the root.</summary>
public sealed partial class RootDirectory
{
    private const ulong ResolveInRoot = Interop.Libc.RESOLVE_IN_ROOT | Interop.Libc.RESOLVE_NO_MAGICLINKS;

    /// <summary>What a path leads to, symbolic links followed inside the root.</summary>
    /// <param name="path">A path inside this directory; a leading <c>/</c> means this directory.</param>
    /// <exception cref="ErrnoException">The path cannot be resolved for another reason than that nothing is there.</exception>
    public InRootKind KindOf(string path)
    {
        using SafeFileHandle? file = TryOpenInRoot(path, Interop.Libc.O_PATH);
        return file is null ? InRootKind.Absent : KindOf(file);
    }

    /// <summary>Reads a small regular file whole.</summary>
    /// <param name="path">A path inside this directory; a leading <c>/</c> means this directory.</param>
    /// <param name="maxBytes">The most bytes that it may have.</param>
    /// <returns>Its content, or null where nothing is there.</returns>
    /// <exception cref="ErrnoException">It cannot be opened or read.</exception>
    /// <exception cref="IOException">It is no regular file, or has too many bytes.</exception>
    /// <remarks>
    /// The open neither waits for a FIFO's writer nor acquires a terminal, and what was opened is looked at before it
    /// is read: a hostile image may have put anything there (CVE-2024-9676).
    /// </remarks>
    public byte[]? TryReadFile(string path, int maxBytes)
    {
        using SafeFileHandle? file = TryOpenForReading(path);
        return file is null ? null
            : KindOf(file) == InRootKind.RegularFile ? ReadToEnd(file, path, maxBytes)
            : throw new IOException($"'{path}' is not a regular file");
    }

    /// <summary>Makes a directory and its missing parents with mode 0755, each by its parent's descriptor.</summary>
    /// <param name="path">A clean absolute path: <c>/</c> means this directory, without <c>.</c> and <c>..</c>.</param>
    /// <param name="uid">The owner of the last directory, if it is made here; parents belong to root.</param>
    /// <param name="gid">The group of the last directory, if it is made here.</param>
    /// <exception cref="ErrnoException">A directory cannot be made, or something else is in the way.</exception>
    public void CreateDirectories(string path, uint uid, uint gid)
    {
        SafeFileHandle? parent = null;
        try
        {
            for (int end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
            {
                string prefix = end < 0 ? path : path[..end];
                SafeFileHandle? next = TryOpenInRoot(prefix, Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY);
                if (next is null)
                {
                    string name = prefix[(prefix.LastIndexOf('/') + 1)..];
                    if (Interop.Libc.MakeDirectory(parent ?? _handle, name, 0x1ed) != 0) // 0755
                    {
                        throw ErrnoException.FromLastError("mkdir", prefix); // EEXIST: a dangling link is in the way
                    }

                    // not followed: only the directory that was made can be there now
                    next = OpenBelow(parent ?? _handle, name);
                    if (end < 0 && Interop.Libc.ChangeOwner(next, uid, gid) != 0)
                    {
                        ErrnoException failure = ErrnoException.FromLastError("chown", prefix);
                        next.Dispose();
                        throw failure;
                    }
                }

                parent?.Dispose();
                parent = next;
                if (end < 0)
                {
                    return;
                }
            }
        }
        finally
        {
            parent?.Dispose();
        }
    }

    private static SafeFileHandle OpenBelow(SafeFileHandle parent, string name) =>
        Open((int)parent.DangerousGetHandle(), name,
            Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW, mode: 0,
            Interop.Libc.RESOLVE_BENEATH | Interop.Libc.RESOLVE_NO_SYMLINKS);

    private static InRootKind KindOf(SafeFileHandle file) =>
        (Interop.Libc.Statx(file, "").Mode & Interop.Libc.S_IFMT) switch
        {
            Interop.Libc.S_IFDIR => InRootKind.Directory,
            Interop.Libc.S_IFREG => InRootKind.RegularFile,
            _ => InRootKind.Special,
        };

    private static byte[] ReadToEnd(SafeFileHandle file, string path, int maxBytes)
    {
        byte[] buffer = new byte[Math.Min(4096, maxBytes + 1)];
        int length = 0;
        while (true)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(length), length);
            if (read == 0)
            {
                return buffer[..length];
            }

            length += read;
            if (length > maxBytes)
            {
                throw new IOException($"'{path}' is larger than {maxBytes} bytes");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 4, maxBytes + 1));
            }
        }
    }

    private SafeFileHandle? TryOpenForReading(string path)
    {
        try
        {
            return TryOpenInRoot(
                path, Interop.Libc.O_RDONLY | Interop.Libc.O_NONBLOCK | Interop.Libc.O_NOCTTY);
        }
        catch (ErrnoException e) when (e.Errno is Errno.ENXIO or Errno.ENODEV)
        {
            throw new IOException($"'{path}' is not a regular file", e); // a socket, or a device without a driver
        }
    }

    private SafeFileHandle? TryOpenInRoot(string path, ulong flags)
    {
        try
        {
            return Open((int)_handle.DangerousGetHandle(), path, flags, mode: 0, ResolveInRoot);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }
    }
}
