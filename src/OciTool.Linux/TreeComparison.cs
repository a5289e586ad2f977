using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Compares two directory trees: names, kinds, modes, owners, times of modification, links, attributes and content.</summary>
/// <remarks>
/// Nothing is followed and nothing is written. Names are bytes. Labels of SELinux are left out: the host may set them
/// anew at any time. What a path names is opened through its directory's descriptor, so depth costs no path length.
/// </remarks>
public sealed class TreeComparison
{
    private const int EntryNameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name
    private const int MaxDepth = 2048;

    private readonly byte[] _left = new byte[64 * 1024];
    private readonly byte[] _right = new byte[64 * 1024];
    private readonly Dictionary<FileIdentity, FileIdentity> _linked = [];

    private TreeComparison()
    {
    }

    /// <summary>Finds the first difference.</summary>
    /// <param name="actual">A directory that the caller trusts.</param>
    /// <param name="expected">Another one.</param>
    /// <returns>What is different and where, escaped for terminals by the caller; null when the trees are equal.</returns>
    /// <exception cref="ErrnoException">Something in them cannot be read.</exception>
    public static string? Find(string actual, string expected)
    {
        using SafeFileHandle left = OpenDirectory(actual);
        using SafeFileHandle right = OpenDirectory(expected);
        TreeComparison comparison = new();
        return CompareStatus(Interop.Libc.Statx(left, ""), Interop.Libc.Statx(right, ""), "/", isDirectory: true)
            ?? comparison.CompareXattrs(left, right, "."u8, "/")
            ?? comparison.CompareDirectories(left, right, "", depth: 0);
    }

    private string? CompareDirectories(SafeFileHandle left, SafeFileHandle right, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            return $"{path}: nested too deeply";
        }

        List<byte[]> leftNames = NamesOf(left, path);
        List<byte[]> rightNames = NamesOf(right, path);
        int i = 0;
        while (i < leftNames.Count || i < rightNames.Count)
        {
            int order = i >= leftNames.Count ? 1 : i >= rightNames.Count ? -1 : leftNames[i].AsSpan().SequenceCompareTo(rightNames[i]);
            string name = $"{path}/{Encoding.UTF8.GetString((order <= 0 ? leftNames : rightNames)[i].AsSpan()[..^1])}";
            if (order != 0)
            {
                return order < 0 ? $"{name}: was added" : $"{name}: is missing";
            }

            if (CompareEntries(left, right, leftNames[i], name, depth) is { } difference)
            {
                return difference;
            }

            i++;
        }

        return null;
    }

    private string? CompareEntries(SafeFileHandle left, SafeFileHandle right, byte[] name, string path, int depth)
    {
        Interop.Libc.StatxResult actual = StatusOf(left, name, path);
        Interop.Libc.StatxResult expected = StatusOf(right, name, path);
        int kind = actual.Mode & Interop.Libc.S_IFMT;
        if (CompareStatus(actual, expected, path, kind == Interop.Libc.S_IFDIR) is { } difference)
        {
            return difference;
        }

        if (kind != Interop.Libc.S_IFDIR && actual.Links > 1)
        {
            // two names of one file there must be two names of one file here
            FileIdentity there = IdentityOf(expected);
            if (!_linked.TryAdd(IdentityOf(actual), there))
            {
                return _linked[IdentityOf(actual)] == there ? null : $"{path}: hard link to another file";
            }
        }

        if (CompareXattrs(left, right, name.AsSpan()[..^1], path) is { } attribute)
        {
            return attribute;
        }

        switch (kind)
        {
            case Interop.Libc.S_IFDIR:
                using (SafeFileHandle leftChild = Open(left, name, path, Interop.Libc.O_DIRECTORY))
                using (SafeFileHandle rightChild = Open(right, name, path, Interop.Libc.O_DIRECTORY))
                {
                    return CompareDirectories(leftChild, rightChild, path, depth + 1);
                }

            case Interop.Libc.S_IFREG:
                using (SafeFileHandle leftFile = Open(left, name, path, 0))
                using (SafeFileHandle rightFile = Open(right, name, path, 0))
                {
                    return SameContent(leftFile, rightFile) ? null : $"{path}: other content";
                }

            case Interop.Libc.S_IFLNK:
                nint length = Interop.Libc.ReadLinkAt(left, name, _left, _left.Length);
                nint other = Interop.Libc.ReadLinkAt(right, name, _right, _right.Length);
                return length >= 0 && length == other && _left.AsSpan(0, (int)length).SequenceEqual(_right.AsSpan(0, (int)other))
                    ? null
                    : $"{path}: other link target";

            default:
                return null;
        }
    }

    private static string? CompareStatus(
        in Interop.Libc.StatxResult actual, in Interop.Libc.StatxResult expected, string path, bool isDirectory)
    {
        bool isDevice = (actual.Mode & Interop.Libc.S_IFMT) is Interop.Libc.S_IFCHR or Interop.Libc.S_IFBLK;
        return actual.Mode != expected.Mode ? $"{path}: mode {Octal(actual.Mode)} instead of {Octal(expected.Mode)}"
            : (actual.Uid, actual.Gid) != (expected.Uid, expected.Gid)
                ? $"{path}: owner {actual.Uid}:{actual.Gid} instead of {expected.Uid}:{expected.Gid}"
            : !isDirectory && actual.Size != expected.Size ? $"{path}: {actual.Size} bytes instead of {expected.Size}"
            // a whiteout has the time at which it was made
            : !IsWhiteout(actual)
                && (actual.Modified.Seconds, actual.Modified.Nanoseconds) != (expected.Modified.Seconds, expected.Modified.Nanoseconds)
                ? $"{path}: other time of modification"
            : isDevice && (actual.RdevMajor, actual.RdevMinor) != (expected.RdevMajor, expected.RdevMinor) ? $"{path}: another device"
            : null;
    }

    private static string Octal(ushort mode) => Convert.ToString(mode, 8);

    private static bool IsWhiteout(in Interop.Libc.StatxResult status) =>
        (status.Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFCHR && (status.RdevMajor, status.RdevMinor) == (0, 0);

    private static FileIdentity IdentityOf(in Interop.Libc.StatxResult status) =>
        new(status.DeviceMajor, status.DeviceMinor, status.Inode);

    private string? CompareXattrs(SafeFileHandle left, SafeFileHandle right, ReadOnlySpan<byte> name, string path)
    {
        byte[] leftPath = PathOf(left, name);
        byte[] rightPath = PathOf(right, name);
        List<byte[]> leftNames = XattrsOf(leftPath, path);
        List<byte[]> rightNames = XattrsOf(rightPath, path);
        if (leftNames.Count != rightNames.Count)
        {
            return $"{path}: {leftNames.Count} extended attributes instead of {rightNames.Count}";
        }

        for (int i = 0; i < leftNames.Count; i++)
        {
            nint length = Interop.Libc.LGetXattr(leftPath, leftNames[i], _left, _left.Length);
            nint other = Interop.Libc.LGetXattr(rightPath, rightNames[i], _right, _right.Length);
            if (!leftNames[i].AsSpan().SequenceEqual(rightNames[i]) || length < 0 || length != other
                || !_left.AsSpan(0, (int)length).SequenceEqual(_right.AsSpan(0, (int)other)))
            {
                return $"{path}: other extended attribute {Encoding.UTF8.GetString(leftNames[i].AsSpan()[..^1])}";
            }
        }

        return null;
    }

    private List<byte[]> XattrsOf(byte[] file, string path)
    {
        nint length = Interop.Libc.LListXattr(file, _left, _left.Length);
        if (length < 0)
        {
            ErrnoException failure = ErrnoException.FromLastError("llistxattr", path);
            return failure.Errno == Errno.EOPNOTSUPP ? [] : throw failure;
        }

        List<byte[]> names = [];
        for (ReadOnlySpan<byte> rest = _left.AsSpan(0, (int)length); !rest.IsEmpty;)
        {
            int end = rest.IndexOf((byte)0) + 1;
            if (!rest[..end].SequenceEqual("security.selinux\0"u8))
            {
                names.Add(rest[..end].ToArray());
            }

            rest = rest[end..];
        }

        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    private bool SameContent(SafeFileHandle left, SafeFileHandle right)
    {
        for (long offset = 0; ;)
        {
            int length = RandomAccess.Read(left, _left, offset);
            int other = 0;
            while (other < length)
            {
                int read = RandomAccess.Read(right, _right.AsSpan(other, length - other), offset + other);
                if (read == 0)
                {
                    return false;
                }

                other += read;
            }

            if (length == 0)
            {
                return RandomAccess.Read(right, _right, offset) == 0;
            }

            if (!_left.AsSpan(0, length).SequenceEqual(_right.AsSpan(0, length)))
            {
                return false;
            }

            offset += length;
        }
    }

    private List<byte[]> NamesOf(SafeFileHandle directory, string path)
    {
        List<byte[]> names = [];
        while (true)
        {
            nint count = Interop.Libc.GetDents64(directory, _left);
            if (count < 0)
            {
                throw ErrnoException.FromLastError("read directory", path);
            }

            if (count == 0)
            {
                names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
                return names;
            }

            for (int offset = 0; offset < count;)
            {
                ReadOnlySpan<byte> entry = _left.AsSpan(offset);
                offset += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[EntryNameOffset..];
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }
    }

    private static Interop.Libc.StatxResult StatusOf(SafeFileHandle directory, byte[] name, string path) =>
        Interop.Libc.Statx(directory, name, out Interop.Libc.StatxResult status) == 0
            ? status
            : throw ErrnoException.FromLastError("statx", path);

    private static SafeFileHandle Open(SafeFileHandle directory, byte[] name, string path, ulong flags)
    {
        using Interop.Libc.HeldHandle held = new(directory);
        int descriptor = Interop.Libc.OpenAt2(
            held.Descriptor, name, new(Interop.Libc.O_RDONLY | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC | flags, 0, 0));
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw ErrnoException.FromLastError("open", path);
    }

    private static SafeFileHandle OpenDirectory(string path) => RootDirectory.Open(
        Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);

    // a directory's descriptor and a name: as long as the name, however deep the directory is
    private static byte[] PathOf(SafeFileHandle directory, ReadOnlySpan<byte> name) =>
        [.. Encoding.ASCII.GetBytes($"{DetachedMount.PathOf(directory)}/"), .. name, 0];
}
