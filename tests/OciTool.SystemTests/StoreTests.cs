using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>The store as peers read it, and under concurrency and sudden death.</summary>
public sealed class StoreTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task Skopeo_reads_the_store_as_an_oci_layout_with_the_original_digest()
    {
        Need.Programs("skopeo");
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult digest = await Shell.RunAsync("skopeo", "inspect", "--format", "{{.Digest}}", $"oci:{Oci.Root}:{image}");
        ProgramResult copy = await Shell.RunAsync("skopeo", "copy", "-q", $"oci:{Oci.Root}:{image}", $"dir:{Oci["copy"]}");

        Assert.Equal($"{Machine.Images.Plain.Document.Digest}\n", digest.Succeeded().Output);
        copy.Succeeded();
    }

    [Fact]
    public async Task Umoci_lists_the_names_of_the_store()
    {
        Need.Programs("umoci");
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult list = await Shell.RunAsync("umoci", "ls", "--layout", Oci.Root);

        Assert.Equal([image], list.Succeeded().Lines);
    }

    [Fact]
    public async Task Eight_pulls_at_once_fetch_each_blob_once()
    {
        TestImage image = Machine.Images.WithRandomLayers(4, 500_000);
        await Machine.PublishAsync("busybox-layers", image);
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        ProgramResult[] pulls = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Oci.RunAsync("pull", "-q", $"{proxy.Host}/busybox-layers")));

        Assert.All(pulls, pull => Assert.Equal($"{image.Id}\n", pull.Succeeded().Output));
        string[] downloads = [.. proxy.BlobDownloads];
        Assert.Equal(image.Blobs.Count, downloads.Length);
        Assert.Equal(downloads.Distinct(), downloads);
        await Oci.BlobsAreWholeAsync();
    }

    [Fact]
    public async Task Pulls_and_runs_and_removals_at_once_do_not_harm_each_other()
    {
        string image = await Machine.PlainAsync();
        await Oci.PullAsync(image);

        ProgramResult[] all = await Task.WhenAll(Enumerable.Range(0, 12).Select(index => (index % 3) switch
        {
            0 => Oci.RunAsync("pull", "-q", image),
            1 => Oci.RunAsync("run", "--rm", image, "true"),
            _ => Oci.RunAsync("tag", image, $"localhost/tag:{index}"),
        }));

        Assert.All(all, result => result.Succeeded());
        Assert.Equal(4 + 1, (await Oci.RunAsync("images", "--format", "{{.Tag}}")).Succeeded().Lines.Length);
    }

    [Fact]
    public async Task A_pull_that_is_killed_half_way_leaves_nothing_that_the_next_one_trips_over()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 3_000_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(image.Layer(1).Digest, Faults.StallAt(1_500_000, stalled, release.Task));
        using RunningProgram pull = Oci.Start("pull", registry.Image);
        await stalled.Task.WaitAsync(Shell.Patience, Cancellation);

        await pull.SignalAsync("KILL");
        await pull.EndAsync();
        release.SetResult();

        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        await Oci.BlobsAreWholeAsync();
        registry.Heal();
        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);
        Assert.Equal("3000000 /data/0\n", (await Oci.RunAsync("run", "--rm", registry.Image, "wc", "-c", "/data/0")).Succeeded().Output);
        await Oci.BlobsAreWholeAsync();
    }

    [Fact]
    public async Task A_pull_that_is_interrupted_ends_at_once_with_one_line()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 3_000_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(image.Layer(1).Digest, Faults.StallAt(1_500_000, stalled, release.Task));
        using RunningProgram pull = Oci.Start("pull", registry.Image);
        await stalled.Task.WaitAsync(Shell.Patience, Cancellation);

        await pull.SignalAsync("INT");

        ProgramResult ended = await pull.EndAsync();
        release.SetResult();
        Assert.Equal(130, ended.Status);
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
        await StillWorksAsync();
    }
}
