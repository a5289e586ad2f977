using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>cgroup v1.</summary>
internal sealed partial class CgroupLimits
{
    private const string MemoryLimit = "memory.limit_in_bytes";
    private const string SwapLimit = "memory.memsw.limit_in_bytes";

    private void ApplyV1(ResourcesSpec resources)
    {
        SetCpusets(resources);
        if (resources.Memory is { } memory)
        {
            SetMemoryV1(memory);
        }

        if (resources.Cpu is { } cpu)
        {
            SetCpuV1(cpu);
        }

        SetPids(resources);
        if (resources.BlockIO is { } blocks)
        {
            SetBlocksV1(blocks);
        }

        SetHugepages(resources, "limit_in_bytes");
        if (resources.Network is { } network)
        {
            SetNetworkV1(network);
        }

        SetRdma(resources);
    }

    private void SetMemoryV1(MemoryResource memory)
    {
        long limit = memory.Limit ?? 0;
        long swap = memory.Swap ?? 0;
        if (memory.UseHierarchy == true)
        {
            Set("memory", "memory.use_hierarchy", "1", "the hierarchical memory limit");
        }

        // swap counts on top of memory here: unlimited memory with a limit on both together is refused
        if (limit == -1 && swap == 0 && TryReadNumber("memory", SwapLimit, out _))
        {
            swap = -1;
        }

        // the limit of both together is never below the one of memory alone: the one that grows goes first
        bool swapFirst = limit != 0 && swap != 0
            && (swap < 0 || (TryReadNumber("memory", MemoryLimit, out ulong current) && current < (ulong)swap));
        if (swapFirst)
        {
            SetSwapV1(swap);
        }

        if (limit != 0)
        {
            SetMemoryLimitV1(limit);
        }

        if (!swapFirst)
        {
            SetSwapV1(swap);
        }

        if (memory.Reservation is { } reservation and not 0)
        {
            Set("memory", "memory.soft_limit_in_bytes", Text(reservation), "the memory reservation");
        }

        SetKernelMemoryV1(memory);
        if (memory.DisableOomKiller is { } disabled
            && (disabled || TrySet("memory", "memory.oom_control", "0") is not (Errno.None or Errno.ENOENT)))
        {
            Set("memory", "memory.oom_control", disabled ? "1" : "0", "the OOM killer");
        }

        // some engines say -1 for "as it is"
        if (memory.Swappiness is { } swappiness and not ulong.MaxValue)
        {
            Set("memory", "memory.swappiness", Text(swappiness), "the swappiness");
        }
    }

    private void SetMemoryLimitV1(long limit)
    {
        Errno error = TrySet("memory", MemoryLimit, Text(limit));
        if (error == Errno.EBUSY
            && TryReadNumber("memory", "memory.usage_in_bytes", out ulong usage)
            && TryReadNumber("memory", "memory.max_usage_in_bytes", out ulong peak))
        {
            Fail(
                "the memory limit", "memory",
                $"unable to set memory limit to {limit} (current usage: {usage}, peak usage: {peak})", error);
        }
        else if (error != Errno.None)
        {
            Refuse("memory", MemoryLimit, Text(limit), "the memory limit", error);
        }
    }

    private void SetSwapV1(long swap)
    {
        if (swap == 0)
        {
            return;
        }

        // a kernel that does not count swap has no limit of it
        Errno error = TrySet("memory", SwapLimit, Text(swap));
        if (error != Errno.None && (swap > 0 || error != Errno.ENOENT))
        {
            Refuse("memory", SwapLimit, Text(swap), "the limit of memory and swap", error);
        }
    }

    private void SetKernelMemoryV1(MemoryResource memory)
    {
        // The specification advises against these two, and newer kernels refuse or ignore the first one: ENOTSUPP, 524,
        // is what they say, an error number of NFS that has no name outside of the kernel.
        if (memory.Kernel is { } kernel and not 0
            && TrySet("memory", "memory.kmem.limit_in_bytes", Text(kernel)) is var error
            and not (Errno.None or Errno.EOPNOTSUPP or (Errno)524 or Errno.ENOENT))
        {
            Refuse("memory", "memory.kmem.limit_in_bytes", Text(kernel), "the kernel memory limit", error);
        }

        if (memory.KernelTcp is { } tcp and not 0)
        {
            Set("memory", "memory.kmem.tcp.limit_in_bytes", Text(tcp), "the limit of memory for TCP");
        }
    }

    private void SetCpuV1(CpuResource cpu)
    {
        // the share of a group that runs only when idle cannot be set: before it becomes one, after it is none
        bool becomesIdle = cpu.Idle == 1;
        if (cpu.Idle is { } idle && !becomesIdle)
        {
            Set("cpu", "cpu.idle", Text(idle), "the idle class");
        }

        if (cpu.Shares is { } shares and not 0)
        {
            // the kernel would take the nearest value that it knows, and say nothing
            if (shares is < 2 or > 262144)
            {
                Fail("the CPU shares", "cpu", shares < 2 ? "the minimum allowed cpu-shares is 2"
                    : "the maximum allowed cpu-shares is 262144", Errno.EINVAL);
            }
            else
            {
                Set("cpu", "cpu.shares", Text(shares), "the CPU shares");
            }
        }

        if (becomesIdle)
        {
            Set("cpu", "cpu.idle", "1", "the idle class");
        }

        SetBandwidth(
            cpu,
            "cpu.cfs_burst_us",
            () =>
            {
                bool again = false;
                if (cpu.Period is { } period and not 0)
                {
                    // a shorter period with the old quota may be more than the group above has
                    Errno error = TrySet("cpu", "cpu.cfs_period_us", Text(period));
                    again = error == Errno.EINVAL && cpu.Quota is not (null or 0);
                    if (error != Errno.None && !again)
                    {
                        Refuse("cpu", "cpu.cfs_period_us", Text(period), "the CPU period", error);
                    }
                }

                if (cpu.Quota is { } quota and not 0)
                {
                    Set("cpu", "cpu.cfs_quota_us", Text(quota), "the CPU quota");
                }

                if (again)
                {
                    Set("cpu", "cpu.cfs_period_us", Text(cpu.Period!.Value), "the CPU period");
                }
            });

        if (cpu.RealtimePeriod is { } realtimePeriod and not 0)
        {
            Set("cpu", "cpu.rt_period_us", Text(realtimePeriod), "the real-time period");
        }

        if (cpu.RealtimeRuntime is { } runtime and not 0)
        {
            Set("cpu", "cpu.rt_runtime_us", Text(runtime), "the real-time runtime");
        }
    }

    // a burst is at most the quota: the one that shrinks goes first
    private void SetBandwidth(CpuResource cpu, string burstFile, Action setQuota)
    {
        Errno early = cpu.Burst is { } burst ? TrySet("cpu", burstFile, Text(burst)) : Errno.None;
        setQuota();
        if (early == Errno.EINVAL)
        {
            Set("cpu", burstFile, Text(cpu.Burst!.Value), "the CPU burst");
        }
        else if (early != Errno.None)
        {
            Refuse("cpu", burstFile, Text(cpu.Burst!.Value), "the CPU burst", early);
        }
    }

    private void SetBlocksV1(BlockIOResource blocks)
    {
        if (blocks.Weight is { } weight and not 0)
        {
            SetWeightV1("blkio.weight", "blkio.bfq.weight", Text((ulong)weight), "the block I/O weight");
        }

        if (blocks.LeafWeight is { } leaf and not 0)
        {
            Set("blkio", "blkio.leaf_weight", Text((ulong)leaf), "the block I/O leaf weight");
        }

        foreach (WeightDevice device in blocks.WeightDevice ?? [])
        {
            if (device.Weight is { } own)
            {
                SetWeightV1(
                    "blkio.weight_device", "blkio.bfq.weight_device", $"{device.Major}:{device.Minor} {own}", "the weight of a block device");
            }

            if (device.LeafWeight is { } deviceLeaf)
            {
                Set(
                    "blkio", "blkio.leaf_weight_device", $"{device.Major}:{device.Minor} {deviceLeaf}", "the leaf weight of a block device");
            }
        }

        SetThrottlesV1(blocks.ThrottleReadBpsDevice, "read_bps_device");
        SetThrottlesV1(blocks.ThrottleWriteBpsDevice, "write_bps_device");
        SetThrottlesV1(blocks.ThrottleReadIopsDevice, "read_iops_device");
        SetThrottlesV1(blocks.ThrottleWriteIopsDevice, "write_iops_device");
    }

    // the scheduler that knows weights was CFQ until Linux 5.0, and has been BFQ since
    private void SetWeightV1(string file, string bfqFile, string value, string what)
    {
        if (TrySet("blkio", file, value) is var error and not Errno.None)
        {
            if (error == Errno.ENOENT)
            {
                Set("blkio", bfqFile, value, what);
            }
            else
            {
                Refuse("blkio", file, value, what, error);
            }
        }
    }

    private void SetThrottlesV1(IReadOnlyList<ThrottleDevice>? devices, string file)
    {
        foreach (ThrottleDevice device in devices ?? [])
        {
            Set(
                "blkio", $"blkio.throttle.{file}", $"{device.Major}:{device.Minor} {device.Rate}", "the limit of a block device");
        }
    }

    private void SetNetworkV1(NetworkResource network)
    {
        if (network.ClassId is { } id and not 0)
        {
            Set("net_cls", "net_cls.classid", Text((ulong)id), "the network class");
        }

        foreach (InterfacePriority priority in network.Priorities ?? [])
        {
            Set("net_prio", "net_prio.ifpriomap", $"{priority.Name} {priority.Priority}", "the network priorities");
        }
    }
}
