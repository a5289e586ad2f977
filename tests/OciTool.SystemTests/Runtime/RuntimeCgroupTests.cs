using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config-linux.md: control groups and limits.</summary>
public sealed class RuntimeCgroupTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#cgroups-path", "the process is in the group of cgroupsPath in all hierarchies")]
    [Requirement("command line: semantics", "it is there when create returns")]
    public Task The_process_is_in_its_group_ahead_of_start(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.CreateAsync();
        string[] lines = Container.Proc(await container.PidAsync(), "cgroup").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // on version 1 the unified hierarchy has no controllers and may be left alone
        foreach (string line in lines.Where(line => Cgroup.IsUnified || !line.StartsWith("0::", StringComparison.Ordinal)))
        {
            Assert.EndsWith($":{container.Cgroup.Path}", line);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#memory", "limit and reservation are set")]
    [Requirement("config-linux.md#cpu", "quota, period, cpus and mems are set")]
    [Requirement("config-linux.md#pids", "the limit is set")]
    public Task Limits_are_set(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.CreateAsync(config =>
        {
            config.Resources["memory"] = new JsonObject { ["limit"] = 64 << 20, ["reservation"] = 32 << 20 };
            config.Resources["cpu"] = new JsonObject { ["quota"] = 50000, ["period"] = 200000, ["cpus"] = "0", ["mems"] = "0" };
            config.Resources["pids"] = new JsonObject { ["limit"] = 20 };
        });
        Cgroup group = container.Cgroup;
        Assert.Equal("67108864", group.Read("memory", "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("33554432", group.Read("memory", "memory.soft_limit_in_bytes", "memory.low"));
        Assert.Equal(Cgroup.IsUnified ? "50000 200000" : "50000", group.Read("cpu", "cpu.cfs_quota_us", "cpu.max"));
        Assert.Equal("0", group.Read("cpuset", "cpuset.cpus", "cpuset.cpus"));
        Assert.Equal("0", group.Read("cpuset", "cpuset.mems", "cpuset.mems"));
        Assert.Equal("20", group.Read("pids", "pids.max", "pids.max"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#control-groups", "a limit that cannot be set is an error")]
    public Task A_limit_that_cannot_be_set_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Resources["cpu"] = new JsonObject { ["cpus"] = "4000" }));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#delete", "the groups are removed, with those that were made below them")]
    public Task Delete_removes_the_groups_below(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync();
        await container.StoppedAsync();
        foreach (string directory in container.Cgroup.Directories.ToArray())
        {
            Directory.CreateDirectory(Path.Join(directory, "below/deeper"));
        }

        (await container.DeleteAsync()).Succeeded();
        Assert.Empty(container.Cgroup.Directories);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "update changes limits by flags, and by JSON from a file or from standard input")]
    public Task Update_changes_limits(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        (await runtime.RunAsync("update", "--memory", "67108864", "--pids-limit=30", "--cpu-quota", "40000", "--cpu-period", "100000", container.Id)).Succeeded();
        Assert.Equal("67108864", Memory());
        Assert.Equal("30", container.Cgroup.Read("pids", "pids.max", "pids.max"));
        Assert.Equal(Cgroup.IsUnified ? "40000 100000" : "40000", container.Cgroup.Read("cpu", "cpu.cfs_quota_us", "cpu.max"));

        foreach (string[] flags in new[] { new[] { "-r", "-" }, ["--resources", "-"], ["--resources=-"] })
        {
            (await runtime.RunWithInputAsync("""{"memory":{"limit":33554432}}""", ["update", .. flags, container.Id])).Succeeded();
            Assert.Equal("33554432", Memory());
            (await runtime.RunAsync("update", "--memory", "64M", container.Id)).Succeeded();
        }

        string file = runtime["resources.json"];
        await File.WriteAllTextAsync(file, """{"pids":{"limit":40}}""", Cancellation);
        (await runtime.RunAsync("update", $"--resources={file}", container.Id)).Succeeded();
        Assert.Equal("40", container.Cgroup.Read("pids", "pids.max", "pids.max"));

        string Memory() => container.Cgroup.Read("memory", "memory.limit_in_bytes", "memory.max");
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "events with `--stats` prints the use once, as a line of JSON")]
    public Task Events_print_the_use_of_resources(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync(config => config.Resources["pids"] = new JsonObject { ["limit"] = 20 });
        ProgramResult result = (await runtime.RunAsync("events", "--stats", container.Id)).Succeeded();
        JsonObject stats = JsonNode.Parse(Assert.Single(result.Lines))!.AsObject();
        Assert.Equal("stats", (string?)stats["type"]);
        Assert.Equal(container.Id, (string?)stats["id"]);
        Assert.Equal(1, (int)stats["data"]!["pids"]!["current"]!);
        Assert.Equal(20, (int)stats["data"]!["pids"]!["limit"]!);
        Assert.True((long)stats["data"]!["memory"]!["usage"]!["usage"]! > 0, result.Output);
        Assert.True((long)stats["data"]!["cpu"]!["usage"]!["total"]! > 0, result.Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#pids", "the limit holds")]
    public Task A_limit_of_processes_holds(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("sleep 5 & sleep 5 & sleep 5 & sleep 5 & echo all", config =>
            config.Resources["pids"] = new JsonObject { ["limit"] = 3 });
        Assert.NotEqual(0, result.Status);
        Assert.DoesNotContain("all", result.Output);
        Assert.Contains("fork", result.Error, StringComparison.OrdinalIgnoreCase);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "exec puts its process into the group of the container")]
    public Task A_further_process_is_in_the_group(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        string file = runtime["exec.pid"];
        (await runtime.RunDetachedAsync(runtime["exec.out"], "exec", "-d", "--pid-file", file, container.Id, "sleep", "1000")).Succeeded();
        int pid = int.Parse(await File.ReadAllTextAsync(file, Cancellation), CultureInfo.InvariantCulture);
        Assert.Contains(pid.ToString(CultureInfo.InvariantCulture), container.Cgroup.Read("pids", "cgroup.procs", "cgroup.procs").Split('\n'));
    });
}
