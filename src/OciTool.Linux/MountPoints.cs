using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Finds, and where needed makes, the places inside a root that something is mounted on.</summary>
/// <remarks>
/// Every look-up is one openat2(2) below the root's descriptor; what is missing is made by name in an open parent
/// directory, and a dangling link is followed inside the root. Nothing outside can be reached.
/// </remarks>
public static class MountPoints
{
    private const int MostLinks = 40; // the kernel's own limit

    /// <summary>Opens a place.</summary>
    /// <param name="root">Where <c>/</c> is.</param>
    /// <param name="path">The place; links are resolved inside the root.</param>
    /// <returns>An <c>O_PATH</c> descriptor, or null where nothing is there.</returns>
    /// <exception cref="ErrnoException">The place cannot be looked up, for another reason than that nothing is there.</exception>
    public static SafeFileHandle? TryOpen(RootDirectory root, string path)
    {
        try
        {
            return Open(root.Handle, path, 0);
        }
        catch (ErrnoException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return null;
        }
    }

    /// <summary>Opens a place, and makes it where nothing is there.</summary>
    /// <param name="root">Where <c>/</c> is.</param>
    /// <param name="path">The place; links are resolved inside the root.</param>
    /// <param name="directory">Whether a directory is made, or an empty file.</param>
    /// <returns>An <c>O_PATH</c> descriptor.</returns>
    /// <exception cref="ErrnoException">The place cannot be looked up or made.</exception>
    public static SafeFileHandle OpenOrCreate(RootDirectory root, string path, bool directory) =>
        OpenOrCreate(root, path, directory, MostLinks);

    /// <summary>Opens a directory whose last component must not be a link.</summary>
    /// <exception cref="ErrnoException">It is a link or no directory (ENOTDIR, ELOOP), or it is not there.</exception>
    public static SafeFileHandle OpenOrdinaryDirectory(RootDirectory root, string path)
    {
        MakeDirectory(root.Handle, path.Trim('/'), 0x1ed); // 0755; where it exists already, that is well
        return Open(root.Handle, path, Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW);
    }

    /// <summary>Makes a device node.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="name">Its name.</param>
    /// <param name="type"><c>c</c>, <c>u</c>, <c>b</c> or <c>p</c>.</param>
    /// <param name="permissions">Its permission bits.</param>
    /// <param name="major">The major number.</param>
    /// <param name="minor">The minor number.</param>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    public static Errno MakeNode(
        SafeFileHandle directory, string name, char type, uint permissions, uint major, uint minor)
    {
        int kind = type switch
        {
            'b' => Interop.Libc.S_IFBLK,
            'p' => Interop.Libc.S_IFIFO,
            _ => Interop.Libc.S_IFCHR,
        };
        uint device = (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12); // how the kernel packs them
        return Error(Interop.Kernel.CallAt(
            Interop.Kernel.SYS_mknodat, directory, name, (nint)((uint)kind | permissions), (nint)device));
    }

    /// <summary>Makes an empty file.</summary>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    public static Errno MakeFile(SafeFileHandle directory, string name) =>
        Error(Interop.Kernel.CallAt(Interop.Kernel.SYS_mknodat, directory, name, Interop.Libc.S_IFREG | 0x1a4)); // 0644

    /// <summary>Makes a directory.</summary>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    public static Errno MakeDirectory(SafeFileHandle directory, string name, uint permissions) =>
        Error(Interop.Kernel.CallAt(Interop.Kernel.SYS_mkdirat, directory, name, (nint)permissions));

    /// <summary>Makes a directory of the host.</summary>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    public static Errno MakeDirectory(string path, uint permissions) =>
        Error(Interop.Kernel.CallAt(Interop.Kernel.SYS_mkdirat, null, path, (nint)permissions));

    /// <summary>Makes a symbolic link.</summary>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    public static unsafe Errno MakeLink(SafeFileHandle directory, string name, string target)
    {
        fixed (byte* targetBytes = Interop.Kernel.Terminated(target), nameBytes = Interop.Kernel.Terminated(name))
        {
            return Error(Interop.Kernel.Call(
                Interop.Kernel.SYS_symlinkat, (nint)targetBytes, Interop.Kernel.Descriptor(directory), (nint)nameBytes));
        }
    }

    /// <summary>Gives a name in a directory another owner; no link is followed.</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void ChangeOwner(SafeFileHandle directory, string name, uint user, uint group) =>
        Interop.Kernel.Checked(
            Interop.Kernel.CallAt(
                Interop.Kernel.SYS_fchownat, directory, name, (nint)user, (nint)group, Interop.Libc.AT_SYMLINK_NOFOLLOW),
            "chown", name);

    /// <summary>Opens a name in a directory that we made ourselves; no link is followed.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The name.</param>
    /// <param name="write">Whether to open for reading and writing, or only to refer to it.</param>
    /// <exception cref="ErrnoException">It cannot be opened.</exception>
    public static SafeFileHandle OpenOwn(SafeFileHandle directory, string name, bool write) => RootDirectory.Open(
        (int)Interop.Kernel.Descriptor(directory),
        name,
        Interop.Libc.O_NOFOLLOW | (write ? Interop.Libc.O_RDWR | Interop.Libc.O_NOCTTY : Interop.Libc.O_PATH),
        mode: 0,
        Interop.Libc.RESOLVE_BENEATH | Interop.Libc.RESOLVE_NO_SYMLINKS);

    /// <summary>Whether a descriptor stands for something in a procfs.</summary>
    public static bool IsProcess(SafeFileHandle file) => TypeOf(file) == 0x9fa0; // PROC_SUPER_MAGIC

    /// <summary>Whether a descriptor stands for something in a devpts.</summary>
    public static bool IsTerminals(SafeFileHandle file) => TypeOf(file) == 0x1cd1; // DEVPTS_SUPER_MAGIC

    /// <summary>Whether a path of the host is the root of a cgroup v2 hierarchy.</summary>
    /// <exception cref="ErrnoException">The path cannot be looked at.</exception>
    public static bool IsCgroup2(string path)
    {
        using SafeFileHandle file = RootDirectory.Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_PATH, mode: 0, resolve: 0);
        return TypeOf(file) == 0x63677270; // CGROUP2_SUPER_MAGIC
    }

    private static unsafe long TypeOf(SafeFileHandle file)
    {
        long* status = stackalloc long[32]; // struct statfs, 120 bytes; its first field is the type
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_fstatfs, Interop.Kernel.Descriptor(file), (nint)status), "fstatfs");
        return status[0];
    }

    private static SafeFileHandle OpenOrCreate(RootDirectory root, string path, bool directory, int links)
    {
        try
        {
            return Open(root.Handle, path, 0);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT && links > 0)
        {
            string trimmed = path.TrimEnd('/');
            int slash = trimmed.LastIndexOf('/');
            string parentPath = slash <= 0 ? "/" : trimmed[..slash];
            string name = trimmed[(slash + 1)..];
            using SafeFileHandle parent = OpenOrCreate(root, parentPath, directory: true, links - 1);
            Errno made = directory ? MakeDirectory(parent, name, 0x1ed) : MakeFile(parent, name);
            return made switch
            {
                Errno.None => Open(parent, name, Interop.Libc.O_NOFOLLOW),
                Errno.EEXIST => OpenOrCreate(root, Join(parentPath, ReadLink(parent, name)), directory, links - 1),
                _ => throw new ErrnoException(directory ? "mkdir" : "create", path, made),
            };
        }
    }

    private static string Join(string parent, string link) =>
        link.StartsWith('/') ? link : $"{parent.TrimEnd('/')}/{link}";

    private static unsafe string ReadLink(SafeFileHandle directory, string name)
    {
        Span<byte> buffer = stackalloc byte[4096];
        fixed (byte* pointer = buffer)
        {
            nint length = Interop.Kernel.Checked(
                Interop.Kernel.CallAt(Interop.Kernel.SYS_readlinkat, directory, name, (nint)pointer, buffer.Length),
                "readlink", name);
            return Encoding.UTF8.GetString(buffer[..(int)length]);
        }
    }

    private static SafeFileHandle Open(SafeFileHandle root, string path, ulong flags) => RootDirectory.Open(
        (int)Interop.Kernel.Descriptor(root),
        path.Length == 0 ? "." : path,
        Interop.Libc.O_PATH | flags,
        mode: 0,
        Interop.Libc.RESOLVE_IN_ROOT | Interop.Libc.RESOLVE_NO_MAGICLINKS);

    private static Errno Error(nint result) => result >= 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
}
