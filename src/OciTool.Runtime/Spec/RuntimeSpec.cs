
namespace OciTool.Runtime.Spec;

/// <summary>A container's <c>config.json</c>.</summary>
/// <param name="OciVersion">The version of the runtime-spec that the document follows.</param>
/// <remarks>OCI runtime-spec v1.2, config.md and config-linux.md; the names below are its own.</remarks>
public sealed record RuntimeSpec(string OciVersion)
{
    /// <summary>The version that we write.</summary>
    public const string Version = "1.2.0";

    /// <summary>The process to start.</summary>
    public ProcessSpec? Process { get; init; }

    /// <summary>The root file system.</summary>
    public RootSpec? Root { get; init; }

    /// <summary>The host name in the container's UTS namespace.</summary>
    public string? Hostname { get; init; }

    /// <summary>The NIS domain name in the container's UTS namespace.</summary>
    public string? Domainname { get; init; }

    /// <summary>Mounts beyond the root, in the order in which they are made.</summary>
    public IReadOnlyList<MountSpec>? Mounts { get; init; }

    /// <summary>Arbitrary metadata.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>What only Linux has.</summary>
    public LinuxSpec? Linux { get; init; }
}

/// <summary>The container's process.</summary>
/// <param name="Cwd">The working directory; absolute.</param>
/// <param name="User">Whom it runs as.</param>
public sealed record ProcessSpec(string Cwd, UserSpec User)
{
    /// <summary>Whether it gets a terminal.</summary>
    public bool? Terminal { get; init; }

    /// <summary>The terminal's size, in characters.</summary>
    public ConsoleSize? ConsoleSize { get; init; }

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>The environment, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The five capability sets, by names such as <c>CAP_CHOWN</c>.</summary>
    public CapabilitiesSpec? Capabilities { get; init; }

    /// <summary>Resource limits.</summary>
    public IReadOnlyList<RlimitSpec>? Rlimits { get; init; }

    /// <summary>Whether execve may no longer grant privileges.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <summary>Adjusts what the kernel kills first when memory runs out.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>The AppArmor profile.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>The SELinux label.</summary>
    public string? SelinuxLabel { get; init; }
}

/// <summary>A terminal's size, in characters.</summary>
public sealed record ConsoleSize(uint Height, uint Width);

/// <summary>Whom a process runs as.</summary>
/// <param name="Uid">The user ID inside the container.</param>
/// <param name="Gid">The group ID inside the container.</param>
public sealed record UserSpec(uint Uid, uint Gid)
{
    /// <summary>The file mode creation mask.</summary>
    public uint? Umask { get; init; }

    /// <summary>Additional groups.</summary>
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
}

/// <summary>The capability sets of a process.</summary>
public sealed record CapabilitiesSpec
{
    /// <summary>The most that it may ever have.</summary>
    public IReadOnlyList<string>? Bounding { get; init; }

    /// <summary>What it has.</summary>
    public IReadOnlyList<string>? Effective { get; init; }

    /// <summary>What files may pass on.</summary>
    public IReadOnlyList<string>? Inheritable { get; init; }

    /// <summary>What it may make effective.</summary>
    public IReadOnlyList<string>? Permitted { get; init; }

    /// <summary>What survives execve of an ordinary file.</summary>
    public IReadOnlyList<string>? Ambient { get; init; }
}

/// <summary>A resource limit.</summary>
/// <param name="Type">For example <c>RLIMIT_NOFILE</c>.</param>
/// <param name="Soft">The limit in force.</param>
/// <param name="Hard">The ceiling of the soft limit.</param>
public sealed record RlimitSpec(string Type, ulong Soft, ulong Hard);

/// <summary>The root file system.</summary>
/// <param name="Path">Absolute, or relative to the bundle.</param>
public sealed record RootSpec(string Path)
{
    /// <summary>Whether it is mounted read-only.</summary>
    public bool? Readonly { get; init; }
}

/// <summary>A mount.</summary>
/// <param name="Destination">Where, inside the container; absolute.</param>
public sealed record MountSpec(string Destination)
{
    /// <summary>The file system's type, or <c>bind</c>.</summary>
    public string? Type { get; init; }

    /// <summary>What is mounted; for a bind mount relative to the bundle.</summary>
    public string? Source { get; init; }

    /// <summary>Options as in fstab(5).</summary>
    public IReadOnlyList<string>? Options { get; init; }
}

/// <summary>What only Linux has.</summary>
public sealed record LinuxSpec
{
    /// <summary>The namespaces that the container gets or joins.</summary>
    public IReadOnlyList<NamespaceSpec>? Namespaces { get; init; }

    /// <summary>Device nodes in /dev beyond the default ones.</summary>
    public IReadOnlyList<DeviceSpec>? Devices { get; init; }

    /// <summary>Where its cgroup is.</summary>
    public string? CgroupsPath { get; init; }

    /// <summary>Its limits.</summary>
    public ResourcesSpec? Resources { get; init; }

    /// <summary>Kernel parameters.</summary>
    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    /// <summary>Its system call filter.</summary>
    public SeccompSpec? Seccomp { get; init; }

    /// <summary>How mounts under the root propagate: <c>private</c>, <c>rprivate</c>, <c>slave</c>, …</summary>
    public string? RootfsPropagation { get; init; }

    /// <summary>Paths that are hidden.</summary>
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    /// <summary>Paths that are read-only.</summary>
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    /// <summary>The SELinux context of mounts.</summary>
    public string? MountLabel { get; init; }
}

/// <summary>A namespace.</summary>
/// <param name="Type"><c>pid</c>, <c>network</c>, <c>mount</c>, <c>ipc</c>, <c>uts</c>, <c>user</c>, <c>cgroup</c> or <c>time</c>.</param>
public sealed record NamespaceSpec(string Type)
{
    /// <summary>A namespace file to join; a new one is made where there is none.</summary>
    public string? Path { get; init; }
}

/// <summary>A device node.</summary>
/// <param name="Path">Where, inside the container.</param>
/// <param name="Type"><c>c</c>, <c>b</c>, <c>u</c> or <c>p</c>.</param>
public sealed record DeviceSpec(string Path, string Type)
{
    /// <summary>The major number.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number.</summary>
    public long? Minor { get; init; }

    /// <summary>The permission bits.</summary>
    public uint? FileMode { get; init; }

    /// <summary>The owner inside the container.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group inside the container.</summary>
    public uint? Gid { get; init; }
}

/// <summary>Limits, as far as <c>oci run</c> sets them.</summary>
public sealed record ResourcesSpec
{
    /// <summary>The device rules, in order.</summary>
    public IReadOnlyList<DeviceRule>? Devices { get; init; }

    /// <summary>The limit on processes.</summary>
    public PidsResource? Pids { get; init; }
}

/// <summary>Allows or denies the use of devices.</summary>
/// <param name="Allow">Whether it allows.</param>
public sealed record DeviceRule(bool Allow)
{
    /// <summary><c>a</c>, <c>c</c> or <c>b</c>; all where absent.</summary>
    public string? Type { get; init; }

    /// <summary>The major number; all where absent.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number; all where absent.</summary>
    public long? Minor { get; init; }

    /// <summary>Letters of <c>rwm</c>.</summary>
    public string? Access { get; init; }
}

/// <summary>The limit on processes.</summary>
/// <param name="Limit">The most processes and threads.</param>
public sealed record PidsResource(long Limit);

/// <summary>A system call filter.</summary>
/// <param name="DefaultAction">What happens to calls that no rule names.</param>
public sealed record SeccompSpec(string DefaultAction)
{
    /// <summary>The errno of the default action, where that is <c>SCMP_ACT_ERRNO</c>.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>The architectures whose calls are filtered, for example <c>SCMP_ARCH_X86_64</c>.</summary>
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>Flags for seccomp(2).</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>The rules.</summary>
    public IReadOnlyList<SyscallRule>? Syscalls { get; init; }
}

/// <summary>A rule of a system call filter.</summary>
/// <param name="Names">The calls.</param>
/// <param name="Action">What happens to them.</param>
public sealed record SyscallRule(IReadOnlyList<string> Names, string Action)
{
    /// <summary>The errno, where the action is <c>SCMP_ACT_ERRNO</c>.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>Conditions on arguments, all of which must hold.</summary>
    public IReadOnlyList<SyscallArgument>? Args { get; init; }
}

/// <summary>A condition on an argument of a system call.</summary>
/// <param name="Index">The argument, from 0.</param>
/// <param name="Value">The value to compare with, or the mask.</param>
/// <param name="Op">For example <c>SCMP_CMP_EQ</c>.</param>
public sealed record SyscallArgument(uint Index, ulong Value, string Op)
{
    /// <summary>The value to compare with behind a mask.</summary>
    public ulong? ValueTwo { get; init; }
}
