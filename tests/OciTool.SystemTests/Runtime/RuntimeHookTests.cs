using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md: the six kinds of hooks.</summary>
public sealed class RuntimeHookTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "hooks run in the order of the lifecycle, and those of a kind in the order of their list")]
    [Requirement("runtime.md#lifecycle", "prestart, createRuntime and createContainer run in create, startContainer and poststart in start, poststop in delete")]
    [RuncDiffers("1.1 runs poststart in create, ahead of the program")]
    public Task Hooks_run_in_the_order_of_the_lifecycle(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("exec sleep 1000"));
        string log = bundle["tmp/order"];
        bundle.Change(config =>
        {
            foreach (string kind in new[] { "prestart", "createRuntime", "createContainer", "poststart", "poststop" })
            {
                config.Hook(kind, $"echo {kind} 1 >> '{log}'");
                config.Hook(kind, $"echo {kind} 2 >> '{log}'");
            }

            config.Hook("startContainer", "echo startContainer 1 >> /tmp/order");
            config.Hook("startContainer", "echo startContainer 2 >> /tmp/order");
        });
        Container container = await runtime.CreateAsync(bundle);
        Assert.Equal(Twice("prestart", "createRuntime", "createContainer"), await File.ReadAllLinesAsync(log, Cancellation));
        (await container.StartAsync()).Succeeded();
        string[] started = await EventuallyAsync(() => File.ReadAllLinesAsync(log, Cancellation), lines => lines.Length == 10);
        // the last hook before the program and the first after it do not wait for one another
        Assert.Equal(Twice("prestart", "createRuntime", "createContainer"), started[..6]);
        Assert.Equal(Twice("poststart", "startContainer"), started[6..].Order(StringComparer.Ordinal));
        (await container.DeleteAsync("--force")).Succeeded();
        Assert.Equal(Twice("poststop"), (await File.ReadAllLinesAsync(log, Cancellation))[10..]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "no signal is blocked or ignored in a hook")]
    public Task A_hook_gets_its_signals(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("exec sleep 1000"));
        string[] kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
        bundle.Change(config =>
        {
            foreach (string kind in kinds)
            {
                config.Hook(kind, $"grep -E '^Sig(Blk|Ign)' /proc/self/status > '{bundle["tmp"]}/{kind}'");
            }
        });
        Container container = await runtime.CreateAsync(bundle);
        (await container.StartAsync()).Succeeded();
        (await container.DeleteAsync("--force")).Succeeded();

        foreach (string kind in kinds)
        {
            Assert.Equal(["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"], await File.ReadAllLinesAsync(bundle[$"tmp/{kind}"], Cancellation));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "prestart, createRuntime, poststart and poststop run in the namespaces of the runtime")]
    [Requirement("config.md#posix-platform-hooks", "createContainer runs in those of the container, ahead of pivot_root; startContainer behind it")]
    public Task Every_kind_has_its_namespaces_and_its_root(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("readlink /proc/self/ns/mnt > /tmp/program; exec sleep 1000"));
        string[] outside = ["prestart", "createRuntime", "poststart", "poststop"];
        bundle.Change(config =>
        {
            foreach (string kind in outside.Append("createContainer"))
            {
                config.Hook(kind, $"readlink /proc/self/ns/mnt > '{bundle["tmp"]}/{kind}'");
            }

            config.Hook("startContainer", "readlink /proc/self/ns/mnt > /tmp/startContainer");
        });
        Container container = await runtime.CreateAsync(bundle);
        (await container.StartAsync()).Succeeded();
        string program = await EventuallyAsync(() => Recorded("program"), text => text.Length > 0);
        (await container.DeleteAsync("--force")).Succeeded();

        string host = (await Shell.RunAsync("readlink", "/proc/self/ns/mnt")).Succeeded().Output;
        Assert.NotEqual(host, program);
        foreach (string kind in outside)
        {
            Assert.Equal(host, await Recorded(kind));
        }

        Assert.Equal(program, await Recorded("createContainer"));
        Assert.Equal(program, await Recorded("startContainer"));

        async Task<string> Recorded(string kind) =>
            File.Exists(bundle[$"tmp/{kind}"]) ? await File.ReadAllTextAsync(bundle[$"tmp/{kind}"], Cancellation) : "";
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "a hook gets the state on its standard input")]
    [Requirement("command line: semantics", "the state that a hook gets has the ID, the bundle, and init's process ID as the host sees it")]
    public Task A_hook_gets_the_state(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("exec sleep 1000"));
        string[] kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
        bundle.Change(config =>
        {
            foreach (string kind in kinds)
            {
                config.Hook(kind, $"cat > '{bundle["tmp"]}/{kind}'");
            }

            config.Hook("startContainer", "cat > /tmp/startContainer");
        });
        Container container = await runtime.CreateAsync(bundle);
        int pid = await container.PidAsync();
        (await container.StartAsync()).Succeeded();
        (await container.DeleteAsync("--force")).Succeeded();
        foreach (string kind in kinds.Append("startContainer"))
        {
            JsonObject state = JsonNode.Parse(await File.ReadAllTextAsync(bundle[$"tmp/{kind}"], Cancellation))!.AsObject();
            Assert.Equal(container.Id, (string?)state["id"]);
            Assert.Equal(bundle.Path, (string?)state["bundle"]);
            Assert.NotNull((string?)state["ociVersion"]);
            if (kind is "prestart" or "createRuntime" or "poststart")
            {
                Assert.Equal(pid, (int)state["pid"]!);
            }

            if (kind != "poststart")
            {
                Assert.Contains((string?)state["status"], kind == "poststop" ? ["stopped"] : new[] { "creating", "created" });
            }
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "the status that a poststart hook gets is running")]
    [RuncDiffers("1.1 says created")]
    public Task A_poststart_hook_is_told_that_the_container_runs(string name) => Under(name, async runtime =>
    {
        string file = runtime["state-of-hook"];
        await runtime.SleepingAsync(config => config.Hook("poststart", $"cat > '{file}'"));
        Assert.Equal("running", (string?)JsonNode.Parse(await File.ReadAllTextAsync(file, Cancellation))!["status"]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "args are those of execv, the first of them as well")]
    [Requirement("config.md#posix-platform-hooks", "the environment is that of the hook and nothing else")]
    public Task A_hook_has_its_own_arguments_and_environment(string name) => Under(name, async runtime =>
    {
        string file = runtime["hook"];
        await runtime.CreateAsync(config => config["hooks"] = new JsonObject
        {
            ["createRuntime"] = new JsonArray(new JsonObject
            {
                ["path"] = "/bin/sh",
                ["args"] = new JsonArray("zero", "-c", $"tr '\\0' '\\n' < /proc/$$/environ > '{file}'; echo \"$0,$1\" >> '{file}'; head -c4 /proc/$$/cmdline >> '{file}'", "a b", "*"),
                ["env"] = new JsonArray("ONE=1", "TWO=a b"),
            }),
        });
        Assert.Equal("ONE=1\nTWO=a b\na b,*\nzero", await File.ReadAllTextAsync(file, Cancellation));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-hooks", "a hook that takes longer than its timeout is ended, which is an error")]
    public Task A_hook_that_takes_too_long_is_ended(string name) => Under(name, async runtime =>
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await runtime.RefusesAsync(config => config.Hook("createRuntime", "exec sleep 100", timeout: 1));
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#lifecycle", "a prestart, createRuntime or createContainer hook that fails makes create fail, and nothing is left")]
    public Task A_hook_that_fails_makes_create_fail(string name) => Under(name, async runtime =>
    {
        foreach (string kind in new[] { "prestart", "createRuntime", "createContainer" })
        {
            await runtime.RefusesAsync(config => config.Hook(kind, "exit 3"));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#lifecycle", "where a startContainer hook fails the program does not run and the container stops")]
    public Task A_hook_that_fails_in_the_container_stops_it(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.CreateAsync(config =>
        {
            config.Script("echo ran > /tmp/ran");
            config.Hook("startContainer", "exit 3");
        });
        await container.StartAsync();
        await container.StoppedAsync();
        Assert.False(File.Exists(container.Bundle["tmp/ran"]));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#lifecycle", "where a poststop hook fails the others run, and delete goes on")]
    [RuncDiffers("1.1 ends at the first that fails")]
    public Task A_hook_that_fails_at_the_end_is_no_obstacle(string name) => Under(name, async runtime =>
    {
        string file = runtime["last"];
        Container container = await runtime.StartedAsync(config =>
        {
            config.Hook("poststop", "exit 3");
            config.Hook("poststop", $"echo last > '{file}'");
        });
        await container.StoppedAsync();
        await container.DeleteAsync();
        Assert.NotEqual(0, (await runtime.RunAsync("state", container.Id)).Status);
        Assert.True(File.Exists(file));
    });

    private static string[] Twice(params string[] kinds) => [.. kinds.SelectMany(kind => new[] { $"{kind} 1", $"{kind} 2" })];
}
