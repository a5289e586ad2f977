using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a path look-up does with symbolic links; those it follows cannot lead out of the directory.</summary>
public enum LinkRule
{
    /// <summary>Links are followed.</summary>
    Follow,

    /// <summary>A link anywhere in the path ends the look-up with <see cref="Errno.ELOOP"/>.</summary>
    Refuse,
}

/// <summary>What there is under a name.</summary>
/// <param name="Type">The bits of <c>S_IFMT</c>, for example 0x8000 for a regular file.</param>
/// <param name="Mode">Permission, set-id and sticky bits.</param>
/// <param name="Owner">The user id.</param>
/// <param name="Group">The group id.</param>
public readonly record struct FileStatus(uint Type, uint Mode, uint Owner, uint Group)
{
    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => Type == Interop.Libc.S_IFDIR;

    /// <summary>Whether it is a symbolic link.</summary>
    public bool IsSymbolicLink => Type == Interop.Libc.S_IFLNK;

    /// <summary>Whether it is a regular file.</summary>
    public bool IsRegularFile => Type == Interop.Libc.S_IFREG;

    /// <summary>The status of what a path of the host leads to.</summary>
    /// <returns>False when nothing is there.</returns>
    public static bool TryOf(string path, out FileStatus status)
    {
        bool found = Interop.Libc.TryStatx(path, out Interop.Libc.StatxResult result);
        status = Of(result);
        return found;
    }

    internal static FileStatus Of(in Interop.Libc.StatxResult result) =>
        new((uint)(result.Mode & Interop.Libc.S_IFMT), result.Mode & 0xfffu, result.Uid, result.Gid);
}

/// <summary>A directory that is held open, and what can be done to the names in it.</summary>
/// <remarks>
/// Names are bytes that end with NUL and are passed to the kernel as they are: an archive's names need not be UTF-8.
/// A name is one component and is never followed. Calls return the kernel's reason instead of throwing it, because the
/// caller knows which entry of which layer it was, and because "exists" and "absent" are ordinary answers.
/// </remarks>
public sealed partial class DirectoryDescriptor : IDisposable
{
    private const ulong InRoot = Interop.Libc.RESOLVE_IN_ROOT | Interop.Libc.RESOLVE_NO_MAGICLINKS
        | Interop.Libc.RESOLVE_NO_XDEV;

    private readonly SafeFileHandle _handle;

    private DirectoryDescriptor(SafeFileHandle handle) => _handle = handle;

    /// <summary>The directory that a root stands for; the root keeps owning it.</summary>
    /// <param name="root">A root, which must outlive the result.</param>
    public static DirectoryDescriptor Of(RootDirectory root) =>
        new(new SafeFileHandle(root.Handle.DangerousGetHandle(), ownsHandle: false));

    /// <summary>Opens a directory below this one, which the look-up treats as <c>/</c>.</summary>
    /// <param name="path">A path of any number of components, ending with NUL.</param>
    /// <param name="links">What to do with links on the way.</param>
    /// <param name="directory">The directory, or null when the result is an error.</param>
    public Errno Open(ReadOnlySpan<byte> path, LinkRule links, out DirectoryDescriptor? directory)
    {
        Errno errno = Open(path, links, Interop.Libc.O_PATH, out int descriptor);
        directory = errno == Errno.None ? new(new SafeFileHandle(descriptor, ownsHandle: true)) : null;
        return errno;
    }

    /// <summary>Opens a directory below this one to change what describes it.</summary>
    /// <inheritdoc cref="Open(ReadOnlySpan{byte}, LinkRule, out DirectoryDescriptor?)"/>
    public Errno OpenDirectoryFile(ReadOnlySpan<byte> path, LinkRule links, out OpenedFile directory)
    {
        Errno errno = Open(path, links, Interop.Libc.O_RDONLY, out int descriptor);
        directory = new(descriptor);
        return errno;
    }

    /// <summary>Opens a regular file to change what describes it; the caller has seen that it is one.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="file">The file, when the result is no error.</param>
    public Errno OpenRegularFile(ReadOnlySpan<byte> name, out OpenedFile file) =>
        Open(name, Interop.Libc.O_RDONLY | Interop.Libc.O_NONBLOCK | Interop.Libc.O_NOCTTY, out file);

    /// <summary>Creates a regular file of mode 0600; it must not exist.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="file">The file, open for writing, when the result is no error.</param>
    public Errno CreateFile(ReadOnlySpan<byte> name, out OpenedFile file) =>
        Open(name, Interop.Libc.O_WRONLY | Interop.Libc.O_CREAT | Interop.Libc.O_EXCL, out file);

    /// <summary>Creates a directory.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="mode">Permission bits, cut by the umask.</param>
    public Errno MakeDirectory(ReadOnlySpan<byte> name, uint mode) =>
        Result(Interop.Libc.MkdirAt(_handle, Terminated(name), mode));

    /// <summary>Creates a symbolic link.</summary>
    /// <param name="target">What the link says, ending with NUL.</param>
    /// <param name="name">A name in this directory.</param>
    public Errno MakeSymbolicLink(ReadOnlySpan<byte> target, ReadOnlySpan<byte> name) =>
        Result(Interop.Libc.SymlinkAt(Terminated(target), _handle, Terminated(name)));

    /// <summary>Creates a FIFO.</summary>
    /// <param name="name">A name in this directory.</param>
    public Errno MakeFifo(ReadOnlySpan<byte> name) =>
        Result(Interop.Libc.MknodAt(_handle, Terminated(name), Interop.Libc.S_IFIFO | 0x180u, device: 0));

    /// <summary>Creates a device of mode 0600.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="isBlock">True for a block device, false for a character device.</param>
    /// <param name="major">The device's major number, at most 4095.</param>
    /// <param name="minor">The device's minor number, at most 1048575.</param>
    public Errno MakeDevice(ReadOnlySpan<byte> name, bool isBlock, uint major, uint minor)
    {
        uint type = (uint)(isBlock ? Interop.Libc.S_IFBLK : Interop.Libc.S_IFCHR);
        ulong device = (minor & 0xff) | ((major & 0xffful) << 8) | ((minor & ~0xfful) << 12);
        return Result(Interop.Libc.MknodAt(_handle, Terminated(name), type | 0x180u, device));
    }

    /// <summary>Creates another name for a file, which is not followed when it is a symbolic link.</summary>
    /// <param name="targetDirectory">The directory of the file's present name.</param>
    /// <param name="target">The file's present name.</param>
    /// <param name="name">A name in this directory.</param>
    public Errno Link(DirectoryDescriptor targetDirectory, ReadOnlySpan<byte> target, ReadOnlySpan<byte> name) =>
        Result(Interop.Libc.LinkAt(targetDirectory._handle, Terminated(target), _handle, Terminated(name), flags: 0));

    /// <summary>Looks at what a name stands for.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="status">What is there, when the result is no error.</param>
    public Errno Look(ReadOnlySpan<byte> name, out FileStatus status)
    {
        int result = Interop.Libc.Statx(_handle, Terminated(name), out Interop.Libc.StatxResult found);
        status = new((uint)(found.Mode & Interop.Libc.S_IFMT), found.Mode & 0xfffu, found.Uid, found.Gid);
        return Result(result);
    }

    /// <summary>Reads what a symbolic link says.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="target">Filled from its start; what does not fit is cut.</param>
    /// <param name="length">How many bytes were filled; there is no NUL behind them.</param>
    public Errno ReadLink(ReadOnlySpan<byte> name, Span<byte> target, out int length)
    {
        length = (int)Interop.Libc.ReadLinkAt(_handle, Terminated(name), target, target.Length);
        return Result(Math.Min(length, 0));
    }

    /// <summary>Sets owner and group of what a name stands for.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="owner">A user id.</param>
    /// <param name="group">A group id.</param>
    public Errno SetOwner(ReadOnlySpan<byte> name, uint owner, uint group) =>
        Result(Interop.Libc.FChownAt(_handle, Terminated(name), owner, group, Interop.Libc.AT_SYMLINK_NOFOLLOW));

    /// <summary>Sets permission, set-id and sticky bits of what a name stands for; not of a symbolic link.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="mode">Twelve bits.</param>
    public Errno SetMode(ReadOnlySpan<byte> name, uint mode) =>
        Result(Interop.Libc.FChmodAt(_handle, Terminated(name), mode, Interop.Libc.AT_SYMLINK_NOFOLLOW));

    /// <summary>Sets the times of access and modification of what a name stands for.</summary>
    /// <param name="name">A name in this directory.</param>
    /// <param name="time">The time of both.</param>
    public Errno SetTimes(ReadOnlySpan<byte> name, FileTime time) => Result(Interop.Libc.UtimensAt(
        _handle, Terminated(name), [time.Specification, time.Specification], Interop.Libc.AT_SYMLINK_NOFOLLOW));

    /// <summary>How many bytes an unprivileged writer may still use of the file system of this directory.</summary>
    /// <exception cref="ErrnoException">The file system does not say.</exception>
    public long FreeBytes()
    {
        return Interop.Libc.FStatFs(_handle, out Interop.Libc.StatFsResult result) == 0
            ? (long)Math.Min(result.BlocksAvailable, (ulong)(long.MaxValue / result.BlockSize)) * result.BlockSize
            : throw ErrnoException.FromLastError("fstatfs");
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    internal static ReadOnlySpan<byte> Terminated(ReadOnlySpan<byte> name) =>
        name is [.., 0] ? name : throw new ArgumentException("a name must end with NUL", nameof(name));

    private static Errno Result(int result) =>
        result == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();

    private Errno Open(ReadOnlySpan<byte> path, LinkRule links, ulong flags, out int descriptor)
    {
        flags |= Interop.Libc.O_DIRECTORY | Interop.Libc.O_CLOEXEC
            | (links == LinkRule.Follow ? 0 : Interop.Libc.O_NOFOLLOW);
        ulong resolve = InRoot | (links == LinkRule.Refuse ? Interop.Libc.RESOLVE_NO_SYMLINKS : 0);
        using Interop.Libc.HeldHandle held = new(_handle);
        descriptor = Interop.Libc.OpenAt2(held.Descriptor, Terminated(path), new(flags, mode: 0, resolve));
        return Result(Math.Min(descriptor, 0));
    }

    private Errno Open(ReadOnlySpan<byte> name, ulong flags, out OpenedFile file)
    {
        int descriptor;
        do
        {
            descriptor = Interop.Libc.OpenAt(_handle, Terminated(name),
                (int)(flags | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC), mode: 0x180);
        }
        while (Interop.Libc.Interrupted(descriptor));
        file = new(descriptor);
        return Result(Math.Min(descriptor, 0));
    }
}
