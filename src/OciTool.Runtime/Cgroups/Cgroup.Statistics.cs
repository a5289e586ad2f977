using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>What the container uses.</summary>
public sealed partial class Cgroup
{
    // USER_HZ, which is 100 on every processor that Linux shows to programs
    private const ulong NanosecondsPerTick = 10_000_000;

    private const ulong NanosecondsPerMicrosecond = 1000;

    /// <summary>Reads what the container uses now; what nobody counts is 0.</summary>
    public CgroupStatistics ReadStatistics() => new()
    {
        Cpu = IsUnified ? CpuOfV2(Numbers("cpu")!) : CpuOfV1(Numbers("cpuacct"), Numbers("cpu")),
        Cpuset = Numbers("cpuset") is { } cpuset ? CpusetOf(cpuset) : new(),
        Memory = Numbers("memory") is not { } memory ? new() : IsUnified ? MemoryOfV2(memory) : MemoryOfV1(memory),
        Pids = Numbers("pids") is { } pids ? PidsOf(pids) : new(),
        Blkio = Numbers("blkio") is not { } blocks ? new() : IsUnified ? BlocksOfV2(blocks) : BlocksOfV1(blocks),
        Hugetlb = Numbers("hugetlb") is { } pages ? HugepagesOf(pages) : new SortedDictionary<string, HugepageStatistics>(),
    };

    private CgroupNumbers? Numbers(string controller) =>
        Find(controller) is { } directory ? new(_files, directory.Path) : null;

    private static CpuStatistics CpuOfV2(CgroupNumbers cpu)
    {
        SortedDictionary<string, ulong> table = cpu.Table("cpu.stat");
        return new()
        {
            Usage = new()
            {
                Total = table.GetValueOrDefault("usage_usec") * NanosecondsPerMicrosecond,
                Kernel = table.GetValueOrDefault("system_usec") * NanosecondsPerMicrosecond,
                User = table.GetValueOrDefault("user_usec") * NanosecondsPerMicrosecond,
            },
            Throttling = new()
            {
                Periods = table.GetValueOrDefault("nr_periods"),
                ThrottledPeriods = table.GetValueOrDefault("nr_throttled"),
                ThrottledTime = table.GetValueOrDefault("throttled_usec") * NanosecondsPerMicrosecond,
            },
            Psi = cpu.Pressure("cpu.pressure"),
        };
    }

    private static CpuStatistics CpuOfV1(CgroupNumbers? accounting, CgroupNumbers? cpu)
    {
        SortedDictionary<string, ulong> table = cpu?.Table("cpu.stat") ?? [];
        SortedDictionary<string, ulong> ticks = accounting?.Table("cpuacct.stat") ?? [];
        List<ulong> processors = [];
        foreach (string word in accounting?.Text("cpuacct.usage_percpu").Split(' ', StringSplitOptions.TrimEntries) ?? [])
        {
            if (word.Length > 0)
            {
                processors.Add(CgroupNumbers.Parse(word));
            }
        }

        return new()
        {
            Usage = new()
            {
                Total = accounting?.Number("cpuacct.usage") ?? 0,
                Percpu = processors.Count > 0 ? processors : null,
                Kernel = ticks.GetValueOrDefault("system") * NanosecondsPerTick,
                User = ticks.GetValueOrDefault("user") * NanosecondsPerTick,
            },
            Throttling = new()
            {
                Periods = table.GetValueOrDefault("nr_periods"),
                ThrottledPeriods = table.GetValueOrDefault("nr_throttled"),
                ThrottledTime = table.GetValueOrDefault("throttled_time"),
            },
        };
    }

    private static CpusetStatistics CpusetOf(CgroupNumbers cpuset) => new()
    {
        Cpus = cpuset.List("cpuset.cpus"),
        Mems = cpuset.List("cpuset.mems"),
        CpuExclusive = cpuset.Number("cpuset.cpu_exclusive"),
        MemHardwall = cpuset.Number("cpuset.mem_hardwall"),
        MemExclusive = cpuset.Number("cpuset.mem_exclusive"),
        MemoryMigrate = cpuset.Number("cpuset.memory_migrate"),
        MemorySpreadPage = cpuset.Number("cpuset.memory_spread_page"),
        MemorySpreadSlab = cpuset.Number("cpuset.memory_spread_slab"),
        MemoryPressure = cpuset.Number("cpuset.memory_pressure"),
        SchedLoadBalance = cpuset.Number("cpuset.sched_load_balance"),
        SchedRelaxDomainLevel = cpuset.Text("cpuset.sched_relax_domain_level").Trim() is ['-', .. var number]
            ? -(long)CgroupNumbers.Parse(number) : (long)cpuset.Number("cpuset.sched_relax_domain_level"),
    };

    private static MemoryStatistics MemoryOfV1(CgroupNumbers memory)
    {
        SortedDictionary<string, ulong> table = memory.Table("memory.stat");
        return new()
        {
            Cache = table.GetValueOrDefault("cache"),
            Usage = Entry("memory"),
            Swap = Entry("memory.memsw"),
            Kernel = Entry("memory.kmem"),
            KernelTcp = Entry("memory.kmem.tcp"),
            Raw = table,
        };

        MemoryEntry Entry(string name) => new()
        {
            Limit = memory.Number($"{name}.limit_in_bytes"),
            Usage = memory.Number($"{name}.usage_in_bytes"),
            Max = memory.Number($"{name}.max_usage_in_bytes"),
            Failcnt = memory.Number($"{name}.failcnt"),
        };
    }

    private static MemoryStatistics MemoryOfV2(CgroupNumbers memory)
    {
        SortedDictionary<string, ulong> table = memory.Table("memory.stat");
        MemoryEntry usage = new()
        {
            Limit = memory.Number("memory.max"),
            Usage = memory.Number("memory.current"),
            Max = memory.Number("memory.peak"),
        };

        // the swap of v1 includes the memory
        ulong swap = memory.Has("memory.swap.max") ? memory.Number("memory.swap.max") : 0;
        return new()
        {
            Cache = table.GetValueOrDefault("file"),
            Usage = usage,
            Swap = new()
            {
                Limit = swap == ulong.MaxValue || usage.Limit == ulong.MaxValue ? ulong.MaxValue : usage.Limit + swap,
                Usage = usage.Usage + memory.Number("memory.swap.current"),
            },
            Raw = table,
            Psi = memory.Pressure("memory.pressure"),
        };
    }

    private static PidsStatistics PidsOf(CgroupNumbers pids) => new()
    {
        Current = pids.Number("pids.current"),
        Limit = pids.Number("pids.max") is var limit and not ulong.MaxValue ? limit : 0,
    };

    private static BlockStatistics BlocksOfV2(CgroupNumbers blocks)
    {
        List<BlockEntry> bytes = [];
        List<BlockEntry> operations = [];
        foreach (string line in blocks.Text("io.stat").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            if (words[0].Split(':') is not [var major, var minor])
            {
                continue;
            }

            foreach (string word in words)
            {
                BlockEntry entry = new()
                {
                    Major = CgroupNumbers.Parse(major),
                    Minor = CgroupNumbers.Parse(minor),
                    Op = word.StartsWith('r') ? "Read" : "Write",
                    Value = CgroupNumbers.Parse(word.AsSpan(word.IndexOf('=', StringComparison.Ordinal) + 1)),
                };
                switch (word[..Math.Max(0, word.IndexOf('=', StringComparison.Ordinal))])
                {
                    case "rbytes" or "wbytes":
                        bytes.Add(entry);
                        break;
                    case "rios" or "wios":
                        operations.Add(entry);
                        break;
                }
            }
        }

        return new()
        {
            IoServiceBytesRecursive = NullIfEmpty(bytes),
            IoServicedRecursive = NullIfEmpty(operations),
            Psi = blocks.Pressure("io.pressure"),
        };
    }

    private static BlockStatistics BlocksOfV1(CgroupNumbers blocks)
    {
        // who counts depends on the scheduler: BFQ, CFQ, or the throttling code for all
        string scheduler = blocks.Text("blkio.bfq.io_serviced_recursive").Contains(':', StringComparison.Ordinal) ? "blkio.bfq."
            : blocks.Text("blkio.io_serviced_recursive").Contains(':', StringComparison.Ordinal) ? "blkio."
            : "blkio.throttle.";
        return new()
        {
            IoServiceBytesRecursive = Entries("io_service_bytes_recursive") ?? Entries("io_service_bytes"),
            IoServicedRecursive = Entries("io_serviced_recursive") ?? Entries("io_serviced"),
            IoQueuedRecursive = Entries("io_queued_recursive"),
            IoServiceTimeRecursive = Entries("io_service_time_recursive"),
            IoWaitTimeRecursive = Entries("io_wait_time_recursive"),
            IoMergedRecursive = Entries("io_merged_recursive"),
            IoTimeRecursive = Entries("time_recursive"),
            SectorsRecursive = Entries("sectors_recursive"),
        };

        // lines of MAJOR:MINOR [OPERATION] NUMBER, and one of a total
        List<BlockEntry>? Entries(string name)
        {
            List<BlockEntry> entries = [];
            foreach (string line in blocks.Text(scheduler + name).Split('\n'))
            {
                string[] words = line.Split(' ', ':');
                if (words.Length is 3 or 4)
                {
                    entries.Add(new()
                    {
                        Major = CgroupNumbers.Parse(words[0]),
                        Minor = CgroupNumbers.Parse(words[1]),
                        Op = words.Length == 4 ? words[2] : null,
                        Value = CgroupNumbers.Parse(words[^1]),
                    });
                }
            }

            return NullIfEmpty(entries);
        }
    }

    private static SortedDictionary<string, HugepageStatistics> HugepagesOf(CgroupNumbers pages)
    {
        SortedDictionary<string, HugepageStatistics> sizes = new(StringComparer.Ordinal);
        foreach (string size in PageSizes())
        {
            // reservations are counted by themselves since Linux 5.7, and they are what fails
            string counted = pages.Has($"hugetlb.{size}.rsvd.usage_in_bytes") || pages.Has($"hugetlb.{size}.rsvd.current")
                ? $"hugetlb.{size}.rsvd" : $"hugetlb.{size}";
            if (pages.Has($"hugetlb.{size}.current"))
            {
                sizes[size] = new()
                {
                    Usage = pages.Number($"{counted}.current"),
                    Failcnt = pages.Table($"hugetlb.{size}.events").GetValueOrDefault("max"),
                };
            }
            else if (pages.Has($"{counted}.usage_in_bytes"))
            {
                sizes[size] = new()
                {
                    Usage = pages.Number($"{counted}.usage_in_bytes"),
                    Max = pages.Number($"{counted}.max_usage_in_bytes"),
                    Failcnt = pages.Number($"{counted}.failcnt"),
                };
            }
        }

        return sizes;
    }

    // hugepages-2048kB is called 2MB in the groups
    private static IEnumerable<string> PageSizes()
    {
        const string Directory = "/sys/kernel/mm/hugepages";
        foreach (string path in System.IO.Directory.Exists(Directory) ? System.IO.Directory.GetDirectories(Directory) : [])
        {
            string name = Path.GetFileName(path);
            int dash = name.IndexOf('-', StringComparison.Ordinal);
            ulong size = dash > 0 && name.EndsWith("kB", StringComparison.Ordinal) ? CgroupNumbers.Parse(name.AsSpan(dash + 1)[..^2]) : 0;
            if (size > 0)
            {
                yield return size >= 1 << 20 ? $"{size >> 20}GB" : size >= 1 << 10 ? $"{size >> 10}MB" : $"{size}KB";
            }
        }
    }

    private static List<BlockEntry>? NullIfEmpty(List<BlockEntry> entries) => entries.Count > 0 ? entries : null;
}
