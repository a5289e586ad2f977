namespace OciTool.Runtime.Spec;

/// <summary>What only Linux has.</summary>
public sealed record LinuxSpec
{
    /// <summary>The namespaces that the container gets or joins.</summary>
    public IReadOnlyList<NamespaceSpec>? Namespaces { get; init; }

    /// <summary>The user IDs of a new user namespace.</summary>
    public IReadOnlyList<IdMappingSpec>? UidMappings { get; init; }

    /// <summary>The group IDs of a new user namespace.</summary>
    public IReadOnlyList<IdMappingSpec>? GidMappings { get; init; }

    /// <summary>How much the clocks of a new time namespace are ahead: <c>monotonic</c> and <c>boottime</c>.</summary>
    public IReadOnlyDictionary<string, TimeOffsetSpec>? TimeOffsets { get; init; }

    /// <summary>How it is executed: personality(2).</summary>
    public PersonalitySpec? Personality { get; init; }

    /// <summary>Intel's resource director; not supported.</summary>
    public IntelRdtSpec? IntelRdt { get; init; }

    /// <summary>Interfaces of the host to move into the container; not supported.</summary>
    public IReadOnlyDictionary<string, NetDeviceSpec>? NetDevices { get; init; }

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

/// <summary>A class of Intel's resource director.</summary>
public sealed record IntelRdtSpec
{
    /// <summary>Its name.</summary>
    public string? ClosID { get; init; }
}

/// <summary>An interface of the host that is moved into the container.</summary>
public sealed record NetDeviceSpec
{
    /// <summary>Its name there; the same where absent.</summary>
    public string? Name { get; init; }
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

/// <summary>How much a clock is ahead.</summary>
public sealed record TimeOffsetSpec
{
    /// <summary>Seconds.</summary>
    public long Secs { get; init; }

    /// <summary>Nanoseconds.</summary>
    public uint Nanosecs { get; init; }
}

/// <summary>How a process is executed: personality(2).</summary>
/// <param name="Domain"><c>LINUX</c> or <c>LINUX32</c>.</param>
public sealed record PersonalitySpec(string Domain)
{
    /// <summary>Further flags; none is defined.</summary>
    public IReadOnlyList<string>? Flags { get; init; }
}
