using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a path inside a root leads to, looked at without opening it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Permission, set-id and sticky bits.</param>
/// <param name="Owner">The user ID.</param>
/// <param name="Group">The group ID.</param>
/// <param name="Size">The size in bytes.</param>
/// <param name="RealPath">Its path inside the root, without symbolic links.</param>
public sealed record FileInRoot(InRootKind Kind, int Mode, uint Owner, uint Group, long Size, string RealPath);

/// <summary>Looking at files of the root, for questions about an image that nobody runs.</summary>
public sealed partial class RootDirectory
{
    /// <summary>Looks at what a path leads to; symbolic links are followed inside the root.</summary>
    /// <param name="path">A path inside this directory.</param>
    /// <returns>Null where nothing is there, or no look-up can come to an end: a link to itself, a file in the way, a name too long.</returns>
    /// <exception cref="ErrnoException">The file system fails.</exception>
    public FileInRoot? Look(string path)
    {
        using SafeFileHandle? file = TryReach(path, Interop.Libc.O_PATH);
        if (file is null)
        {
            return null;
        }

        Interop.Libc.StatxResult status = Interop.Libc.Statx(file, "");
        return new FileInRoot(KindOf(file), status.Mode & 0xfff, status.Uid, status.Gid, (long)status.Size, RealPathOf(file, path));
    }

    /// <summary>Opens a regular file to read it.</summary>
    /// <param name="path">A path inside this directory.</param>
    /// <returns>Null where no regular file is there.</returns>
    /// <exception cref="ErrnoException">It cannot be opened.</exception>
    public SafeFileHandle? OpenRegular(string path) => OpenRegular(Encoding.UTF8.GetBytes(path));

    /// <summary>Opens a regular file, whose name need not be UTF-8, to read it.</summary>
    /// <inheritdoc cref="OpenRegular(string)"/>
    public SafeFileHandle? OpenRegular(ReadOnlySpan<byte> path)
    {
        using (SafeFileHandle? looked = TryReach(path, Interop.Libc.O_PATH))
        {
            if (looked is null || KindOf(looked) != InRootKind.RegularFile)
            {
                return null; // opening a device would do something
            }
        }

        SafeFileHandle? file = TryReach(path, Interop.Libc.O_RDONLY | Interop.Libc.O_NONBLOCK | Interop.Libc.O_NOCTTY);
        if (file is not null && KindOf(file) != InRootKind.RegularFile)
        {
            file.Dispose();
            return null;
        }

        return file;
    }

    /// <summary>Opens a directory inside as a root of its own; no link leads to it.</summary>
    /// <param name="path">A relative path.</param>
    /// <returns>Null where no directory is there.</returns>
    /// <exception cref="ErrnoException">It cannot be opened, or a link is on the way.</exception>
    public RootDirectory? TryOpenRoot(string path)
    {
        try
        {
            return new RootDirectory(Open(
                (int)_handle.DangerousGetHandle(), path, Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY, mode: 0,
                Interop.Libc.RESOLVE_BENEATH | Interop.Libc.RESOLVE_NO_SYMLINKS));
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>The names in a directory; names that are not UTF-8 are not among them.</summary>
    /// <param name="path">A path inside this directory.</param>
    /// <returns>None where no directory is there.</returns>
    /// <exception cref="ErrnoException">It cannot be read.</exception>
    public IReadOnlyList<string> ListNames(string path)
    {
        using SafeFileHandle? directory = TryReach(path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY);
        return directory is null ? [] : [.. TreeWalk.NamesOf(directory, path).Select(name => Encoding.UTF8.GetString(name)[..^1]).Where(name => !name.Contains('\ufffd', StringComparison.Ordinal))];
    }

    /// <summary>Opens what is there; names that cannot lead anywhere lead to nothing.</summary>
    private SafeFileHandle? TryReach(string path, ulong flags) => TryReach(Encoding.UTF8.GetBytes(path), flags);

    private SafeFileHandle? TryReach(ReadOnlySpan<byte> path, ulong flags)
    {
        if (path.IsEmpty || path.Contains((byte)0))
        {
            return null;
        }

        try
        {
            return Open((int)_handle.DangerousGetHandle(), [.. path, 0], flags, mode: 0, ResolveInRoot);
        }
        catch (ErrnoException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.ENAMETOOLONG or Errno.ENXIO or Errno.ENODEV)
        {
            return null;
        }
    }

    // of a mount that is attached nowhere, /proc shows paths from its root on
    private string RealPathOf(SafeFileHandle file, string path)
    {
        string? real = LinkOf(file), root = LinkOf(_handle);
        if (real is null || root is null || real.EndsWith(" (deleted)", StringComparison.Ordinal))
        {
            return path;
        }

        string prefix = root.TrimEnd('/');
        return !real.StartsWith(prefix, StringComparison.Ordinal) ? path : real.Length == prefix.Length ? "/" : real[prefix.Length..];
    }

    private static string? LinkOf(SafeFileHandle file)
    {
        using SafeFileHandle current = new(Interop.Libc.AT_FDCWD, ownsHandle: false);
        byte[] buffer = new byte[4096];
        byte[] path = [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{file.DangerousGetHandle()}"), 0];
        nint length = Interop.Libc.ReadLinkAt(current, path, buffer, buffer.Length);
        return length > 0 && length < buffer.Length ? Encoding.UTF8.GetString(buffer, 0, (int)length) : null;
    }
}
