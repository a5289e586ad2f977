using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md#process: terminal and consoleSize; and the socket over which an engine gets the terminal.</summary>
public sealed class RuntimeTerminalTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "with terminal the standard streams are a terminal")]
    [Requirement("config.md#process", "consoleSize is the terminal's size")]
    [Requirement("config-linux.md#default-devices", "/dev/console is the terminal, where there is one")]
    [Requirement("command line: terminal", "the socket gets exactly one descriptor, the master, with a payload that is not empty, and is closed")]
    [Requirement("command line: terminal", "the terminal is the process's controlling one and belongs to its user")]
    public Task The_terminal_arrives_over_the_socket(string name) => Under(name, async runtime =>
    {
        using ConsoleSocket console = await ConsoleSocket.ListenAsync(runtime["c.sock"]);
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("tty; stat -c '%u %t' /dev/pts/0; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; echo controlling >/dev/tty; echo console >/dev/console; cut -d' ' -f7 /proc/self/stat; read line; echo \"got $line\"");
            config.Process["terminal"] = true;
            config.Process["consoleSize"] = new JsonObject { ["height"] = 30, ["width"] = 90 };
            config.Process["user"] = new JsonObject { ["uid"] = 1000, ["gid"] = 1000 };
        });
        Container container = await runtime.CreateAsync(bundle, "--console-socket", console.Path);
        string received = await console.HasAsync(" size=");
        Assert.Contains("received fds=1 payload=some rest=0 master=/dev/p", received);
        (await container.StartAsync()).Succeeded();
        string shown = await console.HasAsync("console\r\n34816");
        Assert.Contains("/dev/pts/0\r\n1000 88\r\n30 90\r\nall\r\ncontrolling\r\nconsole\r\n", shown);
        await console.TypeAsync("typed\n");
        await console.HasAsync("got typed");
        await console.HasAsync("hangup");
        await container.StoppedAsync();
        Assert.Equal("", container.Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "consoleSize is ignored without terminal")]
    [Requirement("config.md#process", "without terminal the standard streams are the caller's")]
    public Task Without_a_terminal_a_size_is_ignored(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; ls /dev/console", config =>
            config.Process["consoleSize"] = new JsonObject { ["height"] = 30, ["width"] = 90 });
        Assert.StartsWith("none\n", result.Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: terminal", "create and a detached run with a terminal need the socket, without one they must not have it")]
    public Task The_socket_and_the_terminal_belong_together(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Process["terminal"] = true);
        using ConsoleSocket console = await ConsoleSocket.ListenAsync(runtime["c.sock"]);
        (_, ProgramResult result) = await runtime.TryCreateAsync(runtime.NewBundle(), id: null, "--console-socket", console.Path);
        Assert.Equal(1, result.Status);
        Assert.Empty(runtime.Cgroup.Children);
        ProgramResult detached = await runtime.RunAsync("run", "--detach", "-b", runtime.NewBundle(config => config.Process["terminal"] = true).Path, runtime.NewId());
        Assert.Equal(1, detached.Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: terminal", "a socket that nobody listens on is an error and leaves nothing")]
    public Task A_socket_without_a_listener_is_refused(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Process["terminal"] = true);
        (Container container, ProgramResult result) = await runtime.TryCreateAsync(bundle, id: null, "--console-socket", runtime["nobody.sock"]);
        Assert.Equal(1, result.Status);
        Assert.Empty(runtime.Cgroup.Children);
        Assert.NotEqual(0, (await runtime.RunAsync("state", container.Id)).Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: terminal", "exec has a terminal of its own: `--tty`, or `terminal` in its process")]
    public Task Exec_has_a_terminal_of_its_own(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        using ConsoleSocket console = await ConsoleSocket.ListenAsync(runtime["c.sock"]);
        (await runtime.RunDetachedAsync(runtime["out"], "exec", "--tty", "--detach", "--console-socket", console.Path, container.Id, "sh", "-c", "tty; read line; echo got $line")).Succeeded();
        await console.HasAsync("/dev/pts/");
        await console.TypeAsync("it\n");
        await console.HasAsync("got it");

        using ConsoleSocket second = await ConsoleSocket.ListenAsync(runtime["d.sock"]);
        JsonObject process = JsonNode.Parse(await File.ReadAllTextAsync(container.Bundle.ConfigPath, Cancellation))!.AsObject().Process;
        process["terminal"] = true;
        process["consoleSize"] = new JsonObject { ["height"] = 11, ["width"] = 22 };
        process["args"] = new JsonArray("stty", "size");
        await File.WriteAllTextAsync(runtime["process.json"], process.ToJsonString(), Cancellation);
        (await runtime.RunDetachedAsync(runtime["out"], "exec", "--process", runtime["process.json"], "--console-socket", second.Path, "--detach", "--pid-file", runtime["pid"], container.Id)).Succeeded();
        await second.HasAsync("11 22");
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: terminal", "run in the foreground joins the terminal and the caller's own")]
    public Task A_foreground_run_uses_the_callers_terminal(string name) => Under(name, async runtime =>
    {
        Need.Programs("script");
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("tty; read line; stty size; echo \"got $line\"; exit 5"); // runc sets the size while the program runs
            config.Process["terminal"] = true;
        });
        await File.WriteAllTextAsync(runtime["run.sh"], $"stty rows 33 cols 66; {runtime.Path} --root {runtime.Root} run -b {bundle.Path} {runtime.NewId()}; echo status=$?", Cancellation);
        using var terminal = RunningProgram.Start("script", ["-qefc", $"sh {runtime["run.sh"]}", "/dev/null"]);
        await terminal.OutputHasAsync("/dev/pts/0");
        await terminal.Input.WriteAsync("it\n");
        await terminal.Input.FlushAsync(Cancellation);
        string shown = await terminal.OutputHasAsync("status=");
        Assert.Contains("33 66", shown);
        Assert.Contains("got it", shown);
        Assert.Contains("status=5", (await terminal.EndAsync()).Output);
    });
}
