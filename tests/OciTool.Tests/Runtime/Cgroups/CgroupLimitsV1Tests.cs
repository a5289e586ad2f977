using CsCheck;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

public sealed class CgroupLimitsV1Tests
{
    private const string Limit = "memory.limit_in_bytes";
    private const string Swap = "memory.memsw.limit_in_bytes";
    private const long Unlimited = 9223372036854771712;

    [Fact]
    public void Every_field_goes_into_its_file()
    {
        KernelModel kernel = new();
        KernelModel.LimitsV1(kernel).Apply(new()
        {
            Memory = new()
            {
                Limit = 4096,
                Reservation = 2048,
                Swap = 8192,
                Kernel = 1,
                KernelTcp = 2,
                Swappiness = 10,
                DisableOomKiller = true,
                UseHierarchy = true,
            },
            Cpu = new()
            {
                Shares = 512,
                Quota = 50000,
                Burst = 1000,
                Period = 100000,
                RealtimeRuntime = 7,
                RealtimePeriod = 8,
                Cpus = "0-1",
                Mems = "0",
                Idle = 0,
            },
            Pids = new(32),
            BlockIO = new()
            {
                Weight = 100,
                LeafWeight = 200,
                WeightDevice = [new(8, 0) { Weight = 300, LeafWeight = 400 }],
                ThrottleReadBpsDevice = [new(8, 0, 1)],
                ThrottleWriteBpsDevice = [new(8, 1, 2)],
                ThrottleReadIopsDevice = [new(8, 2, 3)],
                ThrottleWriteIopsDevice = [new(8, 3, 0)],
            },
            HugepageLimits = [new("2MB", 4194304)],
            Network = new() { ClassId = 1048577, Priorities = [new("eth0", 500)] },
            Rdma = new Dictionary<string, RdmaLimit> { ["mlx5_1"] = new() { HcaHandles = 3, HcaObjects = 10000 } },
        });

        Assert.Equal(
            [
                "cpuset.cpus=0-1", "cpuset.mems=0",
                "memory.use_hierarchy=1", $"{Limit}=4096", $"{Swap}=8192", "memory.soft_limit_in_bytes=2048",
                "memory.kmem.limit_in_bytes=1", "memory.kmem.tcp.limit_in_bytes=2", "memory.oom_control=1", "memory.swappiness=10",
                "cpu.idle=0", "cpu.shares=512", "cpu.cfs_burst_us=1000", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000",
                "cpu.rt_period_us=8", "cpu.rt_runtime_us=7",
                "pids.max=32",
                "blkio.weight=100", "blkio.leaf_weight=200", "blkio.weight_device=8:0 300", "blkio.leaf_weight_device=8:0 400",
                "blkio.throttle.read_bps_device=8:0 1", "blkio.throttle.write_bps_device=8:1 2",
                "blkio.throttle.read_iops_device=8:2 3", "blkio.throttle.write_iops_device=8:3 0",
                "hugetlb.2MB.limit_in_bytes=4194304", "hugetlb.2MB.rsvd.limit_in_bytes=4194304",
                "net_cls.classid=1048577", "net_prio.ifpriomap=eth0 500",
                "rdma.max=mlx5_1 hca_handle=3 hca_object=10000",
            ],
            kernel.Writes);
    }

    [Fact]
    public void What_is_not_given_or_zero_stays_as_it_is()
    {
        KernelModel kernel = new();
        KernelModel.LimitsV1(kernel).Apply(new()
        {
            Memory = new() { Limit = 0, Swap = 0, Reservation = 0, Kernel = 0, Swappiness = ulong.MaxValue },
            Cpu = new() { Shares = 0, Quota = 0, Period = 0, Cpus = "", Mems = "" },
            BlockIO = new() { Weight = 0 },
            Network = new() { ClassId = 0 },
        });

        Assert.Empty(kernel.Writes);
    }

    [Fact]
    public void Limits_of_memory_change_from_any_pair_to_any_other()
    {
        // what the kernel demands: the limit of both together is never below the one of memory
        Gen<(long Limit, long Swap)> pair = Gen.Select(Gen.Long[1, 10], Gen.Long[0, 10]).Select((limit, more) => (limit, limit + more));
        Gen.Select(pair, pair).Sample((old, target) =>
        {
            KernelModel kernel = MemoryModel(old.Limit, old.Swap);
            KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Limit = target.Limit, Swap = target.Swap } });
            Assert.Equal((target.Limit, target.Swap), (kernel.Number(Limit), kernel.Number(Swap)));
        });
    }

    [Fact]
    public void Memory_without_a_limit_has_no_limit_of_swap_either()
    {
        KernelModel kernel = MemoryModel(100, 200);
        KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Limit = -1 } });
        Assert.Equal((Unlimited, Unlimited), (kernel.Number(Limit), kernel.Number(Swap)));
    }

    [Fact]
    public void Swap_that_is_not_counted_need_not_be_unlimited()
    {
        KernelModel kernel = new() { Files = new() { [Limit] = "100" } };
        KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Limit = -1, Swap = -1 } });
        Assert.Equal(-1, kernel.Number(Limit));

        OciException failure = Assert.Throws<OciException>(
            () => KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Limit = 10, Swap = 20 } }));
        Assert.Equal($"cannot set the limit of memory and swap: '/v1/memory' has no {Swap}", failure.Message);
    }

    [Fact]
    public void A_limit_below_the_present_use_says_both()
    {
        KernelModel kernel = new()
        {
            Files = new() { [Limit] = "100", ["memory.usage_in_bytes"] = "70\n", ["memory.max_usage_in_bytes"] = "90\n" },
            Rule = (file, _) => file == Limit ? Errno.EBUSY : Errno.None,
        };
        OciException failure = Assert.Throws<OciException>(
            () => KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Limit = 10 } }));
        Assert.Equal(
            "cannot set the memory limit: unable to set memory limit to 10 (current usage: 70, peak usage: 90)", failure.Message);
    }

    [Fact]
    public void Bandwidth_changes_from_any_quota_period_and_burst_to_any_other()
    {
        // what the kernel demands: the quota is at most what the group above has in the same period, the burst at most the quota
        Gen<(long Quota, long Burst)> state = Gen.Select(Gen.Long[1, 10], Gen.Long[0, 10])
            .Select((quota, burst) => (quota, Math.Min(quota, burst)));
        Gen.Select(state, state).Sample((old, target) =>
        {
            KernelModel kernel = null!;
            kernel = new KernelModel
            {
                Files = new() { ["cpu.cfs_quota_us"] = $"{old.Quota}", ["cpu.cfs_burst_us"] = $"{old.Burst}" },
                Rule = (file, value) =>
                {
                    long quota = file == "cpu.cfs_quota_us" ? long.Parse(value) : kernel.Number("cpu.cfs_quota_us");
                    long burst = file == "cpu.cfs_burst_us" ? long.Parse(value) : kernel.Number("cpu.cfs_burst_us");
                    return burst <= quota ? Errno.None : Errno.EINVAL;
                },
            };
            CpuResource cpu = new() { Quota = target.Quota, Burst = (ulong)target.Burst };
            KernelModel.LimitsV1(kernel).Apply(new() { Cpu = cpu });
            Assert.Equal((target.Quota, target.Burst), (kernel.Number("cpu.cfs_quota_us"), kernel.Number("cpu.cfs_burst_us")));
        });
    }

    [Fact]
    public void A_period_that_is_too_short_for_the_old_quota_is_set_after_the_new_one()
    {
        KernelModel kernel = null!;
        kernel = new KernelModel
        {
            Files = new() { ["cpu.cfs_quota_us"] = "100000", ["cpu.cfs_period_us"] = "100000" },
            Rule = (file, value) =>
            {
                long quota = file == "cpu.cfs_quota_us" ? long.Parse(value) : kernel.Number("cpu.cfs_quota_us");
                long period = file == "cpu.cfs_period_us" ? long.Parse(value) : kernel.Number("cpu.cfs_period_us");
                return quota <= period ? Errno.None : Errno.EINVAL; // the group above has one processor
            },
        };
        KernelModel.LimitsV1(kernel).Apply(new() { Cpu = new() { Quota = 5000, Period = 10000 } });
        Assert.Equal((5000, 10000), (kernel.Number("cpu.cfs_quota_us"), kernel.Number("cpu.cfs_period_us")));
    }

    [Theory]
    [InlineData(1, "cannot set the CPU shares: the minimum allowed cpu-shares is 2")]
    [InlineData(262145, "cannot set the CPU shares: the maximum allowed cpu-shares is 262144")]
    public void Shares_that_the_kernel_would_change_in_silence_are_refused(ulong shares, string message)
    {
        OciException failure = Assert.Throws<OciException>(
            () => KernelModel.LimitsV1(new()).Apply(new() { Cpu = new() { Shares = shares } }));
        Assert.Equal(message, failure.Message);
    }

    [Fact]
    public void Weights_are_those_of_bfq_where_cfq_is_gone()
    {
        KernelModel kernel = new() { Files = new() { ["blkio.bfq.weight"] = "100" } };
        KernelModel.LimitsV1(kernel).Apply(new() { BlockIO = new() { Weight = 50 } });
        Assert.Equal(50, kernel.Number("blkio.bfq.weight"));
    }

    [Fact]
    public void The_specification_lets_a_kernel_have_no_limit_of_its_own_memory()
    {
        KernelModel kernel = new() { Rule = (file, _) => file == "memory.kmem.limit_in_bytes" ? (Errno)524 : Errno.None };
        KernelModel.LimitsV1(kernel).Apply(new() { Memory = new() { Kernel = 4096 } });
        Assert.Single(kernel.Writes);
    }

    [Fact]
    public void What_the_kernel_refuses_is_said_with_file_value_and_cause()
    {
        KernelModel kernel = new() { Rule = (_, _) => Errno.EINVAL };
        OciException failure = Assert.Throws<OciException>(
            () => KernelModel.LimitsV1(kernel).Apply(new() { Cpu = new() { Cpus = "99" } }));
        Assert.Equal("cannot set the processors: write '99' to '/v1/cpuset/cpuset.cpus': Invalid argument", failure.Message);
    }

    [Fact]
    public void A_limit_without_its_controller_is_an_error_or_a_warning()
    {
        ResourcesSpec resources = new() { Memory = new() { Limit = 1 } };
        OciException failure = Assert.Throws<OciException>(() => new CgroupLimits([], new KernelModel()).Apply(resources));
        Assert.Equal("cannot set the memory limit: the host has no writable memory controller", failure.Message);

        List<string> warnings = [];
        new CgroupLimits([], new KernelModel(), warnings).Apply(resources);
        Assert.Equal(["the memory limit is not in force: no writable memory controller"], warnings);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("")]
    public void A_page_size_is_no_path(string size) => Assert.Throws<OciException>(
        () => KernelModel.LimitsV1(new()).Apply(new() { HugepageLimits = [new(size, 1)] }));

    [Fact]
    public void Files_of_v2_cannot_be_set_on_v1()
    {
        OciException failure = Assert.Throws<OciException>(() => KernelModel.LimitsV1(new()).Apply(
            new() { Unified = new Dictionary<string, string> { ["memory.high"] = "1" } }));
        Assert.Equal("cannot set the unified resources: the host has cgroup v1", failure.Message);
    }

    private static KernelModel MemoryModel(long limit, long swap)
    {
        KernelModel kernel = null!;
        return kernel = new KernelModel
        {
            Files = new() { [Limit] = $"{limit}", [Swap] = $"{swap}" },
            Rule = (file, value) =>
            {
                long number = value == "-1" ? Unlimited : long.Parse(value);
                bool fits = file == Limit ? number <= kernel.Number(Swap) : number >= kernel.Number(Limit);
                return fits ? Errno.None : Errno.EINVAL;
            },
            Unlimited = $"{Unlimited}",
        };
    }
}
