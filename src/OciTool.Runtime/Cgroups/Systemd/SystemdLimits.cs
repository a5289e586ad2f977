using System.Globalization;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>
/// Limits as properties of a unit. systemd has to know them, though they are written into the group afterwards as well: it
/// sets what it knows again whenever it reads its configuration.
/// </summary>
internal static class SystemdLimits
{
    private const ulong Infinity = ulong.MaxValue;
    private const ulong MicrosecondsPerSecond = 1_000_000;
    private const ulong UsualPeriod = 100_000;

    /// <summary>The properties of limits.</summary>
    /// <param name="resources">The limits.</param>
    /// <param name="isV2">Whether the host has cgroup v2.</param>
    internal static List<SystemdProperty> Of(ResourcesSpec resources, bool isV2)
    {
        List<SystemdProperty> properties = [];
        if (resources.Memory is { } memory)
        {
            AddMemory(properties, memory, isV2);
        }

        if (resources.Cpu is { } cpu)
        {
            AddCpu(properties, cpu, isV2);
        }

        if (resources.BlockIO is { Weight: { } weight and not 0 })
        {
            properties.Add(isV2
                ? SystemdProperty.Of("IOWeight", CgroupLimits.WeightOfBlocks(weight))
                : SystemdProperty.Of("BlockIOWeight", weight));
        }

        if (resources.Pids is { } pids)
        {
            properties.Add(SystemdProperty.Of("TasksMax", pids.Limit > 0 ? (ulong)pids.Limit : Infinity));
        }

        foreach ((string file, string value) in (isV2 ? resources.Unified : null) ?? new Dictionary<string, string>())
        {
            AddUnified(properties, file, value.Trim());
        }

        return properties;
    }

    /// <summary>The properties of device rules.</summary>
    internal static List<SystemdProperty> Of(ReadOnlySpan<DeviceFilterRule> rules)
    {
        DeviceList list;
        try
        {
            list = DeviceList.Of(rules);
        }
        catch (OciException)
        {
            return []; // a unit has no exceptions from what it allows: only our own program of cgroup v2 has
        }

        if (list.AllowsByDefault)
        {
            return [SystemdProperty.Of("DevicePolicy", "auto"), new("DeviceAllow", "a(ss)", Array.Empty<(string, string)>())];
        }

        List<(string, string)> allowed = [];
        foreach ((char type, long? major, long? minor, string access) in list.Exceptions)
        {
            string kind = type == 'b' ? "block" : "char";
            if (major is null && minor is not null)
            {
                return []; // nor all devices with one minor number
            }

            allowed.Add((major is null ? $"{kind}-*" : minor is null ? $"{kind}-{major}" : $"/dev/{kind}/{major}:{minor}", access));
        }

        return [SystemdProperty.Of("DevicePolicy", "strict"), new("DeviceAllow", "a(ss)", allowed.ToArray())];
    }

    private static ulong Amount(long amount) => amount < 0 ? Infinity : (ulong)amount;

    private static void AddMemory(List<SystemdProperty> properties, MemoryResource memory, bool isV2)
    {
        if (memory.Limit is { } limit and not 0)
        {
            properties.Add(SystemdProperty.Of(isV2 ? "MemoryMax" : "MemoryLimit", Amount(limit)));
        }

        if (!isV2)
        {
            return;
        }

        if (memory.Reservation is { } reservation and not 0)
        {
            properties.Add(SystemdProperty.Of("MemoryLow", Amount(reservation)));
        }

        if (CgroupLimits.SwapAlone(memory.Limit ?? 0, memory.Swap ?? 0) is { } swap)
        {
            properties.Add(SystemdProperty.Of("MemorySwapMax", Amount(swap)));
        }
    }

    private static void AddCpu(List<SystemdProperty> properties, CpuResource cpu, bool isV2)
    {
        if (cpu.Shares is { } shares and not 0)
        {
            properties.Add(isV2
                ? SystemdProperty.Of("CPUWeight", CgroupLimits.WeightOfShares(shares))
                : SystemdProperty.Of("CPUShares", shares));
        }

        if (cpu.Period is { } period and not 0)
        {
            properties.Add(SystemdProperty.Of("CPUQuotaPeriodUSec", period));
        }

        if (cpu.Quota is { } quota and not 0)
        {
            properties.Add(SystemdProperty.Of("CPUQuotaPerSecUSec", QuotaPerSecond(quota, cpu.Period ?? 0)));
        }

        if (isV2)
        {
            AddSet(properties, "AllowedCPUs", cpu.Cpus);
            AddSet(properties, "AllowedMemoryNodes", cpu.Mems);
        }
    }

    /// <summary>The processor time a second, in microseconds.</summary>
    internal static ulong QuotaPerSecond(long quota, ulong period)
    {
        if (quota < 0)
        {
            return Infinity;
        }

        // systemd keeps whole percents of a processor, and rounds down
        const ulong Percent = MicrosecondsPerSecond / 100;
        UInt128 perSecond = (UInt128)(ulong)quota * MicrosecondsPerSecond / (period == 0 ? UsualPeriod : period);
        return (ulong)((perSecond + Percent - 1) / Percent * Percent);
    }

    private static void AddSet(List<SystemdProperty> properties, string name, string? set)
    {
        if (set is { Length: > 0 })
        {
            properties.Add(new(name, "ay", Bits(set)));
        }
    }

    /// <summary>The numbers of a list such as <c>0-3,7</c> as bits, the lowest first.</summary>
    /// <exception cref="OciException">It is no such list.</exception>
    internal static byte[] Bits(string list)
    {
        byte[] bits = [];
        foreach (string range in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || !ushort.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort first)
                || !ushort.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last) || first > last)
            {
                throw new OciException($"'{Printable.Shorten(list)}' is no list of processors or memory nodes");
            }

            if (bits.Length <= last / 8)
            {
                Array.Resize(ref bits, (last / 8) + 1);
            }

            for (int number = first; number <= last; number++)
            {
                bits[number / 8] |= (byte)(1 << (number % 8));
            }
        }

        return bits;
    }

    private static void AddUnified(List<SystemdProperty> properties, string file, string value)
    {
        string? name = file switch
        {
            "memory.min" => "MemoryMin",
            "memory.low" => "MemoryLow",
            "memory.high" => "MemoryHigh",
            "memory.max" => "MemoryMax",
            "memory.swap.max" => "MemorySwapMax",
            "pids.max" => "TasksMax",
            "cpu.weight" => "CPUWeight",
            _ => null,
        };
        if (file is "cpuset.cpus" or "cpuset.mems")
        {
            AddSet(properties, file == "cpuset.cpus" ? "AllowedCPUs" : "AllowedMemoryNodes", value);
        }
        else if (name is not null && (value == "max" || ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            properties.Add(SystemdProperty.Of(name, CgroupNumbers.Parse(value)));
        }
    }
}
