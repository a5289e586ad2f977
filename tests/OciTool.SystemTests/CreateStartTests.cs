using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>create and start: a run in two steps, and once more.</summary>
public sealed class CreateStartTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task A_created_container_is_shown_and_start_runs_it_with_its_own_status()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult create = (await Oci.RunAsync("create", "--name", "c1", "--network", "none", "-e", "A=b", image, "sh", "-c", "echo $A; echo no >&2; exit 7")).Succeeded();

        Assert.Matches("^[0-9a-f]{64}\n$", create.Output);
        Assert.Equal("", create.Error);
        Assert.Equal("c1 Created\n", (await Oci.RunAsync("ps", "-a", "--format", "{{.Names}} {{.Status}}")).Succeeded().Output);
        Assert.Equal("created\n", (await Oci.RunAsync("inspect", "--format", "{{.State.Status}}", "c1")).Succeeded().Output);
        ProgramResult start = await Oci.RunAsync("start", "--attach", "c1");
        Assert.Equal((7, "b\n", "no\n"), (start.Status, start.Output, start.Error));
        Assert.Equal("exited 7\n", (await Oci.RunAsync("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "c1")).Succeeded().Output);
    }

    [Fact]
    public async Task A_container_that_has_ended_starts_again_with_what_it_wrote()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await Oci.RunAsync("run", "--name", "again", "--network", "none", image, "sh", "-c", "echo x >> /count; chmod 711 /; wc -l < /count; stat -c %a /");

        Assert.Equal("2\n711\n", (await Oci.RunAsync("start", "-a", "again")).Succeeded().Output);
        Assert.Equal("3\n711\n", (await Oci.RunAsync("container", "start", "-a", "again")).Succeeded().Output);
    }

    [Fact]
    public async Task Standard_input_is_given_to_a_container_that_was_created_for_it()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "-i", "--name", "in", "--network", "none", image, "cat")).Succeeded();
        (await Oci.RunAsync("create", "--name", "out", "--network", "none", image, "cat")).Succeeded();

        Assert.Equal("hello", (await Oci.RunAsync([], "hello", "start", "-a", "-i", "in")).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync([], "hello", "start", "-a", "in")).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync([], "hello", "start", "-a", "-i", "out")).Succeeded().Output);
    }

    [Fact]
    public async Task A_container_is_confined_after_start_as_after_run()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string[] options = ["--network", "none", "--cap-drop", "all", "--user", "guest", "--read-only", "--hostname", "here"];
        string[] command = ["sh", "-c", "grep -E 'Cap|Seccomp|NoNewPrivs|Uid' /proc/self/status; hostname; touch /x 2>&1; cat /proc/self/cgroup | wc -l"];
        string run = (await Oci.RunAsync(["run", "--rm", .. options, image, .. command])).Succeeded().Output;
        (await Oci.RunAsync(["create", "--name", "tight", .. options, image, .. command])).Succeeded();

        Assert.Equal(run, (await Oci.RunAsync("start", "-a", "tight")).Succeeded().Output);
        Assert.Contains("Seccomp:\t2", run, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_of_create_with_rm_stays_until_it_has_run()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--rm", "--name", "once", "--network", "none", image, "true")).Succeeded();
        (await Oci.RunAsync("create", "--name", "other", image, "true")).Succeeded();
        (await Oci.RunAsync("rm", "other")).Succeeded(); // tidies up after killed containers

        Assert.Equal(0, (await Oci.RunAsync("container", "exists", "once")).Status);
        (await Oci.RunAsync("start", "-a", "once")).Succeeded();

        Assert.Equal(1, (await Oci.RunAsync("container", "exists", "once")).Status);
        Assert.Empty(Directory.GetDirectories(Path.Join(Oci.Root, "containers")));
    }

    [Fact]
    public async Task A_running_container_is_not_started_a_second_time()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--name", "busy", "--network", "none", image, "sh", "-c", "echo ready; exec sleep 1000", Oci.Marker())).Succeeded();
        using RunningProgram start = Oci.Start("start", "-a", "busy");
        await start.OutputHasAsync("ready");

        Failed(await Oci.RunAsync("start", "-a", "busy"), 125, "it is running");
        Assert.StartsWith("Up ", (await Oci.RunAsync("ps", "--format", "{{.Status}}")).Succeeded().Output, StringComparison.Ordinal);
        await start.SignalAsync("KILL");
        await start.EndAsync();

        Assert.Equal("exited\n", (await Oci.RunAsync("inspect", "--format", "{{.State.Status}}", "busy")).Succeeded().Output);
    }

    [Fact]
    public async Task A_command_that_is_not_there_gives_127_as_with_run_and_can_be_tried_again()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--name", "none", "--network", "none", image, "nosuchcmd")).Succeeded();

        Failed(await Oci.RunAsync("start", "-a", "none"), 127, "nosuchcmd");
        Failed(await Oci.RunAsync("start", "-a", "none"), 127, "nosuchcmd");
        Assert.Equal("created\n", (await Oci.RunAsync("inspect", "--format", "{{.State.Status}}", "none")).Succeeded().Output);
    }

    [Fact]
    public async Task A_failed_create_leaves_nothing()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        Failed(await Oci.RunAsync("create", "--user", "nobodyhere", image), 126, "unable to find user nobodyhere");
        Failed(await Oci.RunAsync("create", "--pull", "never", "nosuch"), 125, "nosuch: image not known");
        Failed(await Oci.RunAsync("create"), 125, "requires at least 1 arg");

        Assert.Equal("", (await Oci.RunAsync("ps", "-a", "-q")).Succeeded().Output);
        Assert.Empty(Directory.GetDirectories(Path.Join(Oci.Root, "containers")));
    }

    [Fact]
    public async Task Start_refuses_what_it_cannot_do()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--name", "c1", image)).Succeeded();

        ProgramResult detached = await Oci.RunAsync("start", "c1");
        Failed(detached, 125, "in the background");
        Assert.Contains("oci start --attach c1", detached.Error, StringComparison.Ordinal);
        Failed(await Oci.RunAsync("start", "-a", "nosuch"), 125, "no container with name or ID \"nosuch\" found: no such container");
        Failed(await Oci.RunAsync("start"), 125, "start requires at least one argument");
        Failed(await Oci.RunAsync("start", "-a", "c1", "c2"), 125, "you cannot start and attach multiple containers at once");
        Failed(await Oci.RunAsync("create", "--name", "c1", image), 125, "the container name \"c1\" is already in use");

        string container = Directory.GetDirectories(Path.Join(Oci.Root, "containers")).Single();
        await File.WriteAllTextAsync(Path.Join(container, "config.json"), "{", Cancellation);
        Failed(await Oci.RunAsync("start", "-a", "c1"), 125, "its configuration .* cannot be read");
    }
}
