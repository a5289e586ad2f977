using System.Text;
using System.Text.Json;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

public sealed class CgroupDocumentTests
{
    [Fact]
    public void Every_limit_of_the_specification_is_read_and_written_back()
    {
        // the members that config-linux.md shows for linux.resources
        const string Document = """
            {"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],
            "memory":{"limit":536870912,"reservation":536870912,"swap":-1,"kernel":-1,"kernelTCP":-1,"swappiness":0,
            "disableOOMKiller":false,"useHierarchy":true,"checkBeforeUpdate":true},
            "cpu":{"shares":1024,"quota":-1,"burst":1000000,"period":500000,"realtimeRuntime":950000,"realtimePeriod":1000000,
            "cpus":"2-3","mems":"0-7","idle":0},
            "pids":{"limit":32771},
            "blockIO":{"weight":10,"leafWeight":10,"weightDevice":[{"major":8,"minor":0,"weight":500,"leafWeight":300}],
            "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}],"throttleWriteBpsDevice":[{"major":8,"minor":0,"rate":601}],
            "throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":602}],"throttleWriteIOPSDevice":[{"major":8,"minor":16,"rate":300}]},
            "hugepageLimits":[{"pageSize":"2MB","limit":9223372036854772000}],
            "network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]},
            "rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":10000}},
            "unified":{"io.max":"259:0 rbps=2097152 wiops=120\n253:0 rbps=2097152 wiops=120"}}
            """;
        ResourcesSpec resources = RuntimeSpecReader.ReadResources(Encoding.UTF8.GetBytes(Document));
        Assert.Equal(300UL, Assert.Single(resources.BlockIO!.ThrottleWriteIopsDevice!).Rate);
        using JsonDocument read = JsonDocument.Parse(Document);
        using JsonDocument written = JsonDocument.Parse(RuntimeJson.ToBytes(resources, RuntimeJson.Write).ToArray());
        Assert.True(JsonElement.DeepEquals(read.RootElement, written.RootElement), written.RootElement.ToString());
    }

    [Fact]
    public void Statistics_of_v2_have_the_names_of_runc()
    {
        KernelModel kernel = new()
        {
            Files = new()
            {
                ["cpu.stat"] = "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 1\nthrottled_usec 9\n",
                ["cpu.pressure"] = "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8\n",
                ["memory.current"] = "1000\n",
                ["memory.max"] = "4000\n",
                ["memory.peak"] = "2000\n",
                ["memory.swap.current"] = "10\n",
                ["memory.swap.max"] = "max\n",
                ["memory.stat"] = "anon 5\nfile 6\n",
                ["pids.current"] = "3\n",
                ["pids.max"] = "max\n",
                ["cpuset.cpus"] = "0-1,4\n",
                ["cpuset.mems"] = "\n",
                ["io.stat"] = "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n",
            },
        };
        CgroupStatistics statistics = Cgroup.Open(new(KernelModel.DirectoriesV2), kernel).ReadStatistics();
        Assert.Equal(
            """
            {"cpu":{"usage":{"total":5000,"kernel":2000,"user":3000},"throttling":{"periods":4,"throttledPeriods":1,"throttledTime":9000},"psi":{"some":{"avg10":1.5,"avg60":0.25,"avg300":0,"total":77},"full":{"avg10":0,"avg60":0,"avg300":0,"total":8}}},
            "cpuset":{"cpus":[0,1,4],"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},
            "memory":{"cache":6,"usage":{"limit":4000,"usage":1000,"max":2000,"failcnt":0},"swap":{"limit":18446744073709551615,"usage":1010,"failcnt":0},"kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0},"raw":{"anon":5,"file":6}},
            "pids":{"current":3},
            "blkio":{"ioServiceBytesRecursive":[{"major":8,"minor":16,"op":"Read","value":1459200},{"major":8,"minor":16,"op":"Write","value":314773504}],"ioServicedRecursive":[{"major":8,"minor":16,"op":"Read","value":192},{"major":8,"minor":16,"op":"Write","value":353}]},
            "hugetlb":{},"intel_rdt":{},"network_interfaces":null}
            """.ReplaceLineEndings(""),
            JsonSerializer.Serialize(statistics, CgroupJson.Default.CgroupStatistics));
    }

    [Fact]
    public void Statistics_of_v1_are_read_from_its_files()
    {
        KernelModel kernel = new()
        {
            Files = new()
            {
                ["cpuacct.usage"] = "900\n",
                ["cpuacct.usage_percpu"] = "400 500 \n",
                ["cpuacct.stat"] = "user 7\nsystem 8\n",
                ["cpu.stat"] = "nr_periods 4\nnr_throttled 1\nthrottled_time 9\n",
                ["memory.usage_in_bytes"] = "1\n",
                ["memory.max_usage_in_bytes"] = "2\n",
                ["memory.limit_in_bytes"] = "3\n",
                ["memory.failcnt"] = "4\n",
                ["memory.memsw.usage_in_bytes"] = "5\n",
                ["memory.stat"] = "cache 6\nrss 7\n",
                ["memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
                ["pids.current"] = "3\n",
                ["pids.max"] = "32\n",
                ["cpuset.sched_relax_domain_level"] = "-1\n",
                ["blkio.throttle.io_service_bytes"] = "8:0 Read 10\n8:0 Total 10\nTotal 10\n",
            },
        };
        CgroupDirectory[] directories = [.. KernelModel.DirectoriesV1, new("/v1/cpuacct", ["cpuacct"])];
        Cgroup cgroup = Cgroup.Open(new(directories), kernel);
        CgroupStatistics statistics = cgroup.ReadStatistics();
        Assert.Equal((900UL, 80_000_000UL, 70_000_000UL), (statistics.Cpu.Usage.Total, statistics.Cpu.Usage.Kernel, statistics.Cpu.Usage.User));
        Assert.Equal([400UL, 500UL], statistics.Cpu.Usage.Percpu);
        Assert.Equal(new CpuThrottling { Periods = 4, ThrottledPeriods = 1, ThrottledTime = 9 }, statistics.Cpu.Throttling);
        Assert.Equal(new MemoryEntry { Usage = 1, Max = 2, Limit = 3, Failcnt = 4 }, statistics.Memory.Usage);
        Assert.Equal(5UL, statistics.Memory.Swap.Usage);
        Assert.Equal(6UL, statistics.Memory.Cache);
        Assert.Equal(new PidsStatistics { Current = 3, Limit = 32 }, statistics.Pids);
        Assert.Equal(-1, statistics.Cpuset.SchedRelaxDomainLevel);
        Assert.Equal(
            [new BlockEntry { Major = 8, Op = "Read", Value = 10 }, new BlockEntry { Major = 8, Op = "Total", Value = 10 }],
            statistics.Blkio.IoServiceBytesRecursive);
        Assert.Equal(2, cgroup.OomKills);
    }
}
