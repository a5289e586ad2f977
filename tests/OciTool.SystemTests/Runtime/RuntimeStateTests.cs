using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>runtime.md#state: what <c>state</c> and <c>list</c> print.</summary>
public sealed class RuntimeStateTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#state", "it has ociVersion, id, status, pid and bundle")]
    [Requirement("runtime.md#state", "pid is the process's as the host sees it")]
    [Requirement("runtime.md#state", "bundle is an absolute path")]
    [Requirement("runtime.md#state", "annotations are those of the configuration")]
    [Requirement("command line: state", "it has rootfs, created and owner, too")]
    public Task The_state_of_a_running_container_is_whole(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync(config => config["annotations"] = new JsonObject { ["com.example.key"] = "value", ["empty"] = "" });
        JsonObject state = await container.StateAsync();
        Assert.Matches(@"^1\.\d+\.\d+", (string?)state["ociVersion"]);
        Assert.Equal(container.Id, (string?)state["id"]);
        Assert.Equal("running", (string?)state["status"]);
        Assert.Equal(container.Bundle.Path, (string?)state["bundle"]);
        Assert.Equal(container.Bundle.Rootfs, (string?)state["rootfs"]);
        Assert.Equal("", (string?)state["owner"]);
        var created = DateTimeOffset.Parse((string)state["created"]!, CultureInfo.InvariantCulture);
        Assert.InRange(created, TimeProvider.System.GetUtcNow().AddMinutes(-2), TimeProvider.System.GetUtcNow().AddSeconds(2));
        Assert.Equal("""{"com.example.key":"value","empty":""}""", Sorted(state["annotations"]!).ToJsonString());
        Assert.Equal("sleep\01000\0", Container.Proc((int)state["pid"]!, "cmdline"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#state", "bundle is an absolute path")]
    [Requirement("command line: flags", "without `--bundle` the bundle is the working directory")]
    public Task A_bundle_by_a_relative_name_has_its_absolute_one_in_the_state(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle();
        string id = runtime.NewId();
        (await runtime.ThroughShellAsync($"cd '{Path.GetDirectoryName(bundle.Path)}' && exec \"$@\" </dev/null >/dev/null 2>&1", "create", "--bundle", Path.GetFileName(bundle.Path), id)).Succeeded();
        Assert.Equal(bundle.Path, (string?)JsonNode.Parse((await runtime.RunAsync("state", id)).Succeeded().Output)!["bundle"]);
        string other = runtime.NewId();
        Bundle second = runtime.NewBundle();
        (await runtime.ThroughShellAsync($"cd '{second.Path}' && exec \"$@\" </dev/null >/dev/null 2>&1", "create", other)).Succeeded();
        Assert.Equal(second.Path, (string?)JsonNode.Parse((await runtime.RunAsync("state", other)).Succeeded().Output)!["bundle"]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: state", "pid is 0 once the process has ended")]
    public Task A_stopped_container_has_no_pid(string name) => Under(name, async runtime =>
    {
        Container container = await (await runtime.StartedAsync()).StoppedAsync();
        Assert.Equal(0, (int)(await container.StateAsync())["pid"]!);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#state", "a status of the runtime's own is a new state: paused")]
    [Requirement("command line: verbs", "pause and resume freeze and thaw all processes")]
    public Task A_paused_container_says_so(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync(config => config.Script("while :; do echo tick; sleep 0.02; done"));
        await container.WritesAsync("tick");
        (await runtime.RunAsync("pause", container.Id)).Succeeded();
        Assert.Equal("paused", await container.StatusAsync());
        await Task.Delay(50, Cancellation);
        string before = container.Output;
        await Task.Delay(200, Cancellation);
        Assert.Equal(before, container.Output);
        Assert.Equal(1, (await container.DeleteAsync()).Status);
        Assert.NotEqual(0, (await container.ExecAsync("true")).Status);
        (await runtime.RunAsync("resume", container.Id)).Succeeded();
        Assert.Equal("running", await container.StatusAsync());
        Assert.NotEqual(before, await EventuallyAsync(() => Task.FromResult(container.Output), text => text != before));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "list shows all containers: a table, `-q` IDs, `-f json` states")]
    public Task The_list_has_every_container(string name) => Under(name, async runtime =>
    {
        Assert.Equal("", (await runtime.RunAsync("list", "-q")).Succeeded().Output);
        Container created = await runtime.CreateAsync();
        Container running = await runtime.SleepingAsync();
        Assert.Equal([created.Id, running.Id], (await runtime.RunAsync("list", "-q")).Succeeded().Lines.Order());
        JsonArray states = JsonNode.Parse((await runtime.RunAsync("list", "--format", "json")).Succeeded().Output)!.AsArray();
        Assert.Equal(["created", "running"], states.Select(state => (string?)state!["status"]).Order());
        Assert.Equal(
            [created.Bundle.Path, running.Bundle.Path], states.OrderBy(state => (string?)state!["id"]).Select(state => (string?)state!["bundle"]));
        string[] table = (await runtime.RunAsync("list")).Succeeded().Lines;
        Assert.Matches(@"^ID\s+PID\s+STATUS\s+BUNDLE\s+CREATED\s+OWNER", table[0]);
        Assert.Equal(3, table.Length);
        Assert.Matches($@"^{running.Id}\s+{await running.PidAsync()}\s+running\s+{running.Bundle.Path}\s", Assert.Single(table, line => line.StartsWith(running.Id, StringComparison.Ordinal)));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "ps shows the processes of the group by the host's pids: a table, `-f json` an array")]
    public Task The_processes_of_a_container_are_listed(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync(config => config.Script("sleep 1000 & sleep 1001"));
        JsonArray pids = await EventuallyAsync(
            async () => JsonNode.Parse((await runtime.RunAsync("ps", "--format", "json", container.Id)).Succeeded().Output)!.AsArray(),
            pids => pids.Count == 2);
        Assert.Equal(2, pids.Count);
        Assert.Contains(await container.PidAsync(), pids.Select(pid => (int)pid!));
        Assert.Contains("sleep\01001\0", pids.Select(pid => Container.Proc((int)pid!, "cmdline")));
        string[] table = (await runtime.RunAsync("ps", container.Id)).Succeeded().Lines;
        Assert.Contains("PID", table[0]);
        Assert.Equal(3, table.Length);
    });

    private static JsonObject Sorted(JsonNode map) =>
        new(map.AsObject().OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
}
