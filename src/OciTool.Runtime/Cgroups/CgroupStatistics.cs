using System.Text.Json.Serialization;

namespace OciTool.Runtime.Cgroups;

/// <summary>What a container uses, in the form of runc's <c>events --stats</c> (its <c>types.Stats</c>).</summary>
/// <remarks>Engines read these names; numbers that are 0 are left out where runc leaves them out.</remarks>
public sealed record CgroupStatistics
{
    /// <summary>Processor time.</summary>
    public CpuStatistics Cpu { get; init; } = new();

    /// <summary>Processors and memory nodes.</summary>
    public CpusetStatistics Cpuset { get; init; } = new();

    /// <summary>Memory.</summary>
    public MemoryStatistics Memory { get; init; } = new();

    /// <summary>Processes.</summary>
    public PidsStatistics Pids { get; init; } = new();

    /// <summary>Block devices.</summary>
    public BlockStatistics Blkio { get; init; } = new();

    /// <summary>Huge pages, by page size.</summary>
    public IReadOnlyDictionary<string, HugepageStatistics> Hugetlb { get; init; } = new SortedDictionary<string, HugepageStatistics>();

    /// <summary>Intel's resource director, which is not used; an object without members.</summary>
    [JsonPropertyName("intel_rdt")]
    public IReadOnlyDictionary<string, string> IntelRdt { get; init; } = new Dictionary<string, string>();

    /// <summary>Network interfaces, of which a group knows nothing: always null.</summary>
    [JsonPropertyName("network_interfaces")]
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<string>? NetworkInterfaces { get; init; }
}

/// <summary>Processor time.</summary>
public sealed record CpuStatistics
{
    /// <summary>The time used.</summary>
    public CpuUsage Usage { get; init; } = new();

    /// <summary>How often the limit was met.</summary>
    public CpuThrottling Throttling { get; init; } = new();

    /// <summary>How long it was waited for; null with cgroup v1.</summary>
    public Pressure? Psi { get; init; }
}

/// <summary>Processor time, in nanoseconds.</summary>
public sealed record CpuUsage
{
    /// <summary>All of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Total { get; init; }

    /// <summary>By processor; null with cgroup v2.</summary>
    public IReadOnlyList<ulong>? Percpu { get; init; }

    /// <summary>In the kernel.</summary>
    public ulong Kernel { get; init; }

    /// <summary>Outside of it.</summary>
    public ulong User { get; init; }
}

/// <summary>How often the limit on processor time was met.</summary>
public sealed record CpuThrottling
{
    /// <summary>The periods in which something ran.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Periods { get; init; }

    /// <summary>Those of them in which the limit was met.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong ThrottledPeriods { get; init; }

    /// <summary>The time waited, in nanoseconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong ThrottledTime { get; init; }
}

/// <summary>Processors and memory nodes.</summary>
public sealed record CpusetStatistics
{
    /// <summary>The processors' numbers.</summary>
    public IReadOnlyList<ushort>? Cpus { get; init; }

    /// <summary>Whether they are for this group alone.</summary>
    [JsonPropertyName("cpu_exclusive")]
    public ulong CpuExclusive { get; init; }

    /// <summary>The memory nodes' numbers.</summary>
    public IReadOnlyList<ushort>? Mems { get; init; }

    /// <summary>cpuset.mem_hardwall.</summary>
    [JsonPropertyName("mem_hardwall")]
    public ulong MemHardwall { get; init; }

    /// <summary>cpuset.mem_exclusive.</summary>
    [JsonPropertyName("mem_exclusive")]
    public ulong MemExclusive { get; init; }

    /// <summary>cpuset.memory_migrate.</summary>
    [JsonPropertyName("memory_migrate")]
    public ulong MemoryMigrate { get; init; }

    /// <summary>cpuset.memory_spread_page.</summary>
    [JsonPropertyName("memory_spread_page")]
    public ulong MemorySpreadPage { get; init; }

    /// <summary>cpuset.memory_spread_slab.</summary>
    [JsonPropertyName("memory_spread_slab")]
    public ulong MemorySpreadSlab { get; init; }

    /// <summary>cpuset.memory_pressure.</summary>
    [JsonPropertyName("memory_pressure")]
    public ulong MemoryPressure { get; init; }

    /// <summary>cpuset.sched_load_balance.</summary>
    [JsonPropertyName("sched_load_balance")]
    public ulong SchedLoadBalance { get; init; }

    /// <summary>cpuset.sched_relax_domain_level.</summary>
    [JsonPropertyName("sched_relax_domain_level")]
    public long SchedRelaxDomainLevel { get; init; }
}

/// <summary>Memory, in bytes.</summary>
public sealed record MemoryStatistics
{
    /// <summary>Pages of files.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Cache { get; init; }

    /// <summary>Memory.</summary>
    public MemoryEntry Usage { get; init; } = new();

    /// <summary>Memory and swap together.</summary>
    public MemoryEntry Swap { get; init; } = new();

    /// <summary>The kernel's for this group.</summary>
    public MemoryEntry Kernel { get; init; } = new();

    /// <summary>The kernel's for TCP buffers.</summary>
    [JsonPropertyName("kernelTCP")]
    public MemoryEntry KernelTcp { get; init; } = new();

    /// <summary><c>memory.stat</c> as it is.</summary>
    public IReadOnlyDictionary<string, ulong>? Raw { get; init; }

    /// <summary>How long it was waited for; null with cgroup v1.</summary>
    public Pressure? Psi { get; init; }
}

/// <summary>A kind of memory, in bytes.</summary>
public sealed record MemoryEntry
{
    /// <summary>The most there may be; the largest number where there is no limit.</summary>
    public ulong Limit { get; init; }

    /// <summary>What there is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Usage { get; init; }

    /// <summary>The most there was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Max { get; init; }

    /// <summary>How often the limit was met.</summary>
    public ulong Failcnt { get; init; }
}

/// <summary>Processes and threads.</summary>
public sealed record PidsStatistics
{
    /// <summary>How many there are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Current { get; init; }

    /// <summary>How many there may be; 0 where there is no limit.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Limit { get; init; }
}

/// <summary>Block devices; lists are null where nothing is counted.</summary>
public sealed record BlockStatistics
{
    /// <summary>Bytes.</summary>
    public IReadOnlyList<BlockEntry>? IoServiceBytesRecursive { get; init; }

    /// <summary>Operations.</summary>
    public IReadOnlyList<BlockEntry>? IoServicedRecursive { get; init; }

    /// <summary>Operations that wait.</summary>
    [JsonPropertyName("ioQueueRecursive")]
    public IReadOnlyList<BlockEntry>? IoQueuedRecursive { get; init; }

    /// <summary>The time operations took.</summary>
    public IReadOnlyList<BlockEntry>? IoServiceTimeRecursive { get; init; }

    /// <summary>The time operations waited.</summary>
    public IReadOnlyList<BlockEntry>? IoWaitTimeRecursive { get; init; }

    /// <summary>Operations that were merged.</summary>
    public IReadOnlyList<BlockEntry>? IoMergedRecursive { get; init; }

    /// <summary>The time devices were used.</summary>
    public IReadOnlyList<BlockEntry>? IoTimeRecursive { get; init; }

    /// <summary>Sectors.</summary>
    public IReadOnlyList<BlockEntry>? SectorsRecursive { get; init; }

    /// <summary>How long it was waited for; null with cgroup v1.</summary>
    public Pressure? Psi { get; init; }
}

/// <summary>A number about a block device.</summary>
public sealed record BlockEntry
{
    /// <summary>The major number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Major { get; init; }

    /// <summary>The minor number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Minor { get; init; }

    /// <summary>The kind of operation, for example <c>Read</c>.</summary>
    public string? Op { get; init; }

    /// <summary>The number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Value { get; init; }
}

/// <summary>Huge pages of one size, in bytes.</summary>
public sealed record HugepageStatistics
{
    /// <summary>What there is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Usage { get; init; }

    /// <summary>The most there was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ulong Max { get; init; }

    /// <summary>How often the limit was met.</summary>
    public ulong Failcnt { get; init; }
}

/// <summary>How long a resource was waited for (Documentation/accounting/psi.rst).</summary>
public sealed record Pressure
{
    /// <summary>By at least one task.</summary>
    public PressureShare Some { get; init; } = new();

    /// <summary>By all tasks.</summary>
    public PressureShare Full { get; init; } = new();
}

/// <summary>The part of the time, in percent of the last 10, 60 and 300 seconds, and the sum in microseconds.</summary>
public sealed record PressureShare
{
    /// <summary>Of the last 10 seconds.</summary>
    public double Avg10 { get; init; }

    /// <summary>Of the last minute.</summary>
    public double Avg60 { get; init; }

    /// <summary>Of the last five minutes.</summary>
    public double Avg300 { get; init; }

    /// <summary>Microseconds in all.</summary>
    public ulong Total { get; init; }
}
