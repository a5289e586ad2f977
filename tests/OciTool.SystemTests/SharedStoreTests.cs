using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Stores that can only be read, stores that are used beside one's own, and what a killed run leaves.</summary>
public sealed class SharedStoreTests(Machine machine) : OciTest(machine)
{
    private const string Greeting = "Fedora release 34 (Thirty Four)\n";

    [Fact]
    [Fault(8, "images, inspect, ps and run work in a read-only store, with containers below the run directory; pull says 'storage … is read-only'")]
    public async Task A_read_only_store_lists_inspects_and_runs()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();

        Assert.Contains(Machine.Images.Plain.Id[..12], (await ReadOnlyAsync("images")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal($"{Machine.Images.Plain.Id}\n", (await ReadOnlyAsync("inspect", "--format", "{{.Id}}", image)).Succeeded().Output);
        Assert.Matches("Exited \\(0\\) .* kept", (await ReadOnlyAsync("ps", "-a")).Succeeded().Output);
        Assert.Equal(Greeting, (await ReadOnlyAsync("run", "--rm", image, "cat", "/etc/redhat-release")).Succeeded().Output);
        Assert.Equal("x\n", (await ReadOnlyAsync("run", "--rm", image, "sh", "-c", "echo x > /x; cat /x")).Succeeded().Output);
        Assert.Equal(Greeting, (await ReadOnlyAsync("run", "--rm", "--read-only", image, "cat", "/etc/redhat-release")).Succeeded().Output);
        (await ReadOnlyAsync("system", "df")).Succeeded();
        Assert.Equal("", (await ReadOnlyAsync("system", "check")).Succeeded().Output);
        Assert.DoesNotContain(Directory.GetFiles(Oci["runroot"], "*", SearchOption.AllDirectories), file => !file.EndsWith("lock", StringComparison.Ordinal));
    }

    [Fact]
    [Fault(8, "whatever would write to a read-only store says so in one line")]
    public async Task What_writes_to_a_read_only_store_says_that_it_cannot()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string other = await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000));
        string readOnly = $"storage '{Oci.Root}' is read-only";

        Failed(await ReadOnlyAsync("pull", "-q", other), 125, readOnly);
        Failed(await ReadOnlyAsync("rmi", image), 125, readOnly);
        Failed(await ReadOnlyAsync("tag", image, "other"), 125, readOnly);
        Failed(await ReadOnlyAsync("system", "check", "--repair"), 125, readOnly);
        Failed(await ReadOnlyAsync("system", "reset", "-f"), 125, readOnly);
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_container_that_was_kept_below_the_run_directory_is_listed_and_removed()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        Assert.Equal(3, (await ReadOnlyAsync("run", "--name", "elsewhere", image, "sh", "-c", "exit 3")).Status);

        Assert.Matches("Exited \\(3\\) .* elsewhere", (await ReadOnlyAsync("ps", "-a")).Succeeded().Output);
        Assert.Equal("elsewhere\n", (await ReadOnlyAsync("rm", "elsewhere")).Succeeded().Output);
        Assert.Single((await ReadOnlyAsync("ps", "-a")).Succeeded().Lines);
    }

    [Fact]
    public async Task A_store_that_others_may_not_enter_is_not_an_empty_one()
    {
        Need.Programs("setpriv");
        await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult images = await Shell.RunAsync(
            "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", Oci.Binary, .. Oci.Arguments("images")], Oci.CleanEnvironment());

        Failed(images, 125, "cannot read '.*index.json'");
    }

    [Fact]
    public async Task Images_of_an_additional_store_are_listed_inspected_and_run_but_not_written()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await using Oci own = new();
        string[] before = Snapshot();

        string[] table = (await WithAsync(own, "images")).Succeeded().Lines;
        Assert.Matches("^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +R/O$", table[0]);
        Assert.Matches($"{Machine.Images.Plain.Id[..12]} .* true$", table[1]);
        Assert.Equal("true\n", (await WithAsync(own, "images", "--format", "{{.ReadOnly}}")).Succeeded().Output);
        Assert.Contains("\"ReadOnly\": true", (await WithAsync(own, "images", "--format", "json")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal($"{Machine.Images.Plain.Id}\n", (await WithAsync(own, "inspect", "--format", "{{.Id}}", image)).Succeeded().Output);
        Assert.Equal(Greeting, (await WithAsync(own, "run", "--rm", image, "cat", "/etc/redhat-release")).Succeeded().Output);
        (await own.RunAsync("--additional-imagestore", Oci.Root, "image", "exists", image)).Succeeded();
        Failed(await WithAsync(own, "rmi", image), 125, "in an additional store, which is read-only");
        Failed(await WithAsync(own, "rmi", Machine.Images.Plain.Id), 125, "in an additional store, which is read-only");
        Assert.Equal("Total reclaimed space: 0B\n", (await WithAsync(own, "system", "prune", "-a", "-f")).Succeeded().Output);
        (await WithAsync(own, "system", "check")).Succeeded();

        Assert.Equal(before, Snapshot());
        Assert.Equal(1, (await own.RunAsync("image", "exists", image)).Status);
    }

    [Fact]
    public async Task A_pull_takes_from_an_additional_store_what_that_has()
    {
        string plain = await Oci.PullAsync(await Machine.PlainAsync());
        TestImage image = Machine.Images.WithRandomLayers(1, 500_000);
        await Machine.PublishAsync("one-layer-more", image);
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());
        string name = $"{proxy.Host}/one-layer-more:latest";
        await using Oci own = new();

        (await WithAsync(own, "pull", "-q", name)).Succeeded();

        Assert.DoesNotContain(proxy.BlobDownloads, url => url.Contains(image.Layer().Digest, StringComparison.Ordinal));
        Assert.Single(Directory.GetDirectories(Path.Join(own.Root, "layers/sha256")));
        Assert.Equal("500000 /data/0\n", (await WithAsync(own, "run", "--rm", name, "wc", "-c", "/data/0")).Succeeded().Output);
        (await WithAsync(own, "system", "check")).Succeeded();
        ProgramResult alone = await own.RunAsync("system", "check", "-q");
        Assert.Equal(125, alone.Status);
        Assert.Contains("layer missing", alone.Output, StringComparison.Ordinal);
        (await own.RunAsync("pull", "-q", name)).Succeeded();
        (await own.RunAsync("system", "check")).Succeeded();
        Assert.NotEqual("", plain);
    }

    [Fact]
    [Fault(47, "after kill -9 of 'oci run' the container is dead and shown as exited; with --rm its remains go with the next rm, rmi or prune")]
    public async Task What_a_killed_run_leaves_is_removed_by_the_next_removal()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string id = await KillRunAsync(image, "--rm");
        string kept = await KillRunAsync(image, "--name", "kept");

        Assert.Matches("Exited \\(137\\) .* kept", (await Oci.RunAsync("ps", "-a")).Succeeded().Output);
        (await Oci.RunAsync("system", "check")).Succeeded();
        (await Oci.RunAsync("rm", "-f", "nosuch")).Succeeded();

        Assert.Equal([kept], (await Oci.RunAsync("ps", "-aq", "--no-trunc")).Succeeded().Lines);
        Assert.Empty(CgroupsOf(id).Concat(CgroupsOf(kept)));
        Assert.False(Directory.Exists(Path.Join(Oci.Root, "containers", id)));
        Assert.Equal("137 false exited\n", (await Oci.RunAsync("inspect", "--format", "{{.State.ExitCode}} {{.State.Running}} {{.State.Status}}", "kept")).Output);
    }

    [Fact]
    [Fault(46, "a container that was running before a reboot is exited, whichever process has its number now")]
    public async Task A_process_that_has_the_number_of_a_dead_container_is_not_taken_for_it()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string id = await KillRunAsync(image, "--name", "kept");
        using RunningProgram bystander = RunningProgram.Start("sleep", ["1000"]);
        string record = Path.Join(Oci.Root, "containers", id, "container.json");
        string text = await File.ReadAllTextAsync(record, Cancellation);
        await File.WriteAllTextAsync(
            record, System.Text.RegularExpressions.Regex.Replace(text, "\"pid\":[0-9]+", $"\"pid\":{bystander.Id}", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(10)), Cancellation);

        Assert.Matches("Exited \\(137\\) .* kept", (await Oci.RunAsync("ps", "-a")).Succeeded().Output);
        Assert.Equal("kept\n", (await Oci.RunAsync("rm", "-f", "-t", "0", "kept")).Succeeded().Output);

        Assert.Single(Processes.With("sleep"), process => process.Id == bystander.Id);
    }

    [Fact]
    public async Task System_prune_removes_what_a_killed_run_leaves()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string id = await KillRunAsync(image, "--rm");

        (await Oci.RunAsync("system", "prune", "-f")).Succeeded();

        Assert.Empty(Directory.GetDirectories(Path.Join(Oci.Root, "containers")));
        Assert.Empty(CgroupsOf(id));
        (await Oci.RunAsync("run", "--rm", image, "true")).Succeeded();
    }

    private async Task<string> KillRunAsync(string image, params string[] options)
    {
        string marker = Oci.Marker();
        string cid = Oci[marker];
        using RunningProgram run = Oci.Start(
            ["run", "--cidfile", cid, .. options, image, "sh", "-c", "echo ready; while :; do sleep 0.05; done", marker]);
        await run.OutputHasAsync("ready");
        await RecordedAsync(await File.ReadAllTextAsync(cid, Cancellation));
        await run.SignalAsync("KILL");
        await run.EndAsync();
        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(10)));
        return await File.ReadAllTextAsync(cid, Cancellation);
    }

    // a command can write before the record says that it runs
    private async Task RecordedAsync(string id)
    {
        string record = Path.Join(Oci.Root, "containers", id, "container.json");
        for (int i = 0; i < 500 && !(await File.ReadAllTextAsync(record, Cancellation)).Contains("running", StringComparison.OrdinalIgnoreCase); i++)
        {
            await Task.Delay(10, Cancellation);
        }
    }

    private static IEnumerable<string> CgroupsOf(string id) => Directory.Exists("/sys/fs/cgroup")
        ? new[] { "oci", "pids/oci", "devices/oci" }.Select(parent => Path.Join("/sys/fs/cgroup", parent, id)).Where(Directory.Exists)
        : [];

    private string[] Snapshot() => [.. Directory.GetFiles(Oci.Root, "*", SearchOption.AllDirectories)
        .Select(file => $"{file} {File.GetLastWriteTimeUtc(file).Ticks}").Order()];

    private Task<ProgramResult> WithAsync(Oci own, params string[] arguments) =>
        own.RunAsync([("OCI_ADDITIONAL_STORES", Oci.Root)], input: null, arguments);

    // in a mount namespace of its own, in which the store is mounted read-only
    private Task<ProgramResult> ReadOnlyAsync(params string[] arguments)
    {
        Need.Programs("unshare");
        string[] command =
        [
            "-m", "--propagation", "private", "sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"",
            Oci.Root, Oci.Binary, .. Oci.Arguments(arguments),
        ];
        return Shell.RunAsync("unshare", command, Oci.CleanEnvironment());
    }
}
