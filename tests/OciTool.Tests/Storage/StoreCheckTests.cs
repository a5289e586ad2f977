using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Check;
using Xunit;

namespace OciTool.Tests.Storage;

/// <summary>Each sort of damage: the check names it, the repair mends it, and then the check has nothing to say.</summary>
public sealed class StoreCheckTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly TestImage _image = TestImage.Of("one", "two");

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_store_that_is_whole_or_not_there_has_no_findings()
    {
        Assert.Empty(Check());
        await _store.PullAsync(_image, "a");
        await _store.PullAsync(TestImage.IndexOf("amd64", "arm64"), "b", TestStore.Arm64);
        ContainerStoreTests.Make(_store, "c1");

        Assert.Empty(Check());
        Assert.Empty(Check(new StoreCheckOptions { Quick = true }));
        Assert.Empty(Check(new StoreCheckOptions { Repair = true, Force = true, MaxAge = TimeSpan.Zero }));
        Assert.NotNull(_store.Find("a"));
        Assert.NotNull(_store.Find("b", TestStore.Arm64));
    }

    [Fact]
    [Fault(11, "the check names a layer's blob whose content has changed; its removal lets a pull fetch it again")]
    public async Task A_changed_blob_is_named_and_a_pull_heals_it()
    {
        await _store.PullAsync(_image, "a");
        Flip(_store.BlobPath(_image.Layers[0].Digest), 600);

        StoreFinding finding = Assert.Single(Check());
        Assert.Equal(("blob damaged", _image.Layers[0].Digest.ToString()), (finding.Kind, finding.Target));
        Assert.Empty(Check(new StoreCheckOptions { Quick = true }));
        StoreFinding repaired = Assert.Single(Repair());
        Assert.Contains("pull docker.io/library/a:latest again", repaired.Outcome, StringComparison.Ordinal);
        Assert.True(repaired.Remains);
        Assert.Equal("blob missing", Assert.Single(Check()).Kind);

        await _store.PullAsync(_image, "a");

        Assert.Empty(Check());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Fault(11, "a blob that is gone or too short is named, and a pull heals it")]
    public async Task A_blob_that_is_gone_or_cut_is_named_also_by_the_quick_check(bool cut)
    {
        await _store.PullAsync(_image, "a");
        string path = _store.BlobPath(_image.Layers[1].Digest);
        Replace(path, cut ? [1, 2, 3] : null);

        Assert.Equal(cut ? "blob damaged" : "blob missing", Assert.Single(Check(new StoreCheckOptions { Quick = true })).Kind);
        Repair();
        await _store.PullAsync(_image, "a");

        Assert.Empty(Check());
    }

    [Fact]
    public async Task A_changed_document_is_named_and_a_pull_heals_it()
    {
        await _store.PullAsync(_image, "a");
        foreach (Digest document in (Digest[])[_image.Root.Digest, _image.Id])
        {
            Flip(_store.BlobPath(document), 30);

            Assert.Contains(Check(), finding => finding.Kind == "blob damaged" && finding.Target == document.ToString());
            Repair();
            await _store.PullAsync(_image, "a");

            Assert.Empty(Check());
        }
    }

    [Fact]
    [Fault(12, "a layer whose files were changed, added or removed is named, and made again from its blob without a network")]
    public async Task A_changed_layer_is_made_again_from_its_blob()
    {
        await _store.PullAsync(_image, "a");
        string directory = _store.LayerPath(_image.DiffIds[0]);
        string file = Path.Join(directory, "fs/content");
        Action[] harms =
        [
            () => File.WriteAllText(file, "owt"),
            () => File.Delete(file),
            () => File.SetUnixFileMode(file, UnixFileMode.UserRead),
            () => File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddDays(1)),
            () => File.WriteAllText(Path.Join(directory, "fs/added"), ""),
            () => File.CreateSymbolicLink(Path.Join(directory, "fs/link"), "/etc"),
            () => Directory.Delete(Path.Join(directory, "fs"), recursive: true),
            () => File.WriteAllText(Path.Join(directory, "stray"), ""),
            () => File.Delete(Path.Join(directory, "layer.json")),
            () => File.WriteAllText(Path.Join(directory, "layer.json"), "{"),
            () => Edit(Path.Join(directory, "layer.json"), "\"entries\":1", "\"entries\":2"),
            () => Edit(Path.Join(directory, "layer.json"), _image.DiffIds[0].Hex, _image.DiffIds[1].Hex),
            () => Directory.Delete(directory, recursive: true),
        ];
        foreach (Action harm in harms)
        {
            harm();

            StoreFinding finding = Assert.Single(Check(), finding => finding.Kind is "layer damaged" or "layer missing");
            Assert.Equal(_image.DiffIds[0].ToString(), finding.Target);
            Assert.All(Repair(), repaired => Assert.False(repaired.Remains));
            Assert.Empty(Check());
            Assert.Equal("one", File.ReadAllText(file));
        }
    }

    [Fact]
    public async Task A_layer_whose_blob_is_damaged_too_comes_back_with_a_pull()
    {
        await _store.PullAsync(_image, "a");
        Flip(_store.BlobPath(_image.Layers[0].Digest), 600);
        File.Delete(Path.Join(_store.LayerPath(_image.DiffIds[0]), "layer.json"));

        Assert.Contains(Repair(), finding => finding.Kind == "layer damaged" && finding.Remains);
        Assert.False(Directory.Exists(_store.LayerPath(_image.DiffIds[0])));
        await _store.PullAsync(_image, "a");

        Assert.Empty(Check());
    }

    [Fact]
    [Fault(10, "a damaged index.json is named and never overwritten; the repair keeps all names that can be read")]
    public async Task Names_that_can_be_read_survive_a_damaged_list()
    {
        await _store.PullAsync(_image, "a");
        await _store.PullAsync(TestImage.Of("other"), "b");
        string index = Path.Join(_store.Path, "index.json");
        byte[] cut = File.ReadAllBytes(index)[..^120];
        File.WriteAllBytes(index, cut);

        StoreFinding finding = Assert.Single(Check(), finding => finding.Kind == "index damaged");
        Assert.Equal("index.json", finding.Target);
        Assert.Equal(cut, File.ReadAllBytes(index));
        Assert.Contains("1 names were read; 1 images have none", Assert.Single(Repair()).Outcome, StringComparison.Ordinal);

        Assert.NotNull(_store.Find("a"));
        Assert.Equal(2, _store.Images.List().Count);
        Assert.Empty(Check());
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Images_without_any_list_are_listed_again(bool empty, bool withFacts)
    {
        await _store.PullAsync(_image, "a");
        Replace(Path.Join(_store.Path, "index.json"), empty ? [] : null);
        if (!withFacts)
        {
            File.Delete(Path.Join(_store.Path, "images.json"));
        }

        if (empty || withFacts)
        {
            Assert.Contains(Check(), finding => finding.Kind == "index damaged");
            Repair();
            Assert.Equal(_image.Id, Assert.Single(_store.Images.List()).Id);
        }

        await _store.PullAsync(_image, "a");
        Assert.Empty(Check());
        Assert.NotNull(_store.Find("a"));
    }

    [Fact]
    public async Task What_images_json_says_wrongly_is_written_again()
    {
        await _store.PullAsync(_image, "a");
        string facts = Path.Join(_store.Path, "images.json");
        foreach ((string old, string now) in ((string, string)[])[("amd64", "arm64"), ("\"version\":1", "\"version\":7"), ("{", "[")])
        {
            Edit(facts, old, now);

            Assert.Equal("facts damaged", Assert.Single(Check()).Kind);
            Assert.False(Assert.Single(Repair()).Remains);
            Assert.Empty(Check());
        }
    }

    [Fact]
    public async Task The_layout_version_is_written_again()
    {
        await _store.PullAsync(_image, "a");
        Replace(Path.Join(_store.Path, "oci-layout"), [1]);

        Assert.Equal("layout damaged", Assert.Single(Check()).Kind);
        Repair();

        Assert.Empty(Check());
    }

    [Fact]
    public async Task A_platform_that_was_lost_is_named()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64");
        await _store.PullAsync(image, "a", TestStore.Amd64);
        await _store.PullAsync(image, "a", TestStore.Arm64);
        File.Delete(_store.BlobPath(image.Manifest.Digest));

        Assert.Contains(Check(), finding => finding.Kind == "image incomplete" && finding.What.Contains("arm64", StringComparison.Ordinal));
        Repair();
        Assert.Empty(Check());
        await _store.PullAsync(image, "a", TestStore.Arm64);

        Assert.Empty(Check());
        Assert.NotNull(_store.Find("a", TestStore.Arm64));
    }

    [Fact]
    public async Task A_container_is_removed_only_by_force()
    {
        await _store.PullAsync(_image, "a");
        ContainerRecord container = ContainerStoreTests.Make(_store, "c1");
        string directory = _store.Containers.DirectoryOf(container.Id);
        Directory.CreateDirectory(Path.Join(directory, "upper"));
        File.WriteAllText(Path.Join(directory, "container.json"), "{");

        Assert.Equal(("container damaged", container.Id), (Assert.Single(Check()).Kind, Check()[0].Target));
        Assert.Contains("--force", Assert.Single(Repair()).Outcome, StringComparison.Ordinal);
        Assert.True(Directory.Exists(directory));
        Assert.False(Assert.Single(Repair(force: true)).Remains);

        Assert.False(Directory.Exists(directory));
        Assert.Empty(Check());
    }

    [Fact]
    public async Task The_name_of_a_container_is_written_again()
    {
        await _store.PullAsync(_image, "a");
        ContainerRecord container = ContainerStoreTests.Make(_store, "c1");
        Replace(Path.Join(_store.Path, "names/c1"), []);

        Assert.Equal("container name missing", Assert.Single(Check()).Kind);
        Repair();

        Assert.Empty(Check());
        Assert.Equal(container.Id, _store.Containers.Find("c1")!.Id);
    }

    [Fact]
    public async Task What_a_kill_has_left_is_no_damage_and_is_swept()
    {
        await _store.PullAsync(_image, "a");
        string half = Path.Join(_store.Path, "containers", ContainerStore.NewId());
        Directory.CreateDirectory(half);
        File.WriteAllText(Path.Join(_store.Path, "names/ghost"), Path.GetFileName(half) + "x");
        File.WriteAllText(Path.Join(_store.Path, "tmp/half-written"), "{");
        File.WriteAllText(Path.Join(_store.Path, "tmp/half-written.lock"), "");
        File.WriteAllText(Path.Join(_store.Path, "leases/dead.lock"), "");
        File.WriteAllText(Path.Join(_store.Path, "leases/dead"), $"{_image.Id}\n");
        File.WriteAllText(_store.PartialPath(TestImage.Of("x").Layers[0].Digest), "partial");

        Assert.Empty(Check());
        Assert.Empty(Repair());

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Join(_store.Path, "containers")));
        Assert.Empty(_store.FilesBelow("names"));
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.Empty(_store.FilesBelow("leases"));
        Assert.Single(_store.FilesBelow("ingest")); // the next pull goes on with it
    }

    [Fact]
    public async Task Content_that_no_image_needs_is_a_finding_only_when_it_is_old()
    {
        await _store.PullAsync(_image, "a");
        TestImage other = TestImage.Of("three");
        await _store.PullAsync(other, "b");
        string index = Path.Join(_store.Path, "index.json");
        byte[] before = File.ReadAllBytes(index);
        LayoutIndex names = LayoutIndex.Read(_store.Root);
        names.RemoveImage(other.Root.Digest);
        names.Write();
        File.WriteAllText(_store.PartialPath(TestImage.Of("x").Layers[0].Digest), "partial");

        Assert.Empty(Check());
        StoreFinding[] old = [.. Check(new StoreCheckOptions { MaxAge = TimeSpan.Zero })];
        Assert.Equal(
            ["blob unreferenced", "blob unreferenced", "blob unreferenced", "layer unreferenced", "partial download"],
            old.Select(finding => finding.Kind).Order());
        Assert.All(Check(new StoreCheckOptions { MaxAge = TimeSpan.Zero, Repair = true }), finding => Assert.False(finding.Remains));

        Assert.Empty(Check(new StoreCheckOptions { MaxAge = TimeSpan.Zero }));
        Assert.False(File.Exists(_store.BlobPath(other.Layers[0].Digest)));
        Assert.NotEqual(before, File.ReadAllBytes(index));
    }

    [Fact]
    public async Task What_a_pull_protects_is_no_finding_however_old_it_seems()
    {
        await _store.PullAsync(_image, "a");
        TestImage other = TestImage.Of("three");
        using StoreDestination destination = _store.Images.OpenDestination(Reference.Parse("b"));
        await destination.WriteDocumentAsync(other.Manifest, TestContext.Current.CancellationToken);

        Assert.Empty(Check(new StoreCheckOptions { MaxAge = TimeSpan.Zero, Repair = true }));

        Assert.True(File.Exists(_store.BlobPath(other.Manifest.Digest)));
    }

    [Fact]
    public async Task A_check_without_repair_changes_nothing()
    {
        await _store.PullAsync(_image, "a");
        Flip(_store.BlobPath(_image.Layers[0].Digest), 600);
        File.WriteAllText(Path.Join(_store.Path, "leases/dead.lock"), "");
        string[] Files() => [.. Directory.EnumerateFiles(_store.Path, "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith("lock", StringComparison.Ordinal)).Select(file => $"{file} {File.GetLastWriteTimeUtc(file).Ticks} {new FileInfo(file).Length}").Order()];
        string[] before = Files();

        Check();

        Assert.Equal(before, Files());
        Assert.True(File.Exists(Path.Join(_store.Path, "leases/dead.lock")));
    }

    [Fact]
    public async Task An_artifact_that_another_tool_put_into_the_layout_is_left_alone()
    {
        await _store.PullAsync(_image, "a");
        byte[] content = "chart"u8.ToArray();
        Digest blob = Digest.Of(content);
        File.WriteAllBytes(_store.BlobPath(blob), content);
        string manifest = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\","
            + $"\"digest\":\"{blob}\",\"size\":5}},\"layers\":[{{\"mediaType\":\"application/x\",\"digest\":\"{blob}\",\"size\":5}}]}}";
        Document document = new(MediaTypes.OciManifest, System.Text.Encoding.UTF8.GetBytes(manifest));
        File.WriteAllBytes(_store.BlobPath(document.Digest), document.Bytes.ToArray());
        LayoutIndex names = LayoutIndex.Read(_store.Root);
        names.SetName("chart", document.Descriptor);
        names.Write();

        Assert.Empty(Check(new StoreCheckOptions { MaxAge = TimeSpan.Zero, Repair = true }));
        new StoreSweep(_store.Root, _store.Images, _store.Containers).Run();

        Assert.True(File.Exists(_store.BlobPath(blob)));
        Assert.True(File.Exists(_store.BlobPath(document.Digest)));
    }

    private IReadOnlyList<StoreFinding> Check(StoreCheckOptions? options = null) =>
        new StoreCheck(_store.Root, _store.Images, _store.Containers, options ?? new StoreCheckOptions(), TimeProvider.System)
            .Run(TestContext.Current.CancellationToken);

    private IReadOnlyList<StoreFinding> Repair(bool force = false) => Check(new StoreCheckOptions { Repair = true, Force = force });

    private static void Flip(string path, int at)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at % bytes.Length] ^= 1;
        Replace(path, bytes);
    }

    private static void Edit(string path, string old, string now)
    {
        string text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, now, StringComparison.Ordinal));
    }

    private static void Replace(string path, byte[]? content)
    {
        File.Delete(path);
        if (content is not null)
        {
            File.WriteAllBytes(path, content);
        }
    }
}
