using CsCheck;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

public sealed class CgroupLimitsV2Tests
{
    [Fact]
    public void Every_field_is_converted()
    {
        KernelModel kernel = new();
        KernelModel.LimitsV2(kernel).Apply(new()
        {
            Memory = new() { Limit = 4096, Reservation = 2048, Swap = 8192, Kernel = 1 },
            Cpu = new()
            {
                Shares = 1024,
                Quota = 50000,
                Burst = 1000,
                Period = 100000,
                Cpus = "0-1",
                Mems = "0",
                Idle = 0,
            },
            Pids = new(32),
            BlockIO = new()
            {
                Weight = 100,
                WeightDevice = [new(8, 0) { Weight = 300 }],
                ThrottleReadBpsDevice = [new(8, 0, 1)],
                ThrottleWriteBpsDevice = [new(8, 1, 2)],
                ThrottleReadIopsDevice = [new(8, 2, 3)],
                ThrottleWriteIopsDevice = [new(8, 3, 0)],
            },
            HugepageLimits = [new("2MB", 4194304)],
            Rdma = new Dictionary<string, RdmaLimit> { ["mlx5_1"] = new() { HcaObjects = 10000 } },
            Unified = new Dictionary<string, string> { ["memory.high"] = "3000", ["io.max"] = "8:0 rbps=1\n8:1 rbps=2\n" },
        });

        Assert.Equal(
            [
                "pids.max=32",
                "memory.swap.max=4096", "memory.max=4096", "memory.low=2048",
                "io.bfq.weight=100", "io.bfq.weight=8:0 300",
                "io.max=8:0 rbps=1", "io.max=8:1 wbps=2", "io.max=8:2 riops=3", "io.max=8:3 wiops=max",
                "cpu.idle=0", "cpu.weight=100", "cpu.max.burst=1000", "cpu.max=50000 100000",
                "cpuset.cpus=0-1", "cpuset.mems=0",
                "hugetlb.2MB.max=4194304", "hugetlb.2MB.rsvd.max=4194304",
                "rdma.max=mlx5_1 hca_object=10000",
                "memory.high=3000", "io.max=8:0 rbps=1", "io.max=8:1 rbps=2",
            ],
            kernel.Writes);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 1)]
    [InlineData(1024, 100)]
    [InlineData(512, 59)]
    [InlineData(2048, 174)]
    [InlineData(262144, 10000)]
    [InlineData(1000000, 10000)]
    public void Shares_become_a_weight_of_the_same_importance(ulong shares, ulong weight) =>
        Assert.Equal(weight, CgroupLimits.WeightOfShares(shares));

    [Fact]
    public void More_shares_are_never_less_weight() => Gen.Select(Gen.ULong[2, 262144], Gen.ULong[2, 262144]).Sample((a, b) =>
    {
        ulong less = CgroupLimits.WeightOfShares(Math.Min(a, b));
        ulong more = CgroupLimits.WeightOfShares(Math.Max(a, b));
        return less <= more && less >= 1 && more <= 10000;
    });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(10, 1)]
    [InlineData(100, 910)]
    [InlineData(1000, 10000)]
    public void Block_weights_are_stretched(ushort weight, ulong expected) =>
        Assert.Equal(expected, CgroupLimits.WeightOfBlocks(weight));

    [Theory]
    [InlineData(-1, 0, -1L)]
    [InlineData(100, -1, -1L)]
    [InlineData(100, 0, null)]
    [InlineData(0, 0, null)]
    [InlineData(100, 100, 0L)]
    [InlineData(100, 300, 200L)]
    public void Swap_is_what_both_together_have_more(long limit, long swap, long? alone) =>
        Assert.Equal(alone, CgroupLimits.SwapAlone(limit, swap));

    [Theory]
    [InlineData(0, 300)]
    [InlineData(-1, 300)]
    [InlineData(300, 200)]
    public void Swap_that_cannot_be_is_refused(long limit, long swap) =>
        Assert.Throws<OciException>(() => CgroupLimits.SwapAlone(limit, swap));

    [Fact]
    public void No_limit_is_the_word_max()
    {
        KernelModel kernel = new();
        KernelModel.LimitsV2(kernel).Apply(new()
        {
            Memory = new() { Limit = -1, Reservation = -1 },
            Cpu = new() { Quota = -1 },
            Pids = new(-1),
        });
        Assert.Equal(["pids.max=max", "memory.swap.max=max", "memory.max=max", "memory.low=max", "cpu.max=max"], kernel.Writes);
    }

    [Fact]
    public void Where_nobody_counts_swap_only_a_positive_limit_of_it_is_missing()
    {
        KernelModel kernel = new() { Files = new() { ["memory.max"] = "max" } };
        KernelModel.LimitsV2(kernel).Apply(new() { Memory = new() { Limit = 100, Swap = 100 } });
        Assert.Equal("100", kernel.Files["memory.max"]);
        Assert.Throws<OciException>(() => KernelModel.LimitsV2(kernel).Apply(new() { Memory = new() { Limit = 100, Swap = 200 } }));
    }

    [Fact]
    public void A_new_period_alone_keeps_the_quota()
    {
        KernelModel kernel = new() { Files = new() { ["cpu.max"] = "5000 100000\n" } };
        KernelModel.LimitsV2(kernel).Apply(new() { Cpu = new() { Period = 20000 } });
        Assert.Equal("5000 20000", kernel.Files["cpu.max"]);
    }

    [Fact]
    public void Weights_are_converted_where_the_scheduler_is_not_bfq()
    {
        KernelModel kernel = new() { Files = new() { ["io.weight"] = "default 100" } };
        KernelModel.LimitsV2(kernel).Apply(new() { BlockIO = new() { Weight = 1000 } });
        Assert.Equal("10000", kernel.Files["io.weight"]);
    }

    [Theory]
    [InlineData(10, 0, true)]
    [InlineData(0, 10, true)]
    [InlineData(100, 100, false)]
    [InlineData(-1, 0, false)]
    public void A_limit_below_the_present_use_is_refused_where_that_is_asked_for(long limit, long reservation, bool isRefused)
    {
        KernelModel kernel = new()
        {
            Files = new()
            {
                ["memory.max"] = "max",
                ["memory.low"] = "0",
                ["memory.swap.max"] = "max",
                ["memory.current"] = "50\n",
            },
        };
        ResourcesSpec update = new() { Memory = new() { Limit = limit, Reservation = reservation, CheckBeforeUpdate = true } };
        Exception? failure = Record.Exception(() => KernelModel.LimitsV2(kernel).Apply(update));
        Assert.Equal(isRefused, failure is OciException);
        Assert.Equal(isRefused, kernel.Writes.Count == 0);
    }

    [Fact]
    public void What_only_v1_has_is_an_error()
    {
        ResourcesSpec[] impossible =
        [
            new() { Memory = new() { Swappiness = 10 } },
            new() { Memory = new() { DisableOomKiller = true } },
            new() { Memory = new() { KernelTcp = 10 } },
            new() { Cpu = new() { RealtimeRuntime = 10 } },
            new() { Network = new() { ClassId = 10 } },
            new() { Network = new() { Priorities = [new("eth0", 1)] } },
        ];
        Assert.All(impossible, resources =>
        {
            OciException failure = Assert.Throws<OciException>(() => KernelModel.LimitsV2(new()).Apply(resources));
            Assert.EndsWith("cgroup v2 does not have it", failure.Message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    public void A_unified_key_is_a_file_name(string key)
    {
        OciException failure = Assert.Throws<OciException>(() => KernelModel.LimitsV2(new()).Apply(
            new() { Unified = new Dictionary<string, string> { [key] = "1" } }));
        Assert.Contains("must be a file name (no slashes)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_controller_that_could_not_be_passed_down_is_said()
    {
        KernelModel kernel = new() { Files = [] };
        CgroupLimits limits = new(KernelModel.DirectoriesV2, kernel) { ControllerFailure = "write '+memory' to 'x': Device or resource busy" };
        OciException failure = Assert.Throws<OciException>(() => limits.Apply(new() { Memory = new() { Limit = 1 } }));
        Assert.Equal(
            "cannot set the memory limit: '/v2' has no memory.max (write '+memory' to 'x': Device or resource busy)", failure.Message);
    }

    [Fact]
    public void A_refused_value_names_the_file_of_v2()
    {
        KernelModel kernel = new() { Rule = (_, _) => Errno.EBUSY };
        OciException failure = Assert.Throws<OciException>(
            () => KernelModel.LimitsV2(kernel).Apply(new() { Memory = new() { Limit = 1 } }));
        Assert.Equal("cannot set the memory limit: write '1' to '/v2/memory.max': Device or resource busy", failure.Message);
    }
}
