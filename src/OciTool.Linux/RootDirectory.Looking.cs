using System.Buffers.Binary;
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

/// <summary>What all files below a root have.</summary>
/// <param name="HighestOwner">The highest user ID.</param>
/// <param name="HighestGroup">The highest group ID.</param>
/// <param name="OwnedPath">A file that has one of them.</param>
public sealed record TreeInRoot(uint HighestOwner, uint HighestGroup, string OwnedPath)
{
    /// <summary>The first file with file capabilities, and how many have them.</summary>
    public (string? First, int Count) Capabilities { get; init; }

    /// <summary>The first device node, and how many there are.</summary>
    public (string? First, int Count) Devices { get; init; }

    /// <summary>The first name that differs from another one in case only, and how many do.</summary>
    public (string? First, int Count) CaseCollisions { get; init; }
}

/// <summary>Looking at files of the root, for questions about an image that nobody runs.</summary>
public sealed partial class RootDirectory
{
    private const int EntryNameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name
    private const int MostNames = 100_000;
    private const int DeepestTree = 1000;

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
    public SafeFileHandle? OpenRegular(string path)
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

    /// <summary>The names in a directory; names that are not UTF-8 are not among them.</summary>
    /// <param name="path">A path inside this directory.</param>
    /// <returns>None where no directory is there.</returns>
    /// <exception cref="ErrnoException">It cannot be read.</exception>
    public IReadOnlyList<string> ListNames(string path)
    {
        using SafeFileHandle? directory = TryReach(path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY);
        return directory is null ? [] : [.. NamesIn(directory).Select(name => Encoding.UTF8.GetString(name)).Where(name => !name.Contains('\ufffd', StringComparison.Ordinal))];
    }

    /// <summary>Looks at every file below the root.</summary>
    /// <exception cref="ErrnoException">A directory cannot be read.</exception>
    public TreeInRoot LookAtAll()
    {
        using SafeFileHandle top = Open((int)_handle.DangerousGetHandle(), ".", Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
        Interop.Libc.StatxResult root = Interop.Libc.Statx(top, "");
        TreeInRoot tree = new(root.Uid, root.Gid, "/");
        LookBelow(top, "", 0, ref tree);
        return tree;
    }

    private static void LookBelow(SafeFileHandle directory, string path, int depth, ref TreeInRoot tree)
    {
        HashSet<string> folded = new(StringComparer.OrdinalIgnoreCase);
        foreach (byte[] bytes in NamesIn(directory))
        {
            byte[] name = [.. bytes, 0];
            if (Interop.Libc.Statx(directory, name, out Interop.Libc.StatxResult status) != 0)
            {
                continue;
            }

            string child = $"{path}/{Encoding.UTF8.GetString(bytes)}";
            if (status.Uid > tree.HighestOwner || status.Gid > tree.HighestGroup)
            {
                tree = tree with { HighestOwner = Math.Max(tree.HighestOwner, status.Uid), HighestGroup = Math.Max(tree.HighestGroup, status.Gid), OwnedPath = child };
            }

            if (!folded.Add(Encoding.UTF8.GetString(bytes)))
            {
                tree = tree with { CaseCollisions = Counted(tree.CaseCollisions, child) };
            }

            int type = status.Mode & Interop.Libc.S_IFMT;
            if (type is Interop.Libc.S_IFCHR or Interop.Libc.S_IFBLK)
            {
                tree = tree with { Devices = Counted(tree.Devices, child) };
            }
            else if (type == Interop.Libc.S_IFREG && (status.Mode & 0x49) != 0 && HasCapabilities(directory, bytes))
            {
                tree = tree with { Capabilities = Counted(tree.Capabilities, child) };
            }
            else if (type == Interop.Libc.S_IFDIR && depth < DeepestTree)
            {
                LookIn(directory, bytes, child, depth + 1, ref tree);
            }
        }
    }

    private static void LookIn(SafeFileHandle parent, byte[] name, string path, int depth, ref TreeInRoot tree)
    {
        using SafeFileHandle? below = OpenDirectory(parent, name);
        if (below is not null)
        {
            LookBelow(below, path, depth, ref tree);
        }
    }

    private static (string? First, int Count) Counted((string? First, int Count) known, string path) => (known.First ?? path, known.Count + 1);

    private static bool HasCapabilities(SafeFileHandle directory, byte[] name)
    {
        byte[] path = [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{directory.DangerousGetHandle()}/"), .. name, 0];
        return Interop.Libc.LGetXattr(path, "security.capability\0"u8, [], 0) > 0;
    }

    private static SafeFileHandle? OpenDirectory(SafeFileHandle parent, byte[] name)
    {
        int descriptor = Interop.Libc.OpenAt2(
            (int)parent.DangerousGetHandle(), [.. name, 0],
            new(Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC, 0, Interop.Libc.RESOLVE_BENEATH | Interop.Libc.RESOLVE_NO_SYMLINKS));
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
    }

    private static List<byte[]> NamesIn(SafeFileHandle directory)
    {
        List<byte[]> names = [];
        byte[] buffer = new byte[16 * 1024];
        for (nint count; (count = Interop.Libc.GetDents64(directory, buffer)) > 0 && names.Count < MostNames;)
        {
            for (int offset = 0; offset < count;)
            {
                ReadOnlySpan<byte> entry = buffer.AsSpan(offset);
                offset += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[EntryNameOffset..];
                name = name[..name.IndexOf((byte)0)];
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }

        return names;
    }

    /// <summary>Opens what is there; names that cannot lead anywhere lead to nothing.</summary>
    private SafeFileHandle? TryReach(string path, ulong flags)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return Open((int)_handle.DangerousGetHandle(), path, flags, mode: 0, ResolveInRoot);
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
