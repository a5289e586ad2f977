using System.Globalization;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>cgroup v2: the specification's fields are those of v1, and are converted.</summary>
internal sealed partial class CgroupLimits
{
    private void ApplyV2(ResourcesSpec resources)
    {
        SetPids(resources);
        if (resources.Memory is { } memory)
        {
            SetMemoryV2(memory);
        }

        if (resources.BlockIO is { } blocks)
        {
            SetBlocksV2(blocks);
        }

        if (resources.Cpu is { } cpu)
        {
            SetCpuV2(cpu);
        }

        SetCpusets(resources);
        SetHugepages(resources, "max");
        SetRdma(resources);
        if (resources.Network is { ClassId: not (null or 0) } or { Priorities.Count: > 0 })
        {
            Fail("the network class or priorities", "network", MissingFromV2, Errno.None);
        }

        SetUnified(resources);
    }

    /// <summary>The swap alone, from a limit of memory and swap together.</summary>
    /// <param name="limit">The memory limit; -1 for none, 0 when it is not given.</param>
    /// <param name="swap">The limit of both; -1 for none, 0 when it is not given.</param>
    /// <returns>-1 for no limit; null when nothing is to be set.</returns>
    /// <exception cref="OciException">There is no such amount.</exception>
    internal static long? SwapAlone(long limit, long swap) => (limit, swap) switch
    {
        (-1, 0) => -1,
        (_, -1) => -1,
        (_, 0) => null,
        ( <= 0, _) => throw new OciException("cannot set the limit of memory and swap: there is no memory limit"),
        _ when swap < limit => throw new OciException(
            $"cannot set the limit of memory and swap: {swap} is less than the memory limit of {limit}"),
        _ => swap - limit,
    };

    /// <summary>The weight of CPU shares: 2 to 262144 become 1 to 10000, and what is usual there (1024) what is usual here (100).</summary>
    internal static ulong WeightOfShares(ulong shares)
    {
        if (shares is <= 2 or >= 262144)
        {
            return shares <= 2 ? 1UL : 10000UL;
        }

        double log = Math.Log2(shares);
        double exponent = (((log * log) + (125 * log)) / 612) - (7.0 / 34);
        return (ulong)Math.Ceiling(Math.Pow(10, exponent));
    }

    /// <summary>The weight of a block I/O weight: 10 to 1000 become 1 to 10000.</summary>
    internal static ulong WeightOfBlocks(ushort weight) =>
        weight == 0 ? 0 : 1 + ((ulong)Math.Max(0, weight - 10) * 9999 / 990);

    private static string Amount(long amount) => amount < 0 ? "max" : Text(amount);

    private void SetMemoryV2(MemoryResource memory)
    {
        long limit = memory.Limit ?? 0;
        if (memory.CheckBeforeUpdate == true)
        {
            CheckUsage(limit, memory.Reservation ?? 0);
        }

        if (SwapAlone(limit, memory.Swap ?? 0) is { } swap)
        {
            // without swap, or without counting it, there is no such file, and nothing to limit
            Errno error = TrySet("memory", "memory.swap.max", Amount(swap));
            if (error != Errno.None && (error != Errno.ENOENT || swap > 0))
            {
                Refuse("memory", "memory.swap.max", Amount(swap), "the limit of swap", error);
            }
        }

        if (limit != 0)
        {
            Set("memory", "memory.max", Amount(limit), "the memory limit");
        }

        if (memory.Reservation is { } reservation and not 0)
        {
            Set("memory", "memory.low", Amount(reservation), "the memory reservation");
        }

        // The limit on kernel memory is left out, as the specification allows: kernels from 5.16 on have none
        if (memory.KernelTcp is > 0)
        {
            Fail("the limit of memory for TCP", "memory", MissingFromV2, Errno.None);
        }

        if (memory.Swappiness is { } swappiness and not ulong.MaxValue)
        {
            Fail($"the swappiness {swappiness}", "memory", MissingFromV2, Errno.None);
        }

        if (memory.DisableOomKiller == true)
        {
            Fail("the OOM killer", "memory", MissingFromV2, Errno.None);
        }
    }

    private void CheckUsage(long limit, long reservation)
    {
        if (TryReadNumber("memory", "memory.current", out ulong usage))
        {
            if (limit > 0 && (ulong)limit < usage)
            {
                Fail("the memory limit", "memory", $"rejecting memory limit {limit}: current usage is {usage}", Errno.EBUSY);
            }

            if (reservation > 0 && (ulong)reservation < usage)
            {
                Fail(
                    "the memory reservation", "memory", $"rejecting memory reservation {reservation}: current usage is {usage}", Errno.EBUSY);
            }
        }
    }

    private void SetCpuV2(CpuResource cpu)
    {
        bool becomesIdle = cpu.Idle == 1;
        if (cpu.Idle is { } idle && !becomesIdle)
        {
            Set("cpu", "cpu.idle", Text(idle), "the idle class");
        }

        if (cpu.Shares is { } shares and not 0)
        {
            Set("cpu", "cpu.weight", Text(WeightOfShares(shares)), "the CPU shares");
        }

        if (becomesIdle)
        {
            Set("cpu", "cpu.idle", "1", "the idle class");
        }

        SetBandwidth(
            cpu,
            "cpu.max.burst",
            () =>
            {
                if (cpu.Quota is { } quota and not 0)
                {
                    // alone it leaves the period as it is
                    string period = cpu.Period is { } length and not 0 ? $" {length}" : "";
                    Set("cpu", "cpu.max", Amount(quota) + period, "the CPU quota");
                }
                else if (cpu.Period is { } length and not 0)
                {
                    Set("cpu", "cpu.max", $"{CurrentQuota()} {length}", "the CPU period");
                }
            });

        if (cpu.RealtimePeriod is not (null or 0) || cpu.RealtimeRuntime is not (null or 0))
        {
            Fail("the real-time period or runtime", "cpu", MissingFromV2, Errno.None);
        }
    }

    private string CurrentQuota()
    {
        if (DirectoryOf("cpu") is { } directory && files.Read($"{directory}/cpu.max", out string text) == Errno.None
            && text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end)
        {
            return text[..end];
        }

        return "max";
    }

    private void SetBlocksV2(BlockIOResource blocks)
    {
        if (blocks.Weight is { } weight and not 0)
        {
            SetWeightV2("", weight, "the block I/O weight");
        }

        foreach (WeightDevice device in blocks.WeightDevice ?? [])
        {
            if (device.Weight is { } own and not 0)
            {
                SetWeightV2($"{device.Major}:{device.Minor} ", own, "the weight of a block device");
            }
        }

        SetThrottlesV2(blocks.ThrottleReadBpsDevice, "rbps");
        SetThrottlesV2(blocks.ThrottleWriteBpsDevice, "wbps");
        SetThrottlesV2(blocks.ThrottleReadIopsDevice, "riops");
        SetThrottlesV2(blocks.ThrottleWriteIopsDevice, "wiops");
    }

    // BFQ has the weights of v1, the other schedulers io.weight
    private void SetWeightV2(string device, ushort weight, string what)
    {
        if (TrySet("io", "io.bfq.weight", device + weight.ToString(CultureInfo.InvariantCulture)) != Errno.None)
        {
            Set("io", "io.weight", device + Text(WeightOfBlocks(weight)), what);
        }
    }

    private void SetThrottlesV2(IReadOnlyList<ThrottleDevice>? devices, string key)
    {
        foreach (ThrottleDevice device in devices ?? [])
        {
            string rate = device.Rate == 0 ? "max" : Text(device.Rate);
            Set("io", "io.max", $"{device.Major}:{device.Minor} {key}={rate}", "the limit of a block device");
        }
    }

    private void SetUnified(ResourcesSpec resources)
    {
        if (resources.Unified is null)
        {
            return;
        }

        foreach ((string file, string value) in resources.Unified)
        {
            if (file.Contains('/', StringComparison.Ordinal) || file.Contains('\0', StringComparison.Ordinal) || file is "" or "." or "..")
            {
                throw new OciException($"unified resource '{Printable.Shorten(file)}' must be a file name (no slashes)");
            }

            int dot = file.IndexOf('.', StringComparison.Ordinal);
            foreach (string line in value.Split('\n'))
            {
                // the kernel takes one line at a time
                if (line.Length > 0 || value.Length == 0)
                {
                    Set(dot > 0 ? file[..dot] : file, file, line, $"the unified resource {file}");
                }
            }
        }
    }
}
