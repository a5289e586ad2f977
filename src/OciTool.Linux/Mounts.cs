using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>The mount calls that work on descriptors: a mount is made first, and then put where it belongs.</summary>
/// <remarks>
/// Linux 5.12 and newer. A mount that is attached nowhere goes away with its last descriptor, and attaching it to a
/// descriptor resolves no path, so nobody can swap a link in between.
/// </remarks>
public static class Mounts
{
    private const nint FSCONFIG_SET_FLAG = 0;
    private const nint FSCONFIG_SET_STRING = 1;
    private const nint FSCONFIG_CMD_CREATE = 6;
    private const nint FSOPEN_CLOEXEC = 1;
    private const nint FSMOUNT_CLOEXEC = 1;
    private const nint OPEN_TREE_CLONE = 1;
    private const nint OPEN_TREE_CLOEXEC = 0x80000;
    private const nint AT_RECURSIVE = 0x8000;
    private const nint MOVE_MOUNT_F_EMPTY_PATH = 0x4;
    private const nint MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    private const nint MNT_DETACH = 2;

    /// <summary>Makes a new file system, mounted nowhere.</summary>
    /// <param name="type">For example <c>tmpfs</c>.</param>
    /// <param name="source">A word for /proc/mounts.</param>
    /// <param name="options">Options of the file system: <c>key=value</c>, or <c>key</c>.</param>
    /// <param name="attributes">Properties of the mount.</param>
    /// <returns>The mount's root.</returns>
    /// <exception cref="ErrnoException">The kernel refuses; its own reason is part of the message where it gives one.</exception>
    public static SafeFileHandle Create(
        string type, string source, IReadOnlyList<string> options, MountAttributes attributes)
    {
        using SafeFileHandle context = Open(type);
        Configure(context, "source", source, type);
        for (int i = 0; i < options.Count; i++)
        {
            string option = options[i];
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            Configure(context, equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..], type);
        }

        return Create(context, type, attributes);
    }

    /// <summary>Copies a mount, with what is mounted below it or without, to one that is mounted nowhere.</summary>
    /// <param name="path">A path of the host that the caller trusts; links are followed.</param>
    /// <param name="recursive">Whether what is mounted below is copied too.</param>
    /// <exception cref="ErrnoException">There is nothing, or it cannot be copied.</exception>
    public static SafeFileHandle Clone(string path, bool recursive) => Interop.Kernel.Opened(
        Interop.Kernel.CallAt(Interop.Kernel.SYS_open_tree, null, path,
            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0)),
        "open_tree", path);

    /// <summary>Copies what a descriptor stands for to a mount that is mounted nowhere.</summary>
    /// <param name="file">A file or directory on a mount of this mount namespace.</param>
    /// <param name="recursive">Whether what is mounted below is copied too.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="ErrnoException">It cannot be copied.</exception>
    public static SafeFileHandle Clone(SafeFileHandle file, bool recursive, string name) => Interop.Kernel.Opened(
        Interop.Kernel.CallAt(Interop.Kernel.SYS_open_tree, file, "",
            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | Interop.Libc.AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)),
        "open_tree", name);

    /// <summary>Changes the properties of a mount.</summary>
    /// <param name="mount">The root of the mount.</param>
    /// <param name="set">What to switch on.</param>
    /// <param name="clear">What to switch off first.</param>
    /// <param name="recursive">Whether the mounts below change too.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void SetAttributes(SafeFileHandle mount, MountAttributes set, MountAttributes clear, bool recursive) =>
        SetAttributes(mount, "", Interop.Libc.AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), new(set, clear, MountPropagation.Unchanged));

    /// <summary>Shows the owners of a mount's files as others: an ID-mapped mount (Linux 5.12).</summary>
    /// <param name="mount">The root of a mount that is attached nowhere.</param>
    /// <param name="userNamespace">The user namespace whose mapping is used.</param>
    /// <param name="recursive">Whether the mounts below change too.</param>
    /// <exception cref="ErrnoException">The file system does not support it, or the kernel refuses.</exception>
    public static void MapOwners(SafeFileHandle mount, SafeFileHandle userNamespace, bool recursive) =>
        SetAttributes(mount, "", Interop.Libc.AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), new(userNamespace));

    /// <summary>Changes how mounts propagate, at a mount and all below it.</summary>
    /// <param name="mount">The root of the mount; null for <c>/</c> of this process.</param>
    /// <param name="propagation">How they shall propagate.</param>
    /// <param name="recursive">Whether the mounts below change too.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void SetPropagation(SafeFileHandle? mount, MountPropagation propagation, bool recursive = true) =>
        SetAttributes(
            mount,
            mount is null ? "/" : "",
            (mount is null ? 0 : Interop.Libc.AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0),
            new(MountAttributes.None, MountAttributes.None, propagation));

    /// <summary>Attaches a mount that is mounted nowhere to an open file or directory.</summary>
    /// <param name="mount">The root of the mount.</param>
    /// <param name="target">Where; null for <c>/</c> of this process, for which look-ups keep seeing what is beneath.</param>
    /// <param name="name">What to call the place in messages.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static unsafe void Attach(SafeFileHandle mount, SafeFileHandle? target, string name)
    {
        fixed (byte* empty = "\0"u8, root = "/\0"u8)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(
                    Interop.Kernel.SYS_move_mount,
                    Interop.Kernel.Descriptor(mount),
                    (nint)empty,
                    Interop.Kernel.Descriptor(target),
                    (nint)(target is null ? root : empty),
                    MOVE_MOUNT_F_EMPTY_PATH | (target is null ? 0 : MOVE_MOUNT_T_EMPTY_PATH)),
                "mount",
                name);
        }
    }

    /// <summary>Makes a mount of this mount namespace the root, and lets go of the old one.</summary>
    /// <param name="root">The root of an attached mount.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    /// <param name="isShared">Whether mounts of the old one are shared with others, who must not lose them.</param>
    /// <remarks>pivot_root(2), section "pivot_root(&quot;.&quot;, &quot;.&quot;)": no directory is needed for the old root.</remarks>
    public static unsafe void PivotRoot(SafeFileHandle root, bool isShared)
    {
        fixed (byte* here = ".\0"u8, top = "/\0"u8)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_fchdir, Interop.Kernel.Descriptor(root)), "fchdir", "rootfs");
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_pivot_root, (nint)here, (nint)here), "pivot_root", "rootfs");
            if (isShared)
            {
                SetAttributes(null, ".", AT_RECURSIVE, new(MountAttributes.None, MountAttributes.None, MountPropagation.Slave));
            }

            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_umount2, (nint)here, MNT_DETACH), "umount2", "the host's root");
            Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_chdir, (nint)top), "chdir", "/");
        }
    }

    /// <summary>Takes the topmost mount at a place away.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <param name="lazily">Whether it goes when its last user does; else a mount that is used is refused with EBUSY.</param>
    /// <exception cref="ErrnoException">Nothing is mounted there, or it is used.</exception>
    public static unsafe void Detach(string path, bool lazily)
    {
        fixed (byte* place = Interop.Kernel.Terminated(path))
        {
            Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_umount2, (nint)place, lazily ? MNT_DETACH : 0), "umount", path);
        }
    }

    internal static SafeFileHandle Open(string type)
    {
        unsafe
        {
            fixed (byte* name = Interop.Kernel.Terminated(type))
            {
                return Interop.Kernel.Opened(
                    Interop.Kernel.Call(Interop.Kernel.SYS_fsopen, (nint)name, FSOPEN_CLOEXEC), "fsopen", type);
            }
        }
    }

    internal static unsafe bool TryConfigure(SafeFileHandle context, string key, string? value)
    {
        fixed (byte* keyBytes = Interop.Kernel.Terminated(key), valueBytes = value is null ? null : Interop.Kernel.Terminated(value))
        {
            return Interop.Kernel.Call(
                Interop.Kernel.SYS_fsconfig,
                Interop.Kernel.Descriptor(context),
                value is null ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                (nint)keyBytes,
                (nint)valueBytes) == 0;
        }
    }

    internal static void Configure(SafeFileHandle context, string key, string? value, string type)
    {
        if (!TryConfigure(context, key, value))
        {
            throw Refused(context, "fsconfig", value is null ? $"{type} {key}" : $"{type} {key}={value}");
        }
    }

    internal static SafeFileHandle Create(SafeFileHandle context, string type, MountAttributes attributes)
    {
        nint descriptor = Interop.Kernel.Descriptor(context);
        if (Interop.Kernel.Call(Interop.Kernel.SYS_fsconfig, descriptor, FSCONFIG_CMD_CREATE) != 0)
        {
            throw Refused(context, "fsconfig", type);
        }

        return Interop.Kernel.Opened(
            Interop.Kernel.Call(Interop.Kernel.SYS_fsmount, descriptor, FSMOUNT_CLOEXEC, (nint)attributes),
            "fsmount", type);
    }

    private static ErrnoException Refused(SafeFileHandle context, string call, string operand)
    {
        ErrnoException failure = ErrnoException.FromLastError(call, operand);
        Span<byte> reason = stackalloc byte[512]; // the context's descriptor reads like a log: "e overlay: …"
        int length = Descriptors.TryRead(context, reason);
        return length > 2
            ? new ErrnoException(call, $"{operand} ({System.Text.Encoding.UTF8.GetString(reason[2..length]).TrimEnd()})", failure.Errno)
            : failure;
    }

    private static unsafe void SetAttributes(SafeFileHandle? mount, string path, nint flags, in Attributes attributes)
    {
        fixed (Attributes* pointer = &attributes)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.CallAt(
                    Interop.Kernel.SYS_mount_setattr, mount, path, flags, (nint)pointer, sizeof(Attributes)),
                "mount_setattr");
        }
    }

    /// <summary>struct mount_attr, 32 bytes.</summary>
    internal readonly struct Attributes
    {
        private const ulong MOUNT_ATTR_IDMAP = 0x100000;

        internal readonly ulong Set;
        internal readonly ulong Clear;
        internal readonly ulong Propagation;
        internal readonly ulong UserNamespace;

        internal Attributes(MountAttributes set, MountAttributes clear, MountPropagation propagation) =>
            (Set, Clear, Propagation) = ((ulong)set, (ulong)clear, (ulong)propagation);

        internal Attributes(SafeFileHandle userNamespace) =>
            (Set, UserNamespace) = (MOUNT_ATTR_IDMAP, (ulong)userNamespace.DangerousGetHandle());
    }
}
