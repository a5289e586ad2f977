using System.Text.Json.Serialization;

namespace OciTool.Runtime.Spec;

/// <summary>The limits of a container's control groups (runtime-spec 1.2, config-linux.md, "Control groups").</summary>
/// <remarks>What is null stays as it is; so does a number that is 0 where the field says so.</remarks>
public sealed record ResourcesSpec
{
    /// <summary>The device rules, in order: of those that match, the last one counts.</summary>
    public IReadOnlyList<DeviceRule>? Devices { get; init; }

    /// <summary>Memory.</summary>
    public MemoryResource? Memory { get; init; }

    /// <summary>Processor time and processors.</summary>
    public CpuResource? Cpu { get; init; }

    /// <summary>The limit on processes.</summary>
    public PidsResource? Pids { get; init; }

    /// <summary>Block devices.</summary>
    public BlockIOResource? BlockIO { get; init; }

    /// <summary>Huge pages, a limit for each page size.</summary>
    public IReadOnlyList<HugepageLimit>? HugepageLimits { get; init; }

    /// <summary>Network packets; only cgroup v1 has them.</summary>
    public NetworkResource? Network { get; init; }

    /// <summary>RDMA resources, by the device's name.</summary>
    public IReadOnlyDictionary<string, RdmaLimit>? Rdma { get; init; }

    /// <summary>Files of cgroup v2 and what is written into them, as it is.</summary>
    public IReadOnlyDictionary<string, string>? Unified { get; init; }
}

/// <summary>Allows or denies the use of devices.</summary>
/// <param name="Allow">Whether it allows.</param>
public sealed record DeviceRule(bool Allow)
{
    /// <summary><c>a</c>, <c>c</c> or <c>b</c>; all where absent.</summary>
    public string? Type { get; init; }

    /// <summary>The major number; all where absent or negative.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number; all where absent or negative.</summary>
    public long? Minor { get; init; }

    /// <summary>Letters of <c>rwm</c>; all where absent.</summary>
    public string? Access { get; init; }
}

/// <summary>Limits on memory, in bytes; -1 is none and 0 leaves a limit as it is.</summary>
public sealed record MemoryResource
{
    /// <summary>The most memory.</summary>
    public long? Limit { get; init; }

    /// <summary>What is left to the group while memory is short.</summary>
    public long? Reservation { get; init; }

    /// <summary>The most memory and swap together.</summary>
    public long? Swap { get; init; }

    /// <summary>The most kernel memory; kernels from 5.16 on do not have this limit.</summary>
    public long? Kernel { get; init; }

    /// <summary>The most kernel memory for TCP buffers; only cgroup v1 has it.</summary>
    [JsonPropertyName("kernelTCP")]
    public long? KernelTcp { get; init; }

    /// <summary>How readily pages are swapped out, 0 to 100; only cgroup v1 has it.</summary>
    public ulong? Swappiness { get; init; }

    /// <summary>Whether processes wait for memory instead of being killed; only cgroup v1 has it.</summary>
    [JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }

    /// <summary>Whether groups below count; kernels from 5.11 on know nothing else.</summary>
    public bool? UseHierarchy { get; init; }

    /// <summary>Whether an update below the present use is refused instead of killing processes.</summary>
    public bool? CheckBeforeUpdate { get; init; }
}

/// <summary>Limits on processor time; times in microseconds; 0 leaves a value as it is.</summary>
public sealed record CpuResource
{
    /// <summary>The share of processor time beside other groups; 1024 is an ordinary one's.</summary>
    public ulong? Shares { get; init; }

    /// <summary>The time that may be used in a period; negative for no limit.</summary>
    public long? Quota { get; init; }

    /// <summary>The unused time of earlier periods that may be used on top.</summary>
    public ulong? Burst { get; init; }

    /// <summary>The length of a period.</summary>
    public ulong? Period { get; init; }

    /// <summary>The time that real-time tasks may use in a period; only cgroup v1 has it.</summary>
    public long? RealtimeRuntime { get; init; }

    /// <summary>The length of a real-time period; only cgroup v1 has it.</summary>
    public ulong? RealtimePeriod { get; init; }

    /// <summary>The processors, for example <c>0-3,7</c>.</summary>
    public string? Cpus { get; init; }

    /// <summary>The memory nodes.</summary>
    public string? Mems { get; init; }

    /// <summary>1 for a group that runs only when a processor has nothing else to do.</summary>
    public long? Idle { get; init; }
}

/// <summary>The limit on processes.</summary>
/// <param name="Limit">The most processes and threads; none where it is not positive.</param>
public sealed record PidsResource(long Limit);

/// <summary>Limits on block devices.</summary>
public sealed record BlockIOResource
{
    /// <summary>The share beside other groups, 10 to 1000; 0 leaves it as it is.</summary>
    public ushort? Weight { get; init; }

    /// <summary>The share of this group's own tasks beside groups below; only cgroup v1 has it.</summary>
    public ushort? LeafWeight { get; init; }

    /// <summary>Shares by device.</summary>
    public IReadOnlyList<WeightDevice>? WeightDevice { get; init; }

    /// <summary>The most bytes read a second.</summary>
    public IReadOnlyList<ThrottleDevice>? ThrottleReadBpsDevice { get; init; }

    /// <summary>The most bytes written a second.</summary>
    public IReadOnlyList<ThrottleDevice>? ThrottleWriteBpsDevice { get; init; }

    /// <summary>The most reads a second.</summary>
    [JsonPropertyName("throttleReadIOPSDevice")]
    public IReadOnlyList<ThrottleDevice>? ThrottleReadIopsDevice { get; init; }

    /// <summary>The most writes a second.</summary>
    [JsonPropertyName("throttleWriteIOPSDevice")]
    public IReadOnlyList<ThrottleDevice>? ThrottleWriteIopsDevice { get; init; }
}

/// <summary>A share of a block device.</summary>
/// <param name="Major">The major number.</param>
/// <param name="Minor">The minor number.</param>
public sealed record WeightDevice(long Major, long Minor)
{
    /// <summary>The share beside other groups.</summary>
    public ushort? Weight { get; init; }

    /// <summary>The share of this group's own tasks beside groups below.</summary>
    public ushort? LeafWeight { get; init; }
}

/// <summary>A limit on a block device.</summary>
/// <param name="Major">The major number.</param>
/// <param name="Minor">The minor number.</param>
/// <param name="Rate">Bytes or operations a second; 0 for no limit.</param>
public sealed record ThrottleDevice(long Major, long Minor, ulong Rate);

/// <summary>A limit on huge pages.</summary>
/// <param name="PageSize">The size, for example <c>2MB</c>.</param>
/// <param name="Limit">The most bytes.</param>
public sealed record HugepageLimit(string PageSize, ulong Limit);

/// <summary>Marks of network packets.</summary>
public sealed record NetworkResource
{
    /// <summary>The class that packets are tagged with.</summary>
    [JsonPropertyName("classID")]
    public uint? ClassId { get; init; }

    /// <summary>Priorities by interface.</summary>
    public IReadOnlyList<InterfacePriority>? Priorities { get; init; }
}

/// <summary>The priority of packets that leave by an interface.</summary>
/// <param name="Name">The interface.</param>
/// <param name="Priority">The priority.</param>
public sealed record InterfacePriority(string Name, uint Priority);

/// <summary>Limits on an RDMA device.</summary>
public sealed record RdmaLimit
{
    /// <summary>The most open handles.</summary>
    public uint? HcaHandles { get; init; }

    /// <summary>The most objects.</summary>
    public uint? HcaObjects { get; init; }
}
