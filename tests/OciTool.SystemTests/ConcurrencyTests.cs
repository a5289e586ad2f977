using System.Diagnostics;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Many callers of one store: each blob travels once, nobody waits for what is not his, and who waits says for whom.</summary>
public sealed class ConcurrencyTests(Machine machine) : OciTest(machine)
{
    [Fact]
    [Fault(13, "ten pulls of one image at once fetch each blob once, and all succeed")]
    public async Task Ten_pulls_at_once_fetch_each_blob_once()
    {
        TestImage image = Machine.Images.WithRandomLayers(5, 400_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        registry.Rest = TimeSpan.FromMilliseconds(5);

        ProgramResult[] pulls = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Oci.RunAsync("pull", "-q", name)));

        Assert.All(pulls, pull => Assert.Equal($"{image.Id}\n", pull.Succeeded().Output));
        EachBlobOnce(registry, image);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(13, "ten runs of an image that is not there fetch each blob once, and all run")]
    public async Task Ten_runs_of_an_absent_image_fetch_each_blob_once()
    {
        TestImage image = Machine.Images.WithRandomLayers(3, 400_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        registry.Rest = TimeSpan.FromMilliseconds(5);

        ProgramResult[] runs = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => Oci.RunAsync("run", "--rm", "--network", "none", name, "echo", "ok")));

        Assert.All(runs, run => Assert.Equal("ok\n", run.Succeeded().Output));
        EachBlobOnce(registry, image);
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(14, "pulls of different images that share layers fetch the shared ones once")]
    public async Task Layers_that_images_share_are_fetched_once()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        TestImage[] images = [.. Enumerable.Range(0, 4).Select(number =>
            Machine.Images.With(new Layer().File($"number-{number}", new string('x', 10_000 + number))))];
        string[] names = [.. images.Select((image, number) => registry.Serve($"image-{number}", image))];
        registry.Rest = TimeSpan.FromMilliseconds(5);

        ProgramResult[] pulls = await Task.WhenAll(names.Select(name => Oci.RunAsync("pull", "-q", name)));

        Assert.All(pulls, pull => pull.Succeeded());
        string shared = images[0].Layer().Digest;
        Assert.Single(registry.BlobRequests, request => request.EndsWith(shared, StringComparison.Ordinal));
        await Oci.StoreIsCleanAsync(names);
    }

    [Fact]
    [Fault(14, "a run of an image that is there does not wait for a pull, not even of the same image's layers")]
    public async Task A_run_does_not_wait_for_a_pull()
    {
        string present = await Oci.PullAsync(await Machine.PlainAsync());
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.WithRandomLayers(2, 3_000_000));
        registry.Rest = TimeSpan.FromSeconds(1); // minutes, for all of it
        using RunningProgram pull = Oci.Start("pull", "-q", name);
        while (registry.BlobBytes < 100_000)
        {
            await Task.Delay(10, Cancellation);
        }

        for (int round = 0; round < 5; round++)
        {
            ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", present, "echo", "ok");
            Assert.Equal("ok\n", run.Succeeded().Output);
            (await Oci.RunAsync("tag", present, $"localhost/tag:{round}")).Succeeded();
            (await Oci.RunAsync("rmi", $"localhost/tag:{round}")).Succeeded();
        }

        Assert.True(registry.BlobBytes < 6_000_000, "the pull had ended: this shows nothing");
        await pull.SignalAsync("TERM");
        await pull.EndAsync();
    }

    [Fact]
    [Fault(15, "a pull and a removal of one image at once: the image is there and runs, or is not listed")]
    [Fault(16, "what a pull in flight has taken is protected by its lease, whoever removes meanwhile")]
    public async Task A_pull_and_a_removal_of_one_image_at_once_leave_it_whole_or_not_there()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        TestImage image = Machine.Images.WithRandomLayers(2, 100_000);
        string name = registry.Serve("busybox", image);
        string other = registry.Serve("other", Machine.Images.With(new Layer().File("other", "x")));
        for (int round = 0; round < 12; round++)
        {
            await Oci.PullAsync(other);
            ProgramResult[] both = await Task.WhenAll(
                Oci.RunAsync("pull", "-q", name), Oci.RunAsync("pull", "-q", name), Oci.RunAsync("rmi", name), Oci.RunAsync("rmi", other));

            both[0].Succeeded();
            both[1].Succeeded();
            Assert.True(both[2].Status is 0 or 1, both[2].ToString());
            string[] listed = (await Oci.RunAsync("images", "--format", "{{.Repository}}")).Succeeded().Lines;
            await Oci.StoreIsCleanAsync(listed.Contains(name.Replace(":latest", "", StringComparison.Ordinal)) ? [name] : []);
        }

        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(17, "a removal and a run at once: the removal says which container uses the image, or the run that it is gone")]
    public async Task A_removal_and_a_run_at_once_never_leave_a_container_without_its_image()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.Plain);
        for (int round = 0; round < 12; round++)
        {
            await Oci.PullAsync(name);
            ProgramResult[] all = await Task.WhenAll(
                Oci.RunAsync("run", "--rm", "--pull", "never", "--network", "none", name, "echo", "ok"),
                Oci.RunAsync("rmi", name),
                Oci.RunAsync("run", "--rm", "--pull", "never", "--network", "none", name, "echo", "ok"));

            Assert.True(all[1].Status is 0 or 2, all[1].ToString());
            foreach (ProgramResult run in new[] { all[0], all[2] })
            {
                Assert.True(run is { Status: 0, Output: "ok\n" } or { Status: 125 }, run.ToString());
                if (run.Status == 125)
                {
                    Failed(run, 125, "not known|damaged");
                }
            }
        }

        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(18, "a hundred runs at once, all with containers of their own, leave nothing")]
    public async Task A_hundred_runs_at_once_do_not_get_in_each_others_way()
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult[] runs = await Task.WhenAll(Enumerable.Range(0, 100).Select(
            number => Oci.RunAsync("run", "--rm", "--network", "none", name, "echo", $"{number}")));

        Assert.All(runs, (run, number) => Assert.Equal($"{number}\n", run.Succeeded().Output));
        Assert.Empty(Mounts.Under(Oci.Root));
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(Oci.Root, "containers")));
    }

    [Theory]
    [InlineData("lock", "tag")]
    [InlineData("lock", "rmi")]
    [InlineData("containers.lock", "run")]
    [Fault(19, "who waits for a lock longer than two seconds says for which, and which process holds it")]
    public async Task Who_waits_for_a_lock_says_for_whom(string lockFile, string verb)
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());
        using RunningProgram holder = await HoldAsync(lockFile);
        await holder.SignalAsync("STOP");
        using RunningProgram waiter = Oci.Start(verb switch
        {
            "tag" => ["tag", name, "localhost/other"],
            "rmi" => ["rmi", name],
            _ => ["run", "--rm", "--network", "none", name, "true"],
        });

        string told = await waiter.ErrorHasAsync($"waiting for the lock on '{Oci.Root}/{lockFile}', held by pid ");

        Assert.Contains($"held by pid {holder.Id}\n", told, StringComparison.Ordinal);
        await holder.SignalAsync("KILL");
        (await waiter.EndAsync()).Succeeded();
    }

    [Theory]
    [InlineData("--lock-timeout", "300ms")]
    [InlineData("--lock-timeout", "3s")]
    [InlineData(null, "0.5")]
    [Fault(19, "--lock-timeout and OCI_LOCK_TIMEOUT turn a wait that takes longer into an error, 125")]
    public async Task A_lock_timeout_ends_the_wait(string? option, string value)
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());
        using RunningProgram holder = await HoldAsync("lock");

        ProgramResult tag = await Oci.RunAsync(
            option is null ? [("OCI_LOCK_TIMEOUT", value)] : [], input: null, [.. option is null ? Array.Empty<string>() : [option, value], "tag", name, "localhost/other"]);

        Failed(tag, 125, $"in vain for the lock on '{Oci.Root}/lock', held by pid {holder.Id}");
        Assert.Contains("--lock-timeout", tag.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(19, "a value that is no duration is refused before anything is done")]
    public async Task A_lock_timeout_that_is_no_duration_is_refused() =>
        Failed(await Oci.RunAsync("--lock-timeout", "soon", "images"), 125, "invalid duration \"soon\"");

    [Fact]
    [Fault(19, "who waits for another process's download waits as long as bytes arrive, and ends with --lock-timeout when none do")]
    public async Task Who_waits_for_a_download_waits_as_long_as_bytes_arrive()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 2_000_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        registry.Rest = TimeSpan.FromMilliseconds(100); // some seconds for all
        using RunningProgram first = Oci.Start("pull", "-q", name);
        while (registry.BlobBytes < 100_000)
        {
            await Task.Delay(10, Cancellation);
        }

        using RunningProgram patient = Oci.Start("--lock-timeout", "4s", "pull", "-q", name);
        Assert.Contains($"which process {first.Id} is writing", await patient.ErrorHasAsync("waiting for blob sha256:"), StringComparison.Ordinal);
        (await patient.EndAsync()).Succeeded();
        (await first.EndAsync()).Succeeded();
        EachBlobOnce(registry, image);

        (await Oci.RunAsync("rmi", name)).Succeeded();
        registry.Forget();
        using RunningProgram stopped = Oci.Start("pull", "-q", name);
        while (registry.BlobBytes < 100_000)
        {
            await Task.Delay(10, Cancellation);
        }

        await stopped.SignalAsync("STOP");
        ProgramResult given = await Oci.RunAsync("--lock-timeout", "1s", "pull", "-q", name);
        Failed(given, 125, $"in vain for blob sha256:[0-9a-f]+, which process {stopped.Id} is writing, of which no more bytes arrived");
        await stopped.SignalAsync("CONT");
        (await stopped.EndAsync()).Succeeded();
        await Oci.StoreIsCleanAsync(name);
    }

    [Theory]
    [InlineData("-3650d")]
    [InlineData("+3650d")]
    [Fault(20, "with a clock that is ten years off, and with one that jumps, a pull succeeds")]
    public async Task The_time_of_day_is_nothing_to_a_pull(string offset)
    {
        const string Library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
        Need.That(File.Exists(Library), "needs the package faketime");
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.WithRandomLayers(2, 1_000_000));
        registry.Rest = TimeSpan.FromMilliseconds(10);
        string clock = Oci["clock"];
        await File.WriteAllTextAsync(clock, "+0", Cancellation);
        Task<ProgramResult> pulling = Oci.RunAsync(
            [("LD_PRELOAD", Library), ("FAKETIME_TIMESTAMP_FILE", clock), ("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")],
            input: null, "pull", "-q", name);
        while (registry.BlobBytes < 300_000 && !pulling.IsCompleted)
        {
            await Task.Delay(5, Cancellation);
        }

        await File.WriteAllTextAsync(clock, offset, Cancellation);

        (await pulling).Succeeded();
        await Oci.StoreIsCleanAsync(name);
    }

    private async Task<RunningProgram> HoldAsync(string lockFile)
    {
        Need.Programs("flock");
        RunningProgram holder = RunningProgram.Start(
            "flock", ["--close", Path.Join(Oci.Root, lockFile), "sh", "-c", "echo held; exec sleep 60"]);
        await holder.OutputHasAsync("held");
        return holder;
    }

    private static void EachBlobOnce(SlowRegistry registry, TestImage image) => Assert.Equal(
        [.. image.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal)],
        registry.BlobRequests.Where(request => request.StartsWith("GET", StringComparison.Ordinal))
            .Select(request => request[(request.LastIndexOf('/') + 1)..]).Order(StringComparer.Ordinal));
}
