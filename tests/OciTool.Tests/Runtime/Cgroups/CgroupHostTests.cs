using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

/// <summary>The groups of this host: those of cgroup v1, and of cgroup v2 beside them as systemd has it on a hybrid host.</summary>
public sealed class CgroupHostTests : IDisposable
{
    private readonly string _id = $"oci-test-{Guid.NewGuid():N}";
    private readonly List<Process> _processes = [];
    private readonly List<Cgroup> _groups = [];

    [Fact]
    public void A_container_has_a_directory_in_every_hierarchy_and_its_processes_are_there()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}/inner" });
        Process process = Start(cgroup, "exec sleep 100");
        string[] lines = File.ReadAllLines($"/proc/{process.Id}/cgroup");
        CgroupMounts mounts = CgroupMounts.Read();
        Assert.Equal(lines.Length, cgroup.Record.Directories.Count);
        Assert.All(lines, line => Assert.EndsWith($":/{_id}/inner", line, StringComparison.Ordinal));
        Assert.Equal([process.Id], cgroup.Processes);
        Assert.True(mounts.IsUnified || cgroup.UnifiedDirectory is null);
    }

    [Fact]
    public void Limits_that_are_set_are_read_back_and_updated()
    {
        Cgroup cgroup = Make(new(_id)
        {
            Path = $"/{_id}",
            Resources = new()
            {
                Memory = new() { Limit = 64 << 20, Reservation = 32 << 20 },
                Cpu = new() { Shares = 512, Quota = 20000, Period = 50000, Burst = 10000, Cpus = "0" },
                Pids = new(77),
            },
        });
        bool isV2 = cgroup.UnifiedDirectory is not null;
        Assert.Equal($"{64 << 20}", Read(cgroup, "memory", isV2 ? "memory.max" : "memory.limit_in_bytes"));
        Assert.Equal($"{32 << 20}", Read(cgroup, "memory", isV2 ? "memory.low" : "memory.soft_limit_in_bytes"));
        Assert.Equal("0", Read(cgroup, "cpuset", "cpuset.cpus"));
        Assert.Equal("77", Read(cgroup, "pids", "pids.max"));
        Assert.Equal(isV2 ? "59" : "512", Read(cgroup, "cpu", isV2 ? "cpu.weight" : "cpu.shares"));
        Assert.Equal(isV2 ? "20000 50000" : "20000", Read(cgroup, "cpu", isV2 ? "cpu.max" : "cpu.cfs_quota_us"));
        Assert.Equal("10000", Read(cgroup, "cpu", isV2 ? "cpu.max.burst" : "cpu.cfs_burst_us"));

        // another process has the record only
        Cgroup.Open(cgroup.Record).Update(new()
        {
            Memory = new() { Limit = 128 << 20, Swap = 256 << 20 },
            Cpu = new() { Quota = -1, Idle = 1 },
            Pids = new(-1),
        });
        Assert.Equal($"{128 << 20}", Read(cgroup, "memory", isV2 ? "memory.max" : "memory.limit_in_bytes"));
        Assert.Equal("max", Read(cgroup, "pids", "pids.max"));
        Assert.Equal("1", Read(cgroup, "cpu", "cpu.idle"));
        Assert.Equal(isV2 ? "max 50000" : "-1", Read(cgroup, "cpu", isV2 ? "cpu.max" : "cpu.cfs_quota_us"));
        Cgroup.Open(cgroup.Record).Update(new() { Memory = new() { Limit = 16 << 20, Swap = 16 << 20 } });
        Assert.Equal($"{16 << 20}", Read(cgroup, "memory", isV2 ? "memory.max" : "memory.limit_in_bytes"));
    }

    [Fact]
    public void A_limit_that_the_kernel_refuses_leaves_no_group_behind()
    {
        NeedsRoot();
        OciException failure = Assert.Throws<OciException>(() => Cgroup.Create(new(_id)
        {
            Path = $"/{_id}",
            Resources = new() { Cpu = new() { Cpus = "4000" } },
        }));
        Assert.StartsWith("cannot set the processors: write '4000' to '", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories("/sys/fs/cgroup", _id, SearchOption.AllDirectories));
    }

    [Fact]
    public void A_group_with_processes_in_it_is_not_taken_for_another_container()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}" });
        Process process = Start(cgroup, "exec sleep 100");
        OciException failure = Assert.Throws<OciException>(() => Cgroup.Create(new(_id) { Path = $"/{_id}" }));
        Assert.StartsWith("container's cgroup is not empty: 1 process(es) found", failure.Message, StringComparison.Ordinal);
        Assert.Equal([process.Id], cgroup.Processes);
    }

    [Fact]
    public void Device_rules_are_in_force_and_can_be_changed()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}", Resources = new() { Devices = [new(false) { Access = "rwm" }] } });
        Assert.Equal("null", Output(cgroup, "dd if=/dev/null count=1 2>/dev/null && echo -n null; dd if=/dev/kmsg count=0 2>/dev/null && echo kmsg"));
        cgroup.Update(new() { Devices = [new(false) { Access = "rwm" }, new(true) { Type = "c", Major = 1, Minor = 11, Access = "r" }] });
        Assert.Equal("kmsg", Output(cgroup, "dd if=/dev/kmsg count=0 2>/dev/null && echo -n kmsg"));
    }

    [Fact]
    public void Device_rules_of_v2_are_an_ebpf_program_that_can_be_replaced()
    {
        Cgroup cgroup = MakeV2();
        string directory = cgroup.UnifiedDirectory!;
        CgroupDirectory[] directories = [new(directory, [])];
        Apply([new(false)]);
        Assert.Equal(1, BpfProgram.Count(directory));
        const string Probe = "dd if=/dev/null count=1 2>/dev/null && echo -n null; dd if=/dev/kmsg count=0 2>/dev/null && echo -n kmsg";
        Assert.Equal("null", Output(cgroup, Probe));
        Apply([new(false), new(true) { Type = "c", Major = 1, Minor = 11, Access = "r" }]);
        Assert.Equal(1, BpfProgram.Count(directory));
        Assert.Equal("nullkmsg", Output(cgroup, Probe));
        Assert.Equal("", Output(cgroup, "dd if=/dev/null of=/dev/kmsg count=0 2>/dev/null && echo -n written"));

        void Apply(DeviceRule[] rules) => CgroupDevices.Apply(
            directories, DeviceRules.Parse(rules, withDefaults: true), HostFiles.Instance, isNew: true, warnings: null);
    }

    [Fact]
    public void The_verifier_of_the_kernel_is_quoted()
    {
        Cgroup cgroup = MakeV2();
        ErrnoException failure = Assert.Throws<ErrnoException>(() => BpfProgram.Attach(cgroup.UnifiedDirectory!, [0x95]));
        Assert.Contains("R0 !read_ok", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frozen_processes_stand_still_until_they_are_thawed(bool isV2)
    {
        Cgroup cgroup = isV2 ? MakeV2() : Make(new(_id) { Path = $"/{_id}" });
        string file = Path.GetTempFileName();
        try
        {
            Process process = Start(cgroup, $"while :; do echo x >> {file}; sleep 0.01; done");
            Assert.True(Within(() => new FileInfo(file).Length > 4));
            Assert.False(cgroup.IsFrozen);
            cgroup.Freeze();
            Assert.True(cgroup.IsFrozen);
            long length = new FileInfo(file).Length;
            Thread.Sleep(100);
            Assert.Equal(length, new FileInfo(file).Length);
            cgroup.Thaw();
            Assert.False(cgroup.IsFrozen);
            Assert.True(Within(() => new FileInfo(file).Length > length));
        }
        finally
        {
            Dispose();
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void No_process_of_a_tree_that_forks_all_the_time_escapes_a_kill(bool isV2, bool isFrozen)
    {
        Cgroup cgroup = isV2 ? MakeV2() : Make(new(_id) { Path = $"/{_id}", Resources = new() { Pids = new(100) } });

        // at most some dozens at a time, each the child of one that has ended
        Process process = Start(cgroup, "while :; do (sleep 0.05; sleep 0.05) & sleep 0.005; done");
        Assert.True(Within(() => cgroup.Processes.Count > 5));
        if (isFrozen)
        {
            cgroup.Freeze();
        }

        cgroup.KillAll(Signals.Kill);
        Assert.True(process.WaitForExit(5000));
        Assert.True(Within(() => cgroup.Processes.Count == 0));
        Assert.True(cgroup.Delete());
        Assert.All(cgroup.Directories, directory => Assert.False(Directory.Exists(directory)));
    }

    [Fact]
    public void Another_signal_reaches_every_process_once()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}" });
        string file = Path.GetTempFileName();
        Process first = Start(cgroup, $"trap 'echo x >> {file}; exit' USR1; while :; do sleep 0.01; done");
        Process second = Start(cgroup, $"trap 'echo x >> {file}; exit' USR1; while :; do sleep 0.01; done");
        Thread.Sleep(200); // until both have set their traps
        cgroup.KillAll(Signals.User1);
        Assert.True(first.WaitForExit(5000) && second.WaitForExit(5000));
        Assert.Equal("x\nx\n", File.ReadAllText(file));
        File.Delete(file);
    }

    [Fact]
    public void Groups_that_the_container_made_are_found_and_removed()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}" });
        foreach (string directory in cgroup.Directories)
        {
            Directory.CreateDirectory($"{directory}/a/b");
            foreach (string file in (string[])["cpuset.cpus", "cpuset.mems"])
            {
                if (File.Exists($"{directory}/{file}") && cgroup.UnifiedDirectory is null)
                {
                    File.WriteAllText($"{directory}/a/{file}", File.ReadAllText($"{directory}/{file}"));
                    File.WriteAllText($"{directory}/a/b/{file}", File.ReadAllText($"{directory}/{file}"));
                }
            }
        }

        Process process = Start(cgroup, "exec sleep 100", "a/b");
        Assert.Contains($":/{_id}/a/b", File.ReadAllText($"/proc/{process.Id}/cgroup"), StringComparison.Ordinal);
        Assert.Equal([process.Id], cgroup.Processes);
        cgroup.KillAll(Signals.Kill);
        process.WaitForExit();
        Assert.True(cgroup.Delete());
        Assert.All(cgroup.Directories, directory => Assert.False(Directory.Exists(directory)));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("pids:a/../../x")]
    public void A_group_that_is_not_below_is_not_opened(string path)
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}" });
        OciException failure = Assert.Throws<OciException>(() => cgroup.OpenEntrances(path));
        Assert.StartsWith("bad sub cgroup path", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_relative_path_is_below_the_callers_own_groups()
    {
        CgroupMounts mounts = CgroupMounts.Read();
        Assert.SkipUnless(mounts.V1.ContainsKey("memory"), "needs cgroup v1");
        Cgroup cgroup = Make(new(_id) { Path = _id });
        string own = ProcessGroups.Of(pid: 0).PathOf("memory")!;
        Assert.Contains($"{mounts.V1["memory"]}{own.TrimEnd('/')}/{_id}", cgroup.Directories);
    }

    [Fact]
    public void Use_is_counted()
    {
        Cgroup cgroup = Make(new(_id) { Path = $"/{_id}", Resources = new() { Memory = new() { Limit = 32 << 20 } } });
        Output(cgroup, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
        CgroupStatistics statistics = cgroup.ReadStatistics();
        Assert.True(statistics.Cpu.Usage.Total > 1_000_000);
        Assert.Equal(32UL << 20, statistics.Memory.Usage.Limit);
        Assert.NotNull(statistics.Memory.Raw);
        Assert.Equal(0, cgroup.OomKills);

        // tail keeps all of a line that never ends
        Output(cgroup, "tail -c 1 < /dev/null; head -c 200000000 /dev/zero | tail -n 1 | wc -c");
        Assert.True(cgroup.OomKills > 0);
    }

    public void Dispose()
    {
        foreach (Cgroup cgroup in _groups)
        {
            cgroup.KillAll(Signals.Kill);
        }

        foreach (Process process in _processes)
        {
            process.WaitForExit();
            process.Dispose();
        }

        _processes.Clear();
        foreach (Cgroup cgroup in _groups)
        {
            cgroup.Delete();
            foreach (string parent in cgroup.Directories.Select(directory => Path.GetDirectoryName(directory)!))
            {
                if (Path.GetFileName(parent) == _id)
                {
                    KernelFile.RemoveDirectory(parent);
                }
            }
        }

        _groups.Clear();
    }

    private static void NeedsRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "groups of this host need root");

    private static bool Within(Func<bool> condition)
    {
        for (int i = 0; i < 500; i++)
        {
            if (condition())
            {
                return true;
            }

            Thread.Sleep(10);
        }

        return false;
    }

    private static string Read(Cgroup cgroup, string controller, string file)
    {
        string directory = cgroup.Record.Directories.First(one => one.Has(controller) || cgroup.UnifiedDirectory is not null).Path;
        return File.ReadAllText($"{directory}/{file}").Trim();
    }

    private Cgroup Make(CgroupRequest request)
    {
        NeedsRoot();
        Cgroup cgroup = Cgroup.Create(request)!;
        _groups.Add(cgroup);
        return cgroup;
    }

    private Cgroup MakeV2()
    {
        NeedsRoot();
        CgroupMounts mounts = CgroupMounts.Read();
        Assert.SkipUnless(mounts.V2 is not null, "needs a mount of cgroup v2");
        string directory = $"{mounts.V2}/{_id}";
        Directory.CreateDirectory(directory);
        Cgroup cgroup = Cgroup.Open(new CgroupRecord([new(directory, [])]));
        _groups.Add(cgroup);
        return cgroup;
    }

    // a shell that first enters the groups: by files that were opened for it, or moved by us
    private Process Start(Cgroup cgroup, string script, params string[] subPaths)
    {
        IReadOnlyList<SafeFileHandle> entrances = cgroup.OpenEntrances(subPaths);
        string files = string.Join(' ', entrances.Select(entrance => $"/proc/{Environment.ProcessId}/fd/{entrance.DangerousGetHandle()}"));
        Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"read go; for f in {files}; do echo 0 > $f || exit 9; done; echo in; exec 2> /dev/null; {script}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _processes.Add(process);
        cgroup.Move(process.Id, neighbour: 0, subPaths)?.Wait();
        process.StandardInput.WriteLine();
        Assert.Equal("in", process.StandardOutput.ReadLine());
        foreach (SafeFileHandle entrance in entrances)
        {
            entrance.Dispose();
        }

        return process;
    }

    private string Output(Cgroup cgroup, string script)
    {
        Process process = Start(cgroup, script);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
