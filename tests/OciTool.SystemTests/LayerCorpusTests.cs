using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using OciTool.Tests.Layers;
using OciTool.Tests.Layers.Corpus;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Every odd layer by the whole way: from a registry or from a stored blob to a mounted tree.</summary>
/// <remarks>Two canaries, one beside the layers and one far away, never change. The cases are those of the unit tests.</remarks>
public sealed class LayerCorpusTests(Machine machine) : OciTest(machine)
{
    private const int AtOnce = 25;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<string> _failures = new();

    private string Near => Path.Join(Oci.Root, "canary");

    [Theory]
    [InlineData("directory")]
    [InlineData("erofs")]
    public async Task What_must_be_accepted_is_mounted_as_it_must_be(string form)
    {
        OddLayer[] rows = [.. LayerCorpus.Rows.Where(row => row.Refusal is null)];
        await using FaultRegistry registry = await ServeAsync(rows);
        string canaries = Plant();

        await PullAsync(rows, registry, form);
        await CompareAsync(rows, form, "pulled");

        // what a file has is read as what a registry sends: once more, from the blobs alone
        (await Shell.RunAsync("rm", "-r", Path.Join(Oci.Root, "layers"))).Succeeded();
        foreach (OddLayer row in rows)
        {
            foreach (OddBlob layer in row.Layers)
            {
                registry.Break(Blob.DigestOf(layer.Blob), Faults.Status(404));
            }
        }

        await PullAsync(rows, registry, form);
        await CompareAsync(rows, form, "from the store");
        NothingFailed(rows.Length);
        Assert.Equal(canaries, Canaries());
    }

    [Fact]
    public async Task What_must_be_refused_is_refused_and_leaves_nothing()
    {
        OddLayer[] rows = [.. LayerCorpus.Rows.Where(row => row.Refusal is not null)];
        await using FaultRegistry registry = await ServeAsync(rows);
        string canaries = Plant();

        await Parallel.ForAsync(0, rows.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (index, _) =>
            await RefusedAsync(rows[index], NameOf(registry, index), "directory", "pulled"));
        await BlobsAreRefusedAsync(rows, registry);

        NothingFailed(rows.Length);
        Assert.Equal(canaries, Canaries());
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Join(Oci.Root, "tmp")));
        await StillWorksAsync();
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("erofs")]
    public async Task A_container_lists_no_name_that_it_cannot_look_at(string form)
    {
        string[] ghosts = ["fresh/.wh.ghost", "only/implied/.wh.ghost", ".wh.ghost", "bin/.wh.ghost"];
        byte[] layer = ghosts.Aggregate(new TarBuilder().Directory("fresh"), (tar, ghost) => tar.Whiteout(ghost)).ToArray();
        TestImage image = TestImage.Of(
            BusyboxImages.Config, "amd64", new Layer().Directory("bin").Program("bin/busybox", BusyboxImages.Program).ToTar(), layer);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        ProgramResult run = await Oci.RunAsync(
            "--snapshotter", form, "run", "-q", "--rm", registry.Image, "busybox", "ls", "-la", "/", "/fresh", "/only/implied", "/bin");

        Assert.DoesNotContain("ghost", run.Succeeded().Output + run.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string> Manifests => [.. OddManifest.Rows.Select(row => row.Id)];

    [Theory]
    [MemberData(nameof(Manifests))]
    [Fault(36, "an artifact and an unknown layer type are refused by their type")]
    [Fault(37, "127 layers and the same layer twice are pulled and run; 600 are refused up front")]
    public async Task An_odd_manifest_has_the_required_result(string id)
    {
        OddManifest row = OddManifest.Rows.Single(row => row.Id == id);
        TestImage image = ManifestOf(id);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        if (id == "I04")
        {
            registry.Break(image.Layer().Digest, Faults.OneBitWrong);
        }

        if (row.Refusal is not null)
        {
            Failed(await Oci.RunAsync("pull", registry.Image), 125, row.Refusal);
            Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
            return;
        }

        await Oci.PullAsync(registry.Image);
        if (id != "I12")
        {
            Assert.Equal("ok\n", (await Oci.RunAsync("run", "--rm", registry.Image, "busybox", "echo", "ok")).Succeeded().Output);
        }
    }

    private static TestImage ManifestOf(string id)
    {
        byte[] tar = new Layer().Directory("bin").Program("bin/busybox", BusyboxImages.Program).ToTar();
        TestImage plain = TestImage.Of(BusyboxImages.Config, "amd64", tar);
        return id switch
        {
            "I01" => TestImage.Of(BusyboxImages.Config, "amd64", [(new Layer().File("other", "").ToTar(), Layer.Gzip(tar))]),
            "I02" => plain.WithManifest(manifest => Resize(manifest, -1)),
            "I03" => plain.WithManifest(manifest => Resize(manifest, 1)),
            "I05" => TestImage.Of(BusyboxImages.Config, "amd64", [tar, .. Numbered(126)]),
            "I06" => TestImage.Of(BusyboxImages.Config, "amd64", [tar, .. Numbered(599)]),
            "I07" => TestImage.Of(BusyboxImages.Config, "amd64", tar, tar),
            "I08" => TestImage.Of(BusyboxImages.Config, "amd64", [tar, .. Numbered(1)])
                .WithConfiguration(configuration => configuration["rootfs"]!["diff_ids"]!.AsArray().RemoveAt(1)),
            "I09" => plain.WithManifest(manifest => manifest["layers"]![0]!["mediaType"] = "application/vnd.example.unknown"),
            "I10" => plain.WithManifest(manifest => manifest["manifests"] = new JsonArray()),
            "I11" => plain.WithManifest(manifest => manifest["config"]!["mediaType"] = "application/vnd.cncf.helm.config.v1+json"),
            "I12" => TestImage.Of(BusyboxImages.Config, "s390x", tar),
            _ => plain,
        };

        static void Resize(JsonObject manifest, int by) =>
            manifest["layers"]![0]!["size"] = manifest["layers"]![0]!["size"]!.GetValue<int>() + by;

        static IEnumerable<byte[]> Numbered(int count) =>
            Enumerable.Range(0, count).Select(number => new TarBuilder().File($"n{number}", "").ToArray());
    }

    private Task PullAsync(OddLayer[] rows, FaultRegistry registry, string form) => Parallel.ForEachAsync(
        Enumerable.Range(0, rows.Length).Chunk(AtOnce), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (some, _) =>
            (await Oci.RunAsync(["--snapshotter", form, "pull", "-q", .. some.Select(index => NameOf(registry, index))])).Succeeded());

    /// <summary>Refused again when the blob of the layer is in the store already, as if it had been read from a file.</summary>
    /// <remarks>Then the blob is fetched once more, because it may have been damaged on disk; that is refused as before.</remarks>
    private async Task BlobsAreRefusedAsync(OddLayer[] rows, FaultRegistry registry)
    {
        string blobs = Path.Join(Oci.Root, "blobs/sha256");
        foreach (OddBlob layer in rows.SelectMany(row => row.Layers))
        {
            await File.WriteAllBytesAsync(Path.Join(blobs, Blob.DigestOf(layer.Blob)["sha256:".Length..]), layer.Blob, Cancellation);
        }

        await Parallel.ForAsync(0, rows.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (index, _) =>
            await RefusedAsync(rows[index], NameOf(registry, index), "erofs", "from the store"));
    }

    private async Task RefusedAsync(OddLayer row, string image, string form, string way)
    {
        long start = Stopwatch.GetTimestamp();
        ProgramResult pull = await Oci.RunAsync("--snapshotter", form, "pull", "-q", image);
        string[] errors = [.. pull.Error.Split('\n').Where(line => line.StartsWith("Error: ", StringComparison.Ordinal))];
        if (pull.Status != 125 || errors is not [string error] || !error.Contains(row.Refusal!, StringComparison.OrdinalIgnoreCase)
            || pull.Error.Contains("   at ", StringComparison.Ordinal))
        {
            _failures.Enqueue($"{row.Id} {way}: expected '{row.Refusal}': {pull}");
        }
        else if (Stopwatch.GetElapsedTime(start) > MostTime)
        {
            _failures.Enqueue($"{row.Id} {way}: took {Stopwatch.GetElapsedTime(start)}");
        }
    }

    /// <summary>Mounts every case as a run does, but read-only, and compares what is seen.</summary>
    private Task CompareAsync(OddLayer[] rows, string form, string way) => MountNamespace.RunAsync(mounts =>
    {
        Directory.CreateDirectory(Oci["empty"]);
        Dictionary<string, string> trees = [];
        for (int i = 0; i < rows.Length; i++)
        {
            // over an empty one because overlayfs wants two
            List<string> lower = [.. Layers(rows[i]).Select(Tree), Oci["empty"]];
            string merged = Oci[$"{way}/{i}"];
            mounts.Mount("overlay", "overlay", merged, $"lowerdir={string.Join(':', lower)}");
            foreach (string difference in rows[i].Tree!.Differences(TreeReader.Read(merged), root: true, holes: form == "directory"))
            {
                _failures.Enqueue($"{rows[i].Id} {form} {way}: {difference}");
            }
        }

        string Tree(string layer)
        {
            if (!trees.TryGetValue(layer, out string? tree))
            {
                tree = form == "erofs" ? Oci[$"{way}/layer-{trees.Count}"] : Path.Join(layer, "fs");
                trees.Add(layer, tree);
                if (form == "erofs")
                {
                    mounts.Mount("erofs", Path.Join(layer, "layer.erofs"), tree, options: null);
                }
            }

            return tree;
        }
    });

    /// <summary>The directories of a case's layers, topmost first.</summary>
    private IEnumerable<string> Layers(OddLayer row)
    {
        foreach (OddBlob layer in row.Layers.Reverse().DistinctBy(layer => Blob.DigestOf(layer.Archive)))
        {
            string directory = Path.Join(Oci.Root, "layers", Blob.DigestOf(layer.Archive).Replace(':', '/'));
            yield return directory;
            if (JsonNode.Parse(File.ReadAllText(Path.Join(directory, "layer.json")))!["opaqueRoot"]!.GetValue<bool>())
            {
                break;
            }
        }
    }

    private static async Task<FaultRegistry> ServeAsync(OddLayer[] rows)
    {
        FaultRegistry registry = await FaultRegistry.StartAsync(ImageOf(rows[0]));
        for (int i = 0; i < rows.Length; i++)
        {
            registry.Serve($"case-{i}", ImageOf(rows[i]));
        }

        return registry;

        static TestImage ImageOf(OddLayer row) => TestImage.Of(BusyboxImages.Config, "amd64",
            [.. row.Layers.Select(layer => (layer.Archive, new Blob(layer.Blob, $"application/vnd.oci.image.layer.v1.tar{layer.Compression}")))]);
    }

    private static string NameOf(FaultRegistry registry, int row) => $"{registry.Host}/corpus:case-{row}";

    private string Plant()
    {
        foreach (string canary in new[] { Near, LayerCorpus.Far })
        {
            Directory.CreateDirectory(canary);
            File.WriteAllText(Path.Join(canary, "victim"), "canary");
        }

        return Canaries();
    }

    private string Canaries() => string.Join('\n',
        TreeReader.Read(Near).Concat(TreeReader.Read(LayerCorpus.Far)).Select(entry => $"{entry.Key} {entry.Value}"));

    private void NothingFailed(int count) => Assert.True(
        _failures.IsEmpty, $"{_failures.Count} failures in {count} cases:\n{string.Join('\n', _failures.Take(40))}");

    public override async ValueTask DisposeAsync()
    {
        if (Directory.Exists(LayerCorpus.Far))
        {
            Directory.Delete(LayerCorpus.Far, recursive: true);
        }

        await base.DisposeAsync();
    }
}
