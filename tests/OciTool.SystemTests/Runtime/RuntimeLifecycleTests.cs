using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>runtime.md: the operations in every state.</summary>
public sealed class RuntimeLifecycleTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#lifecycle", "create makes the environment and does not run the program")]
    [Requirement("runtime.md#create", "after create the status is created")]
    [Requirement("runtime.md#start", "start runs the program of process, and the status is running")]
    public Task The_program_runs_at_start_and_not_before(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("echo started; exec sleep 1000"));
        Container container = await runtime.CreateAsync(bundle);
        Assert.Equal("created", await container.StatusAsync());
        int pid = await container.PidAsync();
        Assert.NotEqual(File.ResolveLinkTarget("/proc/self/ns/mnt", returnFinalTarget: false)!.Name, File.ResolveLinkTarget($"/proc/{pid}/ns/mnt", returnFinalTarget: false)!.Name);
        await Task.Delay(200, Cancellation);
        Assert.Equal("", container.Output);

        (await container.StartAsync()).Succeeded();
        await container.WritesAsync("started");
        Assert.Equal("running", await container.StatusAsync());
        Assert.Equal(pid, await container.PidAsync());
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#scope", "who creates a container can use every operation on it")]
    [Requirement("runtime.md#lifecycle", "delete destroys what create made")]
    [Requirement("runtime.md#delete", "the resources that create made are deleted")]
    [Requirement("runtime.md#delete", "the ID can be used again")]
    public Task A_container_lives_once_and_its_name_is_free_afterwards(string name) => Under(name, async runtime =>
    {
        string id = runtime.NewId();
        for (int round = 0; round < 2; round++)
        {
            Bundle bundle = runtime.NewBundle(config => config.Script("echo once"));
            (Container container, ProgramResult created) = await runtime.TryCreateAsync(bundle, id);
            created.Succeeded();
            Assert.NotEmpty(container.Cgroup.Directories);
            (await container.StartAsync()).Succeeded();
            await container.StoppedAsync();
            Assert.Equal("once\n", container.Output);
            (await container.DeleteAsync()).Succeeded();
            Assert.NotEqual(0, (await runtime.RunAsync("state", id)).Status);
            Assert.Empty(container.Cgroup.Directories);
            Assert.Empty(Mounts.Under(bundle.Path));
            Assert.False(Directory.Exists(Path.Join(runtime.Root, id)));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#lifecycle", "changes of config.json after create have no effect")]
    public Task A_configuration_that_is_changed_after_create_is_not_read_again(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("echo $WHICH; hostname"));
        bundle.Change(config => config.Process["env"]!.AsArray().Add((JsonNode)"WHICH=first"));
        Container container = await runtime.CreateAsync(bundle);
        bundle.Change(config =>
        {
            config.Script("echo changed");
            config["hostname"] = "changed";
        });
        (await container.StartAsync()).Succeeded();
        await container.StoppedAsync();
        Assert.Equal("first\nbox\n", container.Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#create", "an ID that is in use is refused, and no container is made")]
    [Requirement("runtime.md#state", "the ID is unique")]
    [Requirement("command line: errors", "an ID in use: `container with given ID already exists`")]
    public Task An_id_is_given_once(string name) => Under(name, async runtime =>
    {
        Container first = await runtime.SleepingAsync();
        Bundle other = runtime.NewBundle();
        (_, ProgramResult again) = await runtime.TryCreateAsync(other, first.Id);
        Assert.Equal(1, again.Status);
        Assert.Contains("container with given ID already exists", again.Error);
        JsonObject state = await first.StateAsync();
        Assert.Equal(first.Bundle.Path, (string?)state["bundle"]);
        Assert.Equal("running", (string?)state["status"]);
        Assert.Equal([Path.GetFileName(first.Cgroup.Path)], runtime.Cgroup.Children);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#create", "an ID that is not valid is refused, and no container is made")]
    [Requirement("command line: errors", "an ID has letters, digits and `_+-.`, else: `invalid container ID format`")]
    public Task An_id_that_could_be_a_path_is_refused(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle();
        foreach (string id in new[] { "a/b", "..", ".", "../up", "a b", "a*", "é" })
        {
            (_, ProgramResult result) = await runtime.TryCreateAsync(bundle, id);
            Assert.Equal(1, result.Status);
            Assert.Contains("invalid container ID format", result.Error);
        }

        Assert.Empty(runtime.Cgroup.Children);
        (_, ProgramResult odd) = await runtime.TryCreateAsync(bundle, $"A+_.-{runtime.NewId()}");
        odd.Succeeded();
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#create", "without an ID or a bundle it is an error")]
    [Requirement("runtime.md#state", "without an ID it is an error")]
    [Requirement("runtime.md#start", "without an ID it is an error")]
    [Requirement("runtime.md#kill", "without an ID it is an error")]
    [Requirement("runtime.md#delete", "without an ID it is an error")]
    public Task Operations_need_an_id(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle();
        foreach (string verb in new[] { "state", "start", "kill", "delete" })
        {
            Assert.NotEqual(0, (await runtime.RunAsync(verb)).Status);
        }

        Assert.NotEqual(0, (await runtime.RunAsync("create", "--bundle", bundle.Path)).Status);
        Assert.NotEqual(0, (await runtime.RunAsync("create", "--bundle", runtime["nowhere"], runtime.NewId())).Status);
        Assert.Empty((await runtime.RunAsync("list", "-q")).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#state", "a container that does not exist is an error")]
    [Requirement("runtime.md#start", "a container that does not exist is an error")]
    [Requirement("runtime.md#kill", "a container that does not exist is an error")]
    [Requirement("runtime.md#delete", "a container that does not exist is an error")]
    [Requirement("command line: errors", "an unknown ID: status 1 and `container does not exist`")]
    public Task Operations_on_a_container_that_does_not_exist_fail(string name) => Under(name, async runtime =>
    {
        foreach (string verb in new[] { "state", "start", "kill", "delete", "pause", "resume", "ps" })
        {
            ProgramResult result = await runtime.RunAsync(verb, "nobody");
            Assert.Equal(1, result.Status);
            Assert.Equal("", result.Output);
            Assert.Contains("container does not exist", result.Error);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#start", "what is not created cannot be started, and nothing happens to it")]
    public Task A_container_is_started_once(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync(config => config.Script("echo run; read line </dev/zero; exit 0"));
        await container.WritesAsync("run");
        Container running = await runtime.SleepingAsync();
        int pid = await running.PidAsync();
        Assert.Equal(1, (await running.StartAsync()).Status);
        Assert.Equal("running", await running.StatusAsync());
        Assert.Equal(pid, await running.PidAsync());

        (await running.KillAsync("KILL")).Succeeded();
        await running.StoppedAsync();
        ProgramResult stopped = await running.StartAsync();
        Assert.Equal(1, stopped.Status);
        Assert.Contains("stopped", stopped.Error);
        Assert.Equal("stopped", await running.StatusAsync());
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#start", "without a process in the configuration it is an error")]
    public Task A_container_without_a_process_does_not_start(string name) => Under(name, async runtime =>
    {
        (Container container, ProgramResult created) = await runtime.TryCreateAsync(runtime.NewBundle(config => config.Remove("process")));
        Assert.True(created.Status != 0 || (await container.StartAsync()).Status != 0, "it started");
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#kill", "the signal reaches the process")]
    [Requirement("runtime.md#kill", "once its process has ended the status is stopped")]
    public Task A_signal_reaches_the_process(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync(
            config => config.Script("trap 'echo got usr1' USR1; trap 'echo got term; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
        await container.WritesAsync("ready");
        (await container.KillAsync("USR1")).Succeeded();
        await container.WritesAsync("got usr1");
        Assert.Equal("running", await container.StatusAsync());
        (await container.KillAsync()).Succeeded();
        await container.WritesAsync("got term");
        await container.StoppedAsync();
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#kill", "a created container takes signals, too")]
    public Task A_created_container_can_be_killed(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.CreateAsync();
        (await container.KillAsync("KILL")).Succeeded();
        await container.StoppedAsync();
        (await container.DeleteAsync()).Succeeded();
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#kill", "a container that is neither created nor running: an error, and nothing happens")]
    [Requirement("command line: errors", "kill of one that has ended: status 1 and `container not running`")]
    public Task A_stopped_container_cannot_be_killed(string name) => Under(name, async runtime =>
    {
        Container container = await (await runtime.StartedAsync()).StoppedAsync();
        ProgramResult kill = await container.KillAsync("9");
        Assert.Equal(1, kill.Status);
        Assert.Contains("container not running", kill.Error);
        Assert.Equal("stopped", await container.StatusAsync());
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#delete", "one that runs cannot be deleted, and nothing happens to it")]
    [Requirement("command line: errors", "delete of one that runs: status 1 and `is not stopped: running`")]
    public Task A_running_container_is_not_deleted(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        ProgramResult delete = await container.DeleteAsync();
        Assert.Equal(1, delete.Status);
        Assert.Contains($"cannot delete container {container.Id} that is not stopped: running", delete.Error);
        Assert.Equal("running", await container.StatusAsync());
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "delete of a created one kills and deletes it, as runc does")]
    public Task A_created_container_is_killed_and_deleted(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.CreateAsync();
        int pid = await container.PidAsync();
        (await container.DeleteAsync()).Succeeded();
        Assert.Empty(container.Cgroup.Directories);
        Assert.True(!Directory.Exists($"/proc/{pid}") || Container.Proc(pid, "stat").Contains(") Z "), "its process is still there");
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#delete", "what the container did not make is not deleted")]
    public Task Delete_leaves_what_it_did_not_make(string name) => Under(name, async runtime =>
    {
        string shared = Directory.CreateDirectory(runtime["shared"]).FullName;
        await File.WriteAllTextAsync(Path.Join(shared, "kept"), "kept", Cancellation);
        Bundle bundle = runtime.NewBundle(config => config.Mount("/mnt", "bind", shared, "rbind"));
        Container container = await runtime.CreateAsync(bundle);
        (await container.DeleteAsync("--force")).Succeeded();
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Join(shared, "kept"), Cancellation));
        Assert.True(File.Exists(bundle.ConfigPath));
        Assert.True(File.Exists(bundle["bin/busybox"]));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#errors", "an error leaves everything as it was")]
    [Requirement("runtime.md#lifecycle", "an environment that cannot be made is an error")]
    public Task A_create_that_fails_leaves_nothing(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Mount("/mnt", "nosuchfilesystem", "none"));
        (Container container, ProgramResult result) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, result.Status);
        Assert.Empty(Mounts.Under(bundle.Path));
        Assert.Empty(container.Cgroup.Directories);
        Assert.False(Directory.Exists(Path.Join(runtime.Root, container.Id)));
        Assert.Equal("", (await runtime.RunAsync("list", "-q")).Succeeded().Output);
    });
}
