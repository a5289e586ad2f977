using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Signals, sudden death, and containers that are kept.</summary>
public sealed class LifecycleTests(Machine machine) : OciTest(machine)
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    [InlineData("USR1")]
    public async Task A_signal_to_run_reaches_the_container(string signal)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using RunningProgram run = Oci.Start(
            "run", "--rm", image, "sh", "-c", $"trap 'echo got {signal}; exit 9' {signal}; echo ready; while :; do sleep 0.05; done");
        await run.OutputHasAsync("ready");

        await run.SignalAsync(signal);

        ProgramResult ended = await run.EndAsync();
        Assert.Equal(9, ended.Status);
        Assert.Equal($"ready\ngot {signal}\n", ended.Output);
    }

    [Fact]
    public async Task A_container_that_terminates_by_the_forwarded_signal_exits_with_143()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start("run", "--rm", "--init", image, "sh", "-c", "echo ready; exec sleep 1000", marker);
        await run.OutputHasAsync("ready");

        await run.SignalAsync("TERM");

        Assert.Equal(143, (await run.EndAsync()).Status);
        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task The_container_dies_with_run()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start(
            "run", "--rm", image, "sh", "-c", "echo ready; while :; do sleep 0.05; done", marker);
        await run.OutputHasAsync("ready");

        await run.SignalAsync("KILL");

        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(10)));
        Assert.Equal(0, (await Oci.RunAsync("ps", "-a")).Status);
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_removed_container_leaves_nothing_in_the_store()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        Assert.Equal(3, (await Oci.RunAsync("run", "--rm", "--name", "gone", image, "sh", "-c", "echo x > /x; exit 3")).Status);

        Assert.Equal("", (await Oci.RunAsync("ps", "-a", "-q")).Succeeded().Output);
        string containers = Path.Join(Oci.Root, "containers");
        Assert.Empty(Directory.Exists(containers) ? Directory.GetDirectories(containers) : []);
    }

    [Fact]
    public async Task A_container_is_kept_without_rm()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        ProgramResult run = await Oci.RunAsync("run", "--name", "kept", "--cidfile", Oci["cid"], image, "sh", "-c", "exit 3");
        Assert.Equal(3, run.Status);
        string id = await File.ReadAllTextAsync(Oci["cid"], Cancellation);

        ProgramResult running = await Oci.RunAsync("ps");
        ProgramResult all = await Oci.RunAsync("ps", "-a");

        Assert.Matches("^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES *$", Assert.Single(running.Succeeded().Lines));
        Assert.Matches($"^{id[..12]} +{image} +sh -c exit 3 +.* ago +Exited \\(3\\) .* ago +kept *$", all.Succeeded().Lines[1]);
        Assert.Equal($"{id}\n", (await Oci.RunAsync("ps", "-aq", "--no-trunc")).Succeeded().Output);
    }

    [Fact]
    public async Task Inspect_knows_a_kept_container_by_name_and_by_identifier()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        Assert.Equal(3, (await Oci.RunAsync("run", "--name", "kept", "--cidfile", Oci["cid"], image, "sh", "-c", "exit 3")).Status);
        string id = await File.ReadAllTextAsync(Oci["cid"], Cancellation);
        string format = "{{.Id}} {{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.ImageName}} {{.Image}}";

        foreach (string name in new[] { "kept", id, id[..12] })
        {
            ProgramResult inspect = await Oci.RunAsync("inspect", "--format", format, name);
            Assert.Equal($"{id} kept exited 3 false {image} {Machine.Images.Plain.Id}\n", inspect.Succeeded().Output);
        }
    }

    [Fact]
    public async Task Rm_removes_a_kept_container_once()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();

        Assert.Equal("kept\n", (await Oci.RunAsync("rm", "kept")).Succeeded().Output);

        Failed(await Oci.RunAsync("rm", "kept"), 1, "no container with name or ID \"kept\" found: no such container");
        ProgramResult forced = await Oci.RunAsync("rm", "-f", "kept");
        Assert.Equal((0, "", ""), (forced.Status, forced.Output, forced.Error));
    }

    [Fact]
    public async Task A_running_container_is_listed_and_not_removed()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start(
            "run", "--name", "busy", image, "sh", "-c", "trap exit TERM; echo ready; while :; do sleep 0.05; done", marker);
        await run.OutputHasAsync("ready");

        Assert.Matches(" Up .* +busy *$", (await Oci.RunAsync("ps")).Succeeded().Lines[1]);
        Assert.Equal("running true\n", (await Oci.RunAsync("inspect", "--format", "{{.State.Status}} {{.State.Running}}", "busy")).Output);
        Failed(await Oci.RunAsync("rm", "busy"), 2, "cannot remove container .* as it is running");

        await run.SignalAsync("TERM");
        Assert.Equal(0, (await run.EndAsync()).Status);
        Assert.Equal("busy\n", (await Oci.RunAsync("rm", "busy")).Succeeded().Output);
    }

    [Fact]
    public async Task Rm_with_force_ends_a_running_container()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start(
            "run", "--name", "busy", image, "sh", "-c", "echo ready; while :; do sleep 0.05; done", marker);
        await run.OutputHasAsync("ready");

        Assert.Equal("busy\n", (await Oci.RunAsync("rm", "-f", "-t", "0", "busy")).Succeeded().Output);

        Assert.Equal(137, (await run.EndAsync()).Status);
        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(5)));
        Assert.Equal("", (await Oci.RunAsync("ps", "-aq")).Succeeded().Output);
    }

    [Fact]
    public async Task A_name_is_taken_until_its_container_is_removed()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "taken", image, "true")).Succeeded();

        Failed(await Oci.RunAsync("run", "--name", "taken", image, "true"), 125, "name \"?taken\"? is already in use");

        (await Oci.RunAsync("rm", "taken")).Succeeded();
        (await Oci.RunAsync("run", "--rm", "--name", "taken", image, "true")).Succeeded();
    }
}
