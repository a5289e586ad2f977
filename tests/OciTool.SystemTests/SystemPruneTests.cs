using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What removes what is not used: df tells how much, the prune verbs do it, reset removes all.</summary>
public sealed class SystemPruneTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task Df_shows_what_is_on_disk_in_podmans_columns()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "kept", image, "sh", "-c", "head -c 4096 /dev/zero > /x")).Succeeded();
        await Oci.PullAsync(await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000)));

        string[] table = (await Oci.RunAsync("system", "df")).Succeeded().Lines;
        JsonArray json = JsonNode.Parse((await Oci.RunAsync("system", "df", "--format", "json")).Succeeded().Output)!.AsArray();
        string[] rows = (await Oci.RunAsync("system", "df", "--format", "{{.Type}}:{{.Total}}:{{.Active}}:{{.RawSize}}")).Succeeded().Lines;

        Assert.Matches("^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE$", table[0]);
        Assert.Matches(@"^Images +2 +1 +[0-9.]+MB +[0-9.]+MB \([0-9]+%\)$", table[1]);
        Assert.Matches(@"^Containers +1 +0 +4\.09[0-9]kB +4\.09[0-9]kB \(100%\)$", table[2]);
        Assert.Matches(@"^Local Volumes +0 +0 +0B +0B \(0%\)$", table[3]);
        Assert.Matches(@"^Leftovers +0 +0 +0B +0B \(0%\)$", table[4]);
        Assert.Equal(["Type", "Total", "Active", "RawSize", "RawReclaimable", "TotalCount", "Size", "Reclaimable"], json[0]!.AsObject().Select(field => field.Key));
        long measured = Directory.GetFiles(Oci.Root, "*", SearchOption.AllDirectories)
            .Where(file => (file.Contains("/blobs/", StringComparison.Ordinal) || file.EndsWith("/layer.erofs", StringComparison.Ordinal))).Sum(file => new FileInfo(file).Length);
        Assert.Equal(measured, (long)json[0]!["RawSize"]!);
        Assert.Equal($"Images:2:1:{measured}", rows[0]);
    }

    [Fact]
    public async Task Df_lists_each_image_and_container_when_asked()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await Oci.PullAsync(await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000)));
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();

        string output = (await Oci.RunAsync("system", "df", "-v")).Succeeded().Output;

        Assert.Matches("(?s)^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\n.*busybox +latest .* 1\n", output);
        Assert.Matches("(?s)\nContainers space usage:\n\nCONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES\n.* true +0 +0B +.* exited +kept\n", output);
        Assert.EndsWith("\nLocal Volumes space usage:\n\nVOLUME NAME  LINKS       SIZE\n", output, StringComparison.Ordinal);
        Failed(await Oci.RunAsync("system", "df", "-v", "--format", "json"), 125, "cannot combine --format and --verbose flags");
    }

    [Fact]
    public async Task After_prune_every_file_of_the_store_is_one_that_something_needs()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("tag", image, "localhost/tagged:1")).Succeeded();
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();
        string layers = await Oci.PullAsync(await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000)));
        await KillPullAsync();
        File.WriteAllText(Path.Join(Oci.Root, "tmp/half-written"), "x");
        File.WriteAllText(Path.Join(Oci.Root, "tmp/half-written.lock"), "");
        File.WriteAllText(Path.Join(Oci.Root, "locks/sha256-0000"), "");
        Assert.NotEmpty(Directory.GetFiles(Path.Join(Oci.Root, "ingest")));
        string[] before = (await Oci.RunAsync("system", "df", "--format", "{{.Type}}:{{.RawReclaimable}}")).Succeeded().Lines;

        ProgramResult prune = await Oci.RunAsync("system", "prune", "-f");

        string[] said = prune.Succeeded().Lines; // each on its own: a longer text is cut in the message of a failure
        Assert.Equal(3, said.Length);
        Assert.Equal("Deleted Containers", said[0]);
        Assert.Matches("^[0-9a-f]{64}$", said[1]);
        Assert.Matches("^Total reclaimed space: [0-9.]+[kM]B$", said[2]);
        Assert.Matches("^Leftovers:[1-9][0-9]+$", before[3]);
        Assert.Equal("Leftovers:0", (await Oci.RunAsync("system", "df", "--format", "{{.Type}}:{{.RawSize}}")).Succeeded().Lines[3]);
        string[] needed =
        [
            "containers.lock", "images.json", "index.json", "lock", "oci-layout",
            .. (await ContentAsync(image)).Union(await ContentAsync(layers)),
        ];
        Assert.Equal(needed.Order(StringComparer.Ordinal), Files());
        (await Oci.RunAsync("system", "check")).Succeeded();

        Assert.Equal(2, (await Oci.RunAsync("system", "prune", "-a", "-f")).Succeeded().Lines.Count(line => line.Length == 64));
        Assert.Equal(["containers.lock", "images.json", "index.json", "lock", "oci-layout"], Files());
    }

    [Fact]
    public async Task Prune_leaves_what_a_pull_is_about_to_use()
    {
        TestImage image = Machine.Images.WithRandomLayers(2, 3_000_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(image.Layer(2).Digest, Faults.StallAt(1_500_000, stalled, release.Task));
        using RunningProgram pull = Oci.Start("pull", "-q", registry.Image);
        await stalled.Task.WaitAsync(Shell.Patience, Cancellation);

        (await Oci.RunAsync("system", "prune", "-a", "-f")).Succeeded();
        Failed(await Oci.RunAsync("system", "reset", "-f"), 125, "an image is being pulled");
        registry.Heal();
        release.SetResult();

        Assert.Equal($"{image.Id}\n", (await pull.EndAsync()).Succeeded().Output);
        (await Oci.RunAsync("system", "check")).Succeeded();
    }

    [Fact]
    public async Task Image_prune_removes_the_nameless_and_with_all_the_unused()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string other = await Machine.PublishAsync("other-label", Machine.Images.With(config => config["Labels"] = new JsonObject { ["keep"] = "no" }));
        await Oci.PullAsync(other);
        (await Oci.RunAsync("tag", image, other)).Succeeded(); // what had the name has none now
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();

        Assert.Equal("", (await Oci.RunAsync("image", "prune", "-f", "--filter", "label=keep=yes")).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("image", "prune", "-f", "--filter", "until=2000-01-01")).Succeeded().Output);
        Assert.Matches("^[0-9a-f]{64}\n$", (await Oci.RunAsync("image", "prune", "-f", "--filter", "label=keep=no")).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("image", "prune", "-a", "-f")).Succeeded().Output);
        Assert.Matches("^[0-9a-f]{64}\n$", (await Oci.RunAsync("container", "prune", "-f")).Succeeded().Output);
        Assert.Equal($"{Machine.Images.Plain.Id}\n", (await Oci.RunAsync("image", "prune", "-a", "-f")).Succeeded().Output);

        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
    }

    [Theory]
    [InlineData("image prune", "WARNING! This command removes all dangling images.")]
    [InlineData("image prune -a", "WARNING! This command removes all images without at least one container associated with them.")]
    [InlineData("container prune", "WARNING! This will remove all non running containers.")]
    [InlineData("system prune", "WARNING! This command removes:\n\t- all stopped containers\n")]
    [InlineData("system reset", "WARNING! This will remove:\n        - all containers\n")]
    public async Task Without_force_the_answer_decides(string verb, string warning)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();
        string[] words = verb.Split(' ');

        ProgramResult no = await Oci.RunAsync([], "n\n", words);
        ProgramResult none = await Oci.RunAsync([], "", words);

        Assert.StartsWith(warning, no.Succeeded().Output, StringComparison.Ordinal);
        Assert.EndsWith("\nAre you sure you want to continue? [y/N] ", no.Output, StringComparison.Ordinal);
        Assert.Equal(125, none.Status);
        Assert.Contains("Error: no answer, so nothing was removed: EOF", none.Error, StringComparison.Ordinal);
        Assert.Single((await Oci.RunAsync("ps", "-aq")).Succeeded().Lines);
        (await Oci.RunAsync([], "y\n", words)).Succeeded();
        Assert.Equal(words[0] == "image" ? 1 : 0, (await Oci.RunAsync("ps", "-aq")).Succeeded().Lines.Length);
    }

    [Fact]
    public async Task Reset_removes_the_store_and_nothing_else()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using (RunningProgram run = Oci.Start("run", "--name", "busy", image, "sh", "-c", "echo ready; while :; do sleep 0.05; done", marker))
        {
            await run.OutputHasAsync("ready");
            Failed(await Oci.RunAsync("system", "reset", "-f"), 125, "container busy is running");
            (await Oci.RunAsync("rm", "-f", "-t", "0", "busy")).Succeeded();
        }

        await File.WriteAllTextAsync(Path.Join(Oci.Root, "mine"), "x", Cancellation);
        (await Oci.RunAsync("system", "reset", "-f")).Succeeded();
        Assert.Equal(["mine"], Files());

        Failed(await Oci.RunAsync("system", "reset", "-f"), 125, "not a store");
        File.Delete(Path.Join(Oci.Root, "mine"));
        (await Oci.RunAsync("system", "reset", "-f")).Succeeded();
        await StillWorksAsync();
    }

    [Theory]
    [InlineData("image", "prune", "-f", "--filter", "nosuch=1")]
    [InlineData("image", "prune", "-f", "--filter", "until=soon")]
    [InlineData("container", "prune", "-f", "--filter", "nosuch")]
    [InlineData("system", "prune", "-f", "extra")]
    [InlineData("system", "df", "extra")]
    [InlineData("system", "nosuch")]
    public async Task Wrong_arguments_are_refused(params string[] arguments) =>
        Failed(await Oci.RunAsync(arguments), 125, "invalid filter|takes no arguments|cannot read \"soon\"|unrecognized command");

    private async Task KillPullAsync()
    {
        TestImage image = Machine.Images.WithRandomLayers(3, 2_000_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(image.Layer(3).Digest, Faults.StallAt(1_000_000, stalled, release.Task));
        using RunningProgram pull = Oci.Start("pull", registry.Image);
        await stalled.Task.WaitAsync(Shell.Patience, Cancellation);
        await pull.SignalAsync("KILL");
        await pull.EndAsync();
        release.SetResult();
    }

    private async Task<IEnumerable<string>> ContentAsync(string image)
    {
        JsonNode inspection = JsonNode.Parse((await Oci.RunAsync("image", "inspect", image)).Succeeded().Output)![0]!;
        string manifest = (string)inspection["Digest"]!;
        JsonNode document = JsonNode.Parse(await File.ReadAllTextAsync(Path.Join(Oci.Root, "blobs", manifest.Replace(':', '/')), Cancellation))!;
        IEnumerable<string> blobs = document["layers"]!.AsArray().Append(document["config"]).Select(blob => (string)blob!["digest"]!).Append(manifest);
        return [
            .. blobs.Select(digest => $"blobs/{digest.Replace(':', '/')}"),
            .. inspection["RootFS"]!["Layers"]!.AsArray().Select(layer => $"layers/{((string)layer!).Replace(':', '/')}")
                .SelectMany(directory => new[] { $"{directory}/layer.erofs", $"{directory}/layer.json" }),
        ];
    }

    // all but compiled filters, which are made again when they are gone
    private string[] Files() => [.. Directory.GetFiles(Oci.Root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Oci.Root, file))
        .Where(file => !file.StartsWith("seccomp/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
