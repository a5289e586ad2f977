using OciTool.Images;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

public sealed class ImageStoreTests : IDisposable
{
    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_store_that_is_not_there_is_empty_and_stays_absent()
    {
        Assert.Empty(_store.Images.List());
        Assert.Null(_store.Find("a"));
        Assert.Empty(_store.Containers.List());
        Assert.False(Directory.Exists(_store.Path));
    }

    [Theory]
    [InlineData("quay.io/fedora/fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("fedora/fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("dora:34", null)]
    [InlineData("quay.io/fedora/fedora", null)]
    [InlineData("fedora", null)]
    [InlineData("alpine", "docker.io/library/alpine:latest")]
    [InlineData("docker.io/alpine", "docker.io/library/alpine:latest")]
    [InlineData("library/alpine:latest", "docker.io/library/alpine:latest")]
    [InlineData("user/tool", "docker.io/user/tool:latest")]
    [InlineData("mine", "localhost/mine:latest")]
    [InlineData("both", "localhost/both:latest")]
    [InlineData("docker.io/both", "docker.io/library/both:latest")]
    [InlineData("Alpine", null)]
    [InlineData("", null)]
    [InlineData("quay.io/alpine", null)]
    public async Task Names_are_resolved_as_podman_resolves_local_ones(string typed, string? expected)
    {
        foreach (string name in (string[])["quay.io/fedora/fedora:34", "alpine", "user/tool", "localhost/mine", "localhost/both", "docker.io/both"])
        {
            await _store.PullAsync(TestImage.Of(name), name);
        }

        Assert.Equal(expected, _store.Find(typed)?.Name);
    }

    [Fact]
    public async Task A_short_name_that_several_images_end_in_is_an_error()
    {
        await _store.PullAsync(TestImage.Of("one"), "quay.io/one/tool");
        await _store.PullAsync(TestImage.Of("two"), "ghcr.io/two/tool");

        OciException failure = Assert.Throws<OciException>(() => _store.Find("tool"));

        Assert.Equal("'tool' may be any of quay.io/one/tool:latest, ghcr.io/two/tool:latest", failure.Message);
    }

    [Fact]
    public async Task An_image_is_found_by_its_ID_and_by_the_beginning_of_it()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");

        Assert.Equal(image.Id, _store.Find(image.Id.ToString())!.Id);
        Assert.Equal(image.Id, _store.Find(image.Id.Hex)!.Id);
        Assert.Equal(image.Id, _store.Find(image.Id.Hex[..12])!.Id);
        Assert.Equal(image.Id, _store.Find($"sha256:{image.Id.Hex[..12]}")!.Id);
        Assert.Null(_store.Find(image.Id.Hex[..2]));
        Assert.Null(_store.Find($"sha256:{new string('0', 64)}"));
    }

    [Fact]
    public async Task An_image_is_found_by_the_digest_of_its_index_and_of_its_manifest()
    {
        TestImage image = TestImage.IndexOf("arm64", "amd64");
        await _store.PullAsync(image, "quay.io/a/b:1");

        Assert.Equal(image.Id, _store.Find($"quay.io/a/b@{image.Root.Digest}")!.Id);
        Assert.Equal(image.Id, _store.Find($"quay.io/a/b:9@{image.Manifest.Digest}")!.Id);
        Assert.Null(_store.Find($"quay.io/a/c@{image.Manifest.Digest}"));
        Assert.Equal(
            [$"quay.io/a/b@{image.Root.Digest}", $"quay.io/a/b@{image.Manifest.Digest}"],
            _store.Find("quay.io/a/b:1")!.Summary.RepoDigests);
    }

    [Fact]
    public async Task Two_platforms_live_under_one_tag()
    {
        TestImage image = TestImage.IndexOf("arm64", "amd64");

        await _store.PullAsync(image, "a", TestStore.Amd64);
        PlatformNotAtHandException missing = Assert.Throws<PlatformNotAtHandException>(() => _store.Find("a", TestStore.Arm64));
        await _store.PullAsync(image, "a", TestStore.Arm64);

        Assert.Equal("a: nothing is here for linux/arm64, only for linux/amd64", missing.Message);
        Assert.Equal("arm64", _store.Find("a", TestStore.Arm64)!.Config.Architecture);
        Assert.Equal("amd64", _store.Find("a", TestStore.Amd64)!.Config.Architecture);
        Assert.Equal(image.Root.Digest, _store.Find("a", TestStore.Amd64)!.Root.Digest);
        Assert.Equal(["arm64", "amd64"], _store.Images.List().Select(listed => listed.Platform.Architecture));
    }

    [Fact]
    public async Task Removing_one_platform_by_ID_leaves_the_other_under_the_tag()
    {
        TestImage image = TestImage.IndexOf("arm64", "amd64");
        await _store.PullAsync(image, "a", TestStore.Arm64);
        await _store.PullAsync(image, "a", TestStore.Amd64);

        RemovalResult result = _store.Remove(image.Id.Hex[..12]);

        Assert.Equal([image.Id], result.Deleted);
        Assert.Empty(result.Untagged);
        Assert.Equal("arm64", Assert.Single(_store.Images.List()).Platform.Architecture);
        Assert.False(Directory.Exists(_store.LayerPath(image.DiffIds[0])));
        Assert.Equal("arm64", _store.Find("a")!.Config.Architecture);
    }

    [Fact]
    public async Task A_list_shows_what_the_documents_say()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");

        ImageSummary listed = Assert.Single(_store.Images.List());

        Assert.Equal(image.Id, listed.Id);
        Assert.Equal(["docker.io/library/a:latest"], listed.Names);
        Assert.Equal(new DateTimeOffset(2024, 9, 26, 21, 31, 42, TimeSpan.Zero), listed.Created);
        Assert.True(listed.Size > 2048);
    }

    [Fact]
    public async Task A_list_is_the_same_without_its_cache_and_with_a_damaged_one()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ImageSummary before = Assert.Single(_store.Images.List());
        File.WriteAllText(Path.Join(_store.Path, "images.json"), "{");

        ImageSummary after = Assert.Single(_store.Images.List());

        Assert.Equal((before.Id, before.Size, before.Created), (after.Id, after.Size, after.Created));
    }

    [Fact]
    public async Task An_image_whose_tag_moved_away_stays_without_a_name()
    {
        TestImage old = TestImage.Of("old");
        await _store.PullAsync(old, "a");

        await _store.PullAsync(TestImage.Of("new"), "a");

        Assert.Empty(Assert.Single(_store.Images.List(), image => image.Id == old.Id).Names);
        Assert.Equal(2, _store.Images.List().Count);
    }

    [Fact]
    public async Task A_tag_is_one_more_name_and_removing_it_removes_no_more()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        _store.Images.Tag(_store.Find("a")!, Reference.Parse("quay.io/b:1"));
        Assert.Equal(["docker.io/library/a:latest", "quay.io/b:1"], _store.Find("a")!.Summary.Names);

        RemovalResult result = _store.Remove("a");

        Assert.Equal(["docker.io/library/a:latest"], result.Untagged);
        Assert.Empty(result.Deleted);
        Assert.Equal(image.Id, _store.Find("quay.io/b:1")!.Id);
    }

    [Fact]
    public async Task Removing_the_last_name_removes_all_that_nothing_else_needs()
    {
        TestImage first = TestImage.Of("shared", "first");
        TestImage second = TestImage.Of("shared", "second");
        await _store.PullAsync(first, "first");
        await _store.PullAsync(second, "second");

        RemovalResult result = _store.Remove("first");

        Assert.Equal(["docker.io/library/first:latest"], result.Untagged);
        Assert.Equal([first.Id], result.Deleted);
        Assert.False(File.Exists(_store.BlobPath(first.Root.Digest)));
        Assert.False(File.Exists(_store.BlobPath(first.Id)));
        Assert.False(Directory.Exists(_store.LayerPath(first.DiffIds[1])));
        Assert.True(Directory.Exists(_store.LayerPath(first.DiffIds[0])));

        _store.Remove("second");

        Assert.Empty(_store.FilesBelow("blobs"));
        Assert.Empty(_store.FilesBelow("layers"));
        Assert.Empty(_store.FilesBelow("tmp"));
    }

    [Fact]
    public async Task What_a_pull_under_way_has_seen_is_not_collected()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        using StoreDestination underWay = _store.Images.OpenDestination(Reference.Parse("b"));
        await ImageCopier.CopyAsync(image, new Uncommitted(underWay), TestStore.Amd64, new RecordingProgress(), TestContext.Current.CancellationToken);

        _store.Remove("a");
        await underWay.CommitAsync(image.Root, TestContext.Current.CancellationToken);

        Assert.Equal(image.Id, _store.Find("b")!.Id);
        Assert.True(Directory.Exists(_store.LayerPath(image.DiffIds[0])));
    }

    [Fact]
    public void Removing_what_is_not_there_ends_with_1()
    {
        ImageNotKnownException failure = Assert.Throws<ImageNotKnownException>(() => _store.Remove("nosuch"));

        Assert.Equal("nosuch: image not known", failure.Message);
        Assert.Equal(1, failure.ExitCode);
    }

    [Fact]
    public async Task Removing_by_ID_an_image_with_several_names_has_to_be_forced()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        _store.Images.Tag(_store.Find("a")!, Reference.Parse("b"));

        OciException failure = Assert.Throws<OciException>(() => _store.Remove(image.Id.Hex));
        RemovalResult result = _store.Remove(image.Id.Hex, force: true);

        Assert.Contains("with more than one tag ([docker.io/library/a:latest docker.io/library/b:latest])", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, result.Untagged.Count);
        Assert.Empty(_store.Images.List());
    }

    [Fact]
    public async Task An_image_of_a_container_is_removed_by_force_only_and_the_container_with_it()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        ContainerRecord container = ContainerStoreTests.Make(_store, "c1");

        ImageInUseException failure = Assert.Throws<ImageInUseException>(() => _store.Remove("a"));
        _store.Remove("a", force: true);

        Assert.Equal(2, failure.ExitCode);
        Assert.Equal($"image used by {container.Id}: image is in use by a container: consider listing external containers and force-removing image", failure.Message);
        Assert.Empty(_store.Containers.List());
        Assert.Empty(_store.FilesBelow("blobs"));
    }

    [Fact]
    public async Task A_list_reads_no_blob()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        Directory.Delete(Path.Join(_store.Path, "blobs"), recursive: true);

        Assert.Single(_store.Images.List());
    }

    [Fact]
    public async Task An_image_without_layers_is_an_image()
    {
        TestImage image = TestImage.Of();
        await _store.PullAsync(image, "empty");
        ContainerRecord container = ContainerStoreTests.Make(_store, "c1", "empty");

        OciTool.Linux.Mount mount = new OverlaySnapshotter(_store.Images, _store.Containers).Prepare(container.Id, _store.Find("empty")!.Config);

        Assert.Equal("bind", mount.Type);
    }

    /// <summary>All of a destination but its last step.</summary>
    private sealed class Uncommitted(IImageDestination inner) : IImageDestination
    {
        public Document? FindDocument(Descriptor descriptor) => inner.FindDocument(descriptor);

        public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) =>
            inner.ReserveAsync(blob, cancellationToken);

        public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken) =>
            inner.WriteDocumentAsync(document, cancellationToken);

        public Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken) =>
            inner.WriteLayerAsync(layer, progress, cancellationToken);

        public Task CommitAsync(Document root, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
