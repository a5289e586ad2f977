using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Kinds of namespaces; the values are the kernel's <c>CLONE_NEW*</c>.</summary>
[Flags]
public enum NamespaceKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The clocks that count from the start of the machine; takes effect for children, and with execve.</summary>
    Time = 0x00000080,

    /// <summary>Mounts.</summary>
    Mount = 0x00020000,

    /// <summary>The view of the cgroup tree.</summary>
    Cgroup = 0x02000000,

    /// <summary>Host and domain name.</summary>
    Uts = 0x04000000,

    /// <summary>System V and POSIX message queues, semaphores, shared memory.</summary>
    Ipc = 0x08000000,

    /// <summary>Users, groups and capabilities; a process with threads can neither make nor join one.</summary>
    User = 0x10000000,

    /// <summary>Processes; takes effect for children.</summary>
    Pid = 0x20000000,

    /// <summary>The network.</summary>
    Network = 0x40000000,
}

/// <summary>What a process does with its namespaces and limits before it becomes a container's.</summary>
public static class Namespaces
{
    private const nint SIOCSIFFLAGS = 0x8914;
    private const nint CLONE_FS = 0x200;
    private const nint NS_GET_USERNS = 0xb701;

    /// <summary>Moves this thread into new namespaces.</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void Unshare(NamespaceKinds kinds) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_unshare, (nint)kinds), "unshare", $"{kinds}");

    /// <summary>Moves this thread into a namespace.</summary>
    /// <param name="file">An opened file of /proc/PID/ns, or one that such a file is bound to.</param>
    /// <param name="kind">The kind that it must be of; a mount namespace brings its root and a working directory along.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void Join(SafeFileHandle file, NamespaceKinds kind)
    {
        if (kind == NamespaceKinds.Mount)
        {
            // threads share their root and directory, and a thread that does cannot change its mount namespace
            Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_unshare, CLONE_FS), "unshare", "fs");
        }

        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_setns, Interop.Kernel.Descriptor(file), (nint)kind), "setns", $"{kind}");
    }

    /// <summary>Opens a namespace.</summary>
    /// <param name="path">A file of /proc/PID/ns, or one that such a file is bound to.</param>
    /// <exception cref="ErrnoException">It cannot be opened.</exception>
    public static SafeFileHandle Open(string path) =>
        RootDirectory.Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY, mode: 0, resolve: 0);

    /// <summary>Whether a namespace is that of this thread.</summary>
    /// <param name="path">A file of /proc/PID/ns.</param>
    /// <param name="name">The name of the kind there.</param>
    public static bool IsOwn(string path, string name) =>
        FileIdentity.TryOf(path, out FileIdentity theirs)
            && FileIdentity.TryOf($"/proc/thread-self/ns/{name}", out FileIdentity ours) && theirs == ours;

    /// <summary>Whether a process is in a namespace.</summary>
    /// <param name="process">The process ID.</param>
    /// <param name="file">The namespace.</param>
    /// <param name="kind">Its kind.</param>
    public static bool Has(int process, SafeFileHandle file, NamespaceKinds kind) =>
        FileIdentity.TryOf($"/proc/{process}/ns/{FileOf(kind)}", out FileIdentity found) && found == FileIdentity.Of(file);

    /// <summary>Whether a namespace belongs to a user namespace, so that the root of that one may join it.</summary>
    /// <param name="file">The namespace.</param>
    /// <param name="user">The user namespace.</param>
    /// <remarks>ioctl_ns(2), NS_GET_USERNS.</remarks>
    public static bool BelongsTo(SafeFileHandle file, SafeFileHandle user)
    {
        nint owner = Interop.Kernel.Call(Interop.Kernel.SYS_ioctl, Interop.Kernel.Descriptor(file), NS_GET_USERNS);
        using SafeFileHandle handle = new(owner, ownsHandle: true);
        return owner >= 0 && FileIdentity.Of(handle) == FileIdentity.Of(user);
    }

    /// <summary>The name of a kind in /proc/PID/ns.</summary>
    public static string FileOf(NamespaceKinds kind) => kind switch
    {
        NamespaceKinds.Time => "time",
        NamespaceKinds.Mount => "mnt",
        NamespaceKinds.Cgroup => "cgroup",
        NamespaceKinds.Uts => "uts",
        NamespaceKinds.Ipc => "ipc",
        NamespaceKinds.User => "user",
        NamespaceKinds.Pid => "pid",
        NamespaceKinds.Network => "net",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Names the host in this UTS namespace.</summary>
    /// <exception cref="ErrnoException">The name is too long, or the kernel refuses.</exception>
    public static void SetHostName(string name) => SetName(Interop.Kernel.SYS_sethostname, "sethostname", name);

    /// <summary>Names the NIS domain in this UTS namespace.</summary>
    /// <exception cref="ErrnoException">The name is too long, or the kernel refuses.</exception>
    public static void SetDomainName(string name) => SetName(Interop.Kernel.SYS_setdomainname, "setdomainname", name);

    /// <summary>Switches the loopback interface of this network namespace on.</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static unsafe void SwitchLoopbackOn()
    {
        const nint AF_INET = 2, SOCK_DGRAM_CLOEXEC = 0x80002;
        using SafeFileHandle socket = Interop.Kernel.Opened(
            Interop.Kernel.Call(Interop.Kernel.SYS_socket, AF_INET, SOCK_DGRAM_CLOEXEC), "socket");
        Span<byte> request = stackalloc byte[40]; // struct ifreq: a name of 16 bytes, then flags
        request.Clear();
        "lo"u8.CopyTo(request);
        request[16] = 0x41; // IFF_UP, IFF_RUNNING
        fixed (byte* pointer = request)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_ioctl, Interop.Kernel.Descriptor(socket), SIOCSIFFLAGS, (nint)pointer),
                "ioctl", "lo");
        }
    }

    private static unsafe void SetName(nint call, string callName, string name)
    {
        byte[] bytes = Interop.Kernel.Terminated(name);
        fixed (byte* pointer = bytes)
        {
            Interop.Kernel.Checked(Interop.Kernel.Call(call, (nint)pointer, bytes.Length - 1), callName, name);
        }
    }
}
