using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Visits a directory tree: the root, then all below it, a directory before its content, names in the order of their bytes.</summary>
/// <remarks>Nothing is followed. What a path names is opened through its directory's descriptor, so depth costs no path length.</remarks>
public sealed class TreeWalk
{
    private const int EntryNameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name
    private const int MaxDepth = 512; // each level holds a descriptor

    private readonly Action<TreeNode> _visit;

    private TreeWalk(Action<TreeNode> visit) => _visit = visit;

    /// <summary>Visits a tree.</summary>
    /// <param name="root">Its root.</param>
    /// <param name="visit">Gets each node; what it gets is good only until it returns.</param>
    /// <exception cref="ErrnoException">Something cannot be read. What is removed meanwhile is passed over.</exception>
    public static void Visit(RootDirectory root, Action<TreeNode> visit)
    {
        using SafeFileHandle top = Reopen(root.Handle);
        TreeWalk walk = new(visit);
        visit(new TreeNode(top, ".\0"u8.ToArray(), [], Interop.Libc.Statx(top, "")));
        walk.VisitContent(top, [], depth: 0);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "a using declaration inside a loop is not recognised")]
    private void VisitContent(SafeFileHandle directory, byte[] path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ErrnoException("open", Encoding.UTF8.GetString(path), Errno.ELOOP);
        }

        foreach (byte[] name in NamesOf(directory, Encoding.UTF8.GetString(path)))
        {
            if (Interop.Libc.Statx(directory, name, out Interop.Libc.StatxResult status) != 0)
            {
                ErrnoException failure = ErrnoException.FromLastError("statx", Encoding.UTF8.GetString(path));
                if (failure.Errno == Errno.ENOENT)
                {
                    continue;
                }

                throw failure;
            }

            byte[] full = path.Length == 0 ? name[..^1] : [.. path, (byte)'/', .. name.AsSpan()[..^1]];
            TreeNode node = new(directory, name, full, status);
            _visit(node);
            if (node.Status.IsDirectory && !node.IsPruned)
            {
                using SafeFileHandle child = node.Open(Interop.Libc.O_DIRECTORY);
                VisitContent(child, full, depth + 1);
            }
        }
    }

    /// <summary>The names in a directory, in the order of their bytes, each with a NUL behind it.</summary>
    /// <param name="directory">The directory, open to be read.</param>
    /// <param name="path">What errors call it.</param>
    internal static List<byte[]> NamesOf(SafeFileHandle directory, string path)
    {
        byte[] buffer = new byte[16 * 1024];
        List<byte[]> names = [];
        while (true)
        {
            nint count = Interop.Libc.GetDents64(directory, buffer);
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
                ReadOnlySpan<byte> entry = buffer.AsSpan(offset);
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

    // a root's descriptor may be one that only names the directory
    private static SafeFileHandle Reopen(SafeFileHandle root)
    {
        using Interop.Libc.HeldHandle held = new(root);
        int descriptor = Interop.Libc.OpenAt2(held.Descriptor, ".\0"u8, new(
            Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY | Interop.Libc.O_CLOEXEC, 0, 0));
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw ErrnoException.FromLastError("open");
    }
}

/// <summary>What a walk has come to.</summary>
public sealed class TreeNode
{
    private const int MaxXattrs = 64 * 1024;

    private readonly SafeFileHandle _directory;
    private readonly byte[] _name;
    private readonly Interop.Libc.StatxResult _status;

    internal TreeNode(SafeFileHandle directory, byte[] name, byte[] path, in Interop.Libc.StatxResult status)
    {
        _directory = directory;
        _name = name;
        _status = status;
        Path = path;
        Status = FileStatus.Of(status);
    }

    /// <summary>The path below the root, without a slash before it; empty for the root itself.</summary>
    public byte[] Path { get; }

    /// <summary>Kind, mode and owner.</summary>
    public FileStatus Status { get; }

    /// <summary>The size in bytes.</summary>
    public long Size => (long)_status.Size;

    /// <summary>When its content was changed last.</summary>
    public FileTime Modified => new(_status.Modified.Seconds, _status.Modified.Nanoseconds);

    /// <summary>The device that it stands for, where it is one.</summary>
    public (uint Major, uint Minor) Device => (_status.RdevMajor, _status.RdevMinor);

    /// <summary>Whether it is a character device.</summary>
    public bool IsCharacterDevice => Status.Type == Interop.Libc.S_IFCHR;

    /// <summary>Whether it is a block device.</summary>
    public bool IsBlockDevice => Status.Type == Interop.Libc.S_IFBLK;

    /// <summary>Whether it is a named pipe.</summary>
    public bool IsFifo => Status.Type == Interop.Libc.S_IFIFO;

    /// <summary>Whether it is what overlayfs hides a name of lower layers with.</summary>
    public bool IsWhiteout => IsCharacterDevice && Device == (0, 0);

    /// <summary>How many names it has.</summary>
    public uint Links => _status.Links;

    /// <summary>Which file it is, whatever its name.</summary>
    public FileIdentity Identity => new(_status.DeviceMajor, _status.DeviceMinor, _status.Inode);

    /// <summary>Set by a visitor that does not want what is below.</summary>
    public bool IsPruned { get; set; }

    /// <summary>Opens a regular file.</summary>
    /// <remarks>
    /// Whoever owns the tree may put a FIFO or a device there meanwhile, which must not even be opened: so the name is opened
    /// without effect, looked at, and only then opened to be read.
    /// </remarks>
    /// <exception cref="ErrnoException">It cannot be opened, or is no regular file any more.</exception>
    public SafeFileHandle OpenFile()
    {
        using SafeFileHandle found = Open(Interop.Libc.O_PATH);
        return (Interop.Libc.Statx(found, "").Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFREG
            ? RootDirectory.Open(Interop.Libc.AT_FDCWD, DetachedMount.PathOf(found), Interop.Libc.O_RDONLY, mode: 0, resolve: 0)
            : throw new ErrnoException("open", Text, Errno.EINVAL);
    }

    /// <summary>What a symbolic link says.</summary>
    /// <exception cref="ErrnoException">It cannot be read.</exception>
    public byte[] ReadLink()
    {
        byte[] target = new byte[4096];
        nint length = Interop.Libc.ReadLinkAt(_directory, _name, target, target.Length);
        return length >= 0 ? target[..(int)length] : throw ErrnoException.FromLastError("readlink", Text);
    }

    /// <summary>The extended attributes, ordered by name.</summary>
    /// <returns>Names without NUL, and values.</returns>
    /// <exception cref="ErrnoException">They cannot be read.</exception>
    public IReadOnlyList<(byte[] Name, byte[] Value)> ReadXattrs()
    {
        byte[] path = [.. Encoding.ASCII.GetBytes($"{DetachedMount.PathOf(_directory)}/"), .. _name];
        byte[] names = new byte[MaxXattrs];
        nint length = Interop.Libc.LListXattr(path, names, names.Length);
        if (length < 0)
        {
            ErrnoException failure = ErrnoException.FromLastError("llistxattr", Text);
            return failure.Errno == Errno.EOPNOTSUPP ? [] : throw failure;
        }

        List<(byte[], byte[])> found = [];
        byte[] value = length == 0 ? [] : new byte[MaxXattrs];
        for (ReadOnlySpan<byte> rest = names.AsSpan(0, (int)length); !rest.IsEmpty;)
        {
            int end = rest.IndexOf((byte)0) + 1;
            nint size = Interop.Libc.LGetXattr(path, rest[..end], value, value.Length);
            if (size >= 0) // else it was taken away meanwhile, or is not for us to read
            {
                found.Add((rest[..(end - 1)].ToArray(), value[..(int)size]));
            }

            rest = rest[end..];
        }

        found.Sort(static (a, b) => a.Item1.AsSpan().SequenceCompareTo(b.Item1));
        return found;
    }

    /// <summary>Whether executing it gives capabilities.</summary>
    public bool HasCapabilities =>
        Interop.Libc.LGetXattr([.. Encoding.ASCII.GetBytes($"{DetachedMount.PathOf(_directory)}/"), .. _name], "security.capability\0"u8, [], 0) > 0;

    /// <summary>The path as text, for messages; the caller escapes it.</summary>
    public string Text => $"/{Encoding.UTF8.GetString(Path)}";

    internal SafeFileHandle Open(ulong flags)
    {
        using Interop.Libc.HeldHandle held = new(_directory);
        int descriptor = Interop.Libc.OpenAt2(held.Descriptor, _name, new(
            Interop.Libc.O_RDONLY | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC | flags, 0, 0));
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw ErrnoException.FromLastError("open", Text);
    }
}
