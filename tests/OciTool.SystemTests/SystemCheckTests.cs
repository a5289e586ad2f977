using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>The check of the store: silent where all is well, and never silent where it is not.</summary>
public sealed class SystemCheckTests(Machine machine) : OciTest(machine)
{
    private const string Greeting = "Fedora release 34 (Thirty Four)\n";

    [Fact]
    public async Task A_store_in_use_is_clean()
    {
        string plain = await Oci.PullAsync(await Machine.PlainAsync());
        await CleanAsync();
        (await Oci.RunAsync("run", "--name", "kept", plain, "sh", "-c", "echo x > /x; rm /etc/redhat-release")).Succeeded();
        (await Oci.RunAsync("tag", plain, "localhost/other:1")).Succeeded();
        await CleanAsync();
        foreach (string form in new[] { "directory", "erofs", "directory" })
        {
            await Oci.PullAsync(plain, "--snapshotter", form);
            await CleanAsync();
        }

        string layers = await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000));
        await Oci.PullAsync(layers);
        string both = await Machine.PublishAsync("two-platforms", Machine.Images.TwoArchitecturesAsync);
        await Oci.PullAsync(both, "--platform", "linux/arm64");
        await Oci.PullAsync(both);
        await CleanAsync();
        (await Oci.RunAsync("rmi", layers)).Succeeded();
        (await Oci.RunAsync("rmi", both)).Succeeded();
        await CleanAsync();
        (await Oci.RunAsync("rm", "kept")).Succeeded();
        (await Oci.RunAsync("system", "check", "--repair", "--force", "--max", "0")).Succeeded();
        Assert.Equal(Greeting, (await Oci.RunAsync("run", "--rm", plain, "cat", "/etc/redhat-release")).Succeeded().Output);
    }

    [Fact]
    public async Task An_image_of_many_odd_files_is_clean_in_both_forms()
    {
        string image = await Machine.PublishAsync("odd-files", Machine.Images.With(new Layer()
            .Directory("a").Directory("a/b").File("a/b/c", "c").Symlink("a/l", "b/c").Fifo("a/p").File("etc/.wh.redhat-release", "").File("a/.wh..wh..opq", "")));
        foreach (string form in new[] { "erofs", "directory" })
        {
            await Oci.PullAsync(image, "--snapshotter", form);
            await CleanAsync();
        }
    }

    [Fact]
    public async Task A_pull_that_was_killed_leaves_a_clean_store()
    {
        TestImage image = Machine.Images.WithRandomLayers(2, 3_000_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(image.Layer(2).Digest, Faults.StallAt(1_500_000, stalled, release.Task));
        using RunningProgram pull = Oci.Start("pull", registry.Image);
        await stalled.Task.WaitAsync(Shell.Patience, Cancellation);

        (await Oci.RunAsync("system", "check", "--max", "0")).Succeeded(); // while it goes on
        await pull.SignalAsync("KILL");
        await pull.EndAsync();
        release.SetResult();

        await CleanAsync();
        registry.Heal();
        await Oci.PullAsync(registry.Image);
        await CleanAsync();
    }

    [Fact]
    public async Task A_check_beside_pulls_runs_and_removals_finds_nothing()
    {
        string plain = await Oci.PullAsync(await Machine.PlainAsync());
        string layers = await Machine.PublishAsync("busybox-layers", Machine.Images.WithRandomLayers(4, 500_000));

        Task<ProgramResult[]> work = Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            ProgramResult last = null!;
            for (int round = 0; round < 4; round++)
            {
                last = worker switch
                {
                    0 => (await Oci.RunAsync("run", "--rm", plain, "true")).Succeeded(),
                    1 => (await Oci.RunAsync("pull", "-q", layers)).Succeeded(),
                    2 => await Oci.RunAsync("rmi", "-f", layers),
                    _ => (await Oci.RunAsync("system", "check")).Succeeded(),
                };
            }

            return last;
        }));

        await work;
        await CleanAsync();
    }

    [Theory]
    [InlineData("erofs")]
    [InlineData("directory")]
    [Fault(10, "a record that is missing, cut or changed is named; after 'system check --repair' and a pull everything works")]
    [Fault(11, "whatever happens to a blob is named; after 'system check --repair' and a pull everything works")]
    [Fault(12, "whatever happens to an applied layer is named, and 'system check --repair' makes it again without a network")]
    public async Task Whatever_happens_to_a_file_is_named_and_healed(string form)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync(), "--snapshotter", form);
        (await Oci.RunAsync("run", "--name", "kept", image, "true")).Succeeded();
        string saved = Oci["saved"];
        (await Shell.RunAsync("cp", "-a", Oci.Root, saved)).Succeeded();
        string[] files = [.. Directory.GetFiles(saved, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(saved, file))
            .Where(file => !file.Contains("/upper/", StringComparison.Ordinal) && !new FileInfo(Path.Join(saved, file)).Attributes.HasFlag(FileAttributes.ReparsePoint))];
        string[] ofLayer = [.. files.Where(file => file.Contains("/fs/", StringComparison.Ordinal))];
        Random random = new(7);
        random.Shuffle(ofLayer);
        List<string> silent = [];
        foreach (string file in files.Except(ofLayer).Concat(ofLayer.Take(4)))
        {
            foreach (string harm in new[] { "delete", "cut", "flip" })
            {
                string what = $"{harm} {file}";
                Directory.Delete(Oci.Root, recursive: true);
                (await Shell.RunAsync("cp", "-a", saved, Oci.Root)).Succeeded();
                Harm(Path.Join(Oci.Root, file), harm, random);

                ProgramResult check = await Oci.RunAsync("system", "check");
                if (check.Status == 0)
                {
                    // then nothing is wrong with the image
                    silent.Add(what);
                    ProgramResult run = await Oci.RunAsync("run", "--rm", "--pull", "never", image, "cat", "/etc/redhat-release");
                    Assert.True(run is { Status: 0, Output: Greeting }, $"{what}: not named, and {run}");
                }
                else
                {
                    Assert.True(check.Status == 125 && check.Lines.Length > 0, $"{what}: {check}");
                }

                ProgramResult repair = await Oci.RunAsync("system", "check", "--repair", "--force");
                Assert.True(repair.Status is 0 or 125 && !repair.Error.Contains("defect", StringComparison.Ordinal), $"{what}: {repair}");
                ProgramResult pull = await Oci.RunAsync("pull", "-q", image);
                Assert.True(pull.Status == 0, $"{what}: {repair}{pull}");
                ProgramResult again = await Oci.RunAsync("run", "--rm", "--pull", "never", image, "cat", "/etc/redhat-release");
                Assert.True(again is { Status: 0, Output: Greeting }, $"{what}: {repair}{again}");
                ProgramResult clean = await Oci.RunAsync("system", "check");
                Assert.True(clean.Status == 0, $"{what}: {repair}{clean}");
            }
        }

        TestContext.Current.SendDiagnosticMessage($"not named, because it does not matter: {string.Join(", ", silent)}");
        Assert.All(silent, what => Assert.Matches("lock$|seccomp/|containers/|names/|images.json$|index.json$|layer.json$", what));
    }

    [Fact]
    [Fault(12, "a layer in use by a running container is only replaced with --force")]
    public async Task A_layer_below_a_running_container_is_not_replaced()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync(), "--snapshotter", "directory");
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start("run", "--name", "busy", image, "sh", "-c", "echo ready; while :; do sleep 0.05; done", marker);
        await run.OutputHasAsync("ready");
        string layer = Directory.GetDirectories(Path.Join(Oci.Root, "layers/sha256"))[0];
        await File.WriteAllTextAsync(Path.Join(layer, "fs/etc/redhat-release"), "no", Cancellation);

        ProgramResult repair = await Oci.RunAsync("system", "check", "--repair");

        Assert.Equal(125, repair.Status);
        Assert.Contains("container busy runs on it", repair.Output, StringComparison.Ordinal);
        (await Oci.RunAsync("rm", "-f", "-t", "0", "busy")).Succeeded();
        (await Oci.RunAsync("system", "check", "--repair")).Succeeded();
        await CleanAsync();
    }

    [Fact]
    public async Task A_finding_is_a_line_and_an_error_counts_them()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string layer = Machine.Images.Plain.Layer().Digest;
        File.Delete(Path.Join(Oci.Root, "blobs", layer.Replace(':', '/')));

        ProgramResult check = await Oci.RunAsync("system", "check", "-q");

        Assert.Equal((125, $"blob missing: {layer}: {image} needs it\n"), (check.Status, check.Output));
        Assert.Equal($"Error: store '{Oci.Root}' is damaged: 1 finding\nHint: oci system check --repair\n", check.Error);
    }

    [Fact]
    public async Task A_check_makes_no_store()
    {
        await CleanAsync();
        Assert.False(Directory.Exists(Oci.Root));
    }

    [Theory]
    [InlineData("--max", "soon")]
    [InlineData("--nosuch")]
    [InlineData("extra")]
    public async Task Wrong_arguments_are_refused(params string[] arguments) =>
        Failed(await Oci.RunAsync(["system", "check", .. arguments]), 125, "invalid duration|unknown flag|takes no arguments");

    private static void Harm(string path, string harm, Random random)
    {
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path); // also where it has other names
        if (harm == "cut")
        {
            File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        }
        else if (harm == "flip")
        {
            if (bytes.Length > 0)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(7));
            }

            File.WriteAllBytes(path, bytes);
        }
    }

    private async Task CleanAsync()
    {
        ProgramResult check = await Oci.RunAsync("system", "check");
        Assert.Equal("", check.Succeeded().Output);
        Assert.Equal("", check.Error);
    }
}
