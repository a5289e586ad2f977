using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

public sealed class PullTests : IDisposable
{
    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_pulled_image_is_a_valid_layout_with_its_original_bytes()
    {
        TestImage image = TestImage.Of("one", "two");

        await _store.PullAsync(image, "quay.io/fedora/fedora:34");

        Assert.Equal("{\"imageLayoutVersion\":\"1.0.0\"}", File.ReadAllText(Path.Join(_store.Path, "oci-layout")));
        Assert.Equal(
            $$$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{image.Root.Digest}}}","size":{{{image.Root.Descriptor.Size}}},"annotations":{"org.opencontainers.image.ref.name":"quay.io/fedora/fedora:34","io.containerd.image.name":"quay.io/fedora/fedora:34"}}],"mediaType":"{{{MediaTypes.OciIndex}}}"}""",
            File.ReadAllText(Path.Join(_store.Path, "index.json")));
        Assert.Equal(image.Root.Bytes.ToArray(), File.ReadAllBytes(_store.BlobPath(image.Root.Digest)));
        Assert.Equal(image.BlobOf(image.Layers[0].Digest), File.ReadAllBytes(_store.BlobPath(image.Layers[0].Digest)));
        Assert.Equal(4, _store.FilesBelow("blobs").Length);
        Assert.Equal("one", File.ReadAllText(Path.Join(_store.LayerPath(image.DiffIds[0]), "fs", "content")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_store.Path));
    }

    [Fact]
    public async Task A_pull_leaves_nothing_but_its_result()
    {
        await _store.PullAsync(TestImage.Of("one", "two"), "a");

        Assert.Empty(_store.FilesBelow("ingest"));
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.Empty(_store.FilesBelow("locks"));
        Assert.Empty(_store.FilesBelow("leases"));
    }

    [Fact]
    public async Task A_second_pull_of_the_same_image_opens_no_layer_and_writes_nothing()
    {
        TestImage image = TestImage.Of("one", "two");
        await _store.PullAsync(image, "a");
        Assert.True(FileIdentity.TryOf(Path.Join(_store.Path, "index.json"), out FileIdentity before));
        RecordingProgress progress = new();

        await _store.PullAsync(image, "a", progress: progress);

        Assert.Equal(2, image.Opened);
        Assert.Equal(["skipped", "skipped"], progress.Events);
        Assert.True(FileIdentity.TryOf(Path.Join(_store.Path, "index.json"), out FileIdentity after));
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task A_layer_of_the_promised_size_but_another_digest_leaves_nothing()
    {
        TestImage image = TestImage.Of("promised");
        image.Replace(image.Layers[0].Digest, TestImage.TarOf("tampered"));

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => _store.PullAsync(image, "a"));

        Assert.StartsWith($"layer 1/1 (sha256:{image.Layers[0].Digest.Short}…): ", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Images.List());
        Assert.Empty(_store.FilesBelow("layers"));
        Assert.Empty(_store.FilesBelow("ingest"));
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.False(File.Exists(_store.BlobPath(image.Layers[0].Digest)));
    }

    [Fact]
    public async Task A_layer_that_goes_on_behind_its_size_is_refused()
    {
        TestImage image = TestImage.Of("promised");
        image.Replace(image.Layers[0].Digest, [.. image.BlobOf(image.Layers[0].Digest), 0]);

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => _store.PullAsync(image, "a"));

        Assert.IsType<ContentMismatchException>(failure.InnerException);
        Assert.Empty(_store.FilesBelow("layers"));
        Assert.Empty(_store.FilesBelow("ingest"));
    }

    [Fact]
    public async Task A_layer_with_another_diffID_leaves_neither_blob_nor_layer()
    {
        TestImage image = TestImage.Of("one").WithDiffIds(Digest.Of("another"u8));

        await Assert.ThrowsAsync<LayerTransferException>(() => _store.PullAsync(image, "a"));

        Assert.Empty(_store.FilesBelow("layers"));
        Assert.Empty(_store.FilesBelow("ingest"));
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.False(File.Exists(_store.BlobPath(image.Layers[0].Digest)));
    }

    [Fact]
    public async Task A_layer_that_cannot_be_applied_ends_a_download_that_hangs()
    {
        TestImage image = TestImage.OfBlobs([.. Enumerable.Repeat((byte)'x', 400_000)]);
        image.Distort = stream => new BrokenStream(stream, 300_000, failure: null);

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(
            () => _store.PullAsync(image, "a").WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));

        Assert.IsType<OciTool.Storage.Layers.LayerException>(failure.InnerException);
    }

    [Fact]
    public async Task A_broken_download_goes_on_where_it_ended()
    {
        byte[] layer = TestImage.TarOf(new string('x', 300_000));
        TestImage image = TestImage.OfBlobs(layer);
        image.Distort = stream => new BrokenStream(stream, 200_000, new IOException("connection reset by peer"));
        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => _store.PullAsync(image, "a"));
        Assert.EndsWith(": connection reset by peer", failure.Message, StringComparison.Ordinal);
        Assert.Equal(200_000, new FileInfo(_store.PartialPath(image.Layers[0].Digest)).Length);
        Assert.Empty(_store.FilesBelow("tmp"));
        image.Distort = stream => stream;
        RecordingProgress progress = new();

        await _store.PullAsync(image, "a", progress: progress);

        Assert.Equal([0, 200_000], image.Offsets);
        Assert.Equal(["started at 200000", "finished"], progress.Events);
        Assert.Equal(layer, File.ReadAllBytes(_store.BlobPath(image.Layers[0].Digest)));
        Assert.Equal(new string('x', 300_000), File.ReadAllText(Path.Join(_store.LayerPath(image.DiffIds[0]), "fs", "content")));
    }

    [Fact]
    public async Task A_source_that_ends_early_is_an_error_and_what_came_is_kept()
    {
        TestImage image = TestImage.Of("one");
        image.Distort = stream =>
        {
            byte[] half = new byte[stream.Length / 2];
            stream.ReadExactly(half);
            return new MemoryStream(half);
        };

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => _store.PullAsync(image, "a"));

        Assert.Contains("the source ended after 1024 of 2048 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1024, new FileInfo(_store.PartialPath(image.Layers[0].Digest)).Length);
    }

    [Fact]
    public async Task A_kept_part_with_wrong_bytes_is_thrown_away_and_all_of_it_is_fetched()
    {
        TestImage image = TestImage.Of("one");
        Directory.CreateDirectory(Path.Join(_store.Path, "ingest"));
        File.WriteAllBytes(_store.PartialPath(image.Layers[0].Digest), new byte[700]);

        await _store.PullAsync(image, "a");

        Assert.Equal(0, image.Offsets[^1]);
        Assert.Equal("one", File.ReadAllText(Path.Join(_store.LayerPath(image.DiffIds[0]), "fs", "content")));
    }

    [Fact]
    public async Task A_missing_layer_is_applied_from_its_blob_without_the_source()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        Directory.Delete(_store.LayerPath(image.DiffIds[0]), recursive: true);

        await _store.PullAsync(image, "a");

        Assert.Equal(1, image.Opened);
        Assert.Equal("one", File.ReadAllText(Path.Join(_store.LayerPath(image.DiffIds[0]), "fs", "content")));
    }

    [Fact]
    public async Task A_document_that_was_damaged_on_disk_is_healed_by_the_next_pull()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        string path = _store.BlobPath(image.Id);
        File.Delete(path);
        File.WriteAllText(path, "damaged");

        await _store.PullAsync(image, "a");

        Assert.Equal(image.Id, _store.Find("a")!.Id);
    }

    [Fact]
    public async Task Eight_pulls_at_the_same_time_download_a_layer_once()
    {
        TestImage image = TestImage.Of("one", "two", "three");
        image.Distort = stream =>
        {
            Thread.Sleep(20);
            return stream;
        };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => _store.PullAsync(image, $"name{i}"))));

        Assert.Equal(3, image.Opened);
        Assert.Equal(8, Assert.Single(_store.Images.List()).Names.Count);
        Assert.Empty(_store.FilesBelow("locks"));
    }

    [Fact]
    public async Task Two_blobs_with_the_same_diffID_share_the_applied_layer()
    {
        byte[] tar = TestImage.TarOf("shared");
        using MemoryStream compressed = new();
        using (System.IO.Compression.GZipStream gzip = new(compressed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        await _store.PullAsync(TestImage.OfBlobs(tar), "plain");
        await _store.PullAsync(TestImage.OfBlobs(compressed.ToArray()).WithDiffIds(Digest.Of(tar)), "compressed");

        Assert.Single(_store.FilesBelow("layers"), file => file.EndsWith("layer.json", StringComparison.Ordinal));
        Assert.Equal(2, _store.Find("compressed")!.Summary.Names.Count);
    }

    [Fact]
    public async Task What_a_killed_pull_left_in_tmp_is_swept_and_what_a_living_one_holds_is_not()
    {
        Directory.CreateDirectory(Path.Join(_store.Path, "tmp", "dead", "fs"));
        File.WriteAllText(Path.Join(_store.Path, "tmp", "dead.lock"), "");
        Directory.CreateDirectory(Path.Join(_store.Path, "tmp", "alive", "fs"));
        using FileLock owner = FileLock.Acquire(Path.Join(_store.Path, "tmp", "alive.lock"));

        await _store.PullAsync(TestImage.Of("one"), "a");

        Assert.False(Directory.Exists(Path.Join(_store.Path, "tmp", "dead")));
        Assert.True(Directory.Exists(Path.Join(_store.Path, "tmp", "alive", "fs")));
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_keeps_what_came()
    {
        TestImage image = TestImage.OfBlobs(TestImage.TarOf(new string('x', 300_000)));
        image.Distort = stream => new BrokenStream(stream, 200_000, failure: null);
        using CancellationTokenSource cancellation = new(TimeSpan.FromMilliseconds(300));
        using StoreDestination destination = _store.Images.OpenDestination(Reference.Parse("a"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImageCopier.CopyAsync(
            image, destination, TestStore.Amd64, new RecordingProgress(), cancellation.Token));

        Assert.Equal(200_000, new FileInfo(_store.PartialPath(image.Layers[0].Digest)).Length);
        Assert.Empty(_store.FilesBelow("layers"));
    }

    [Fact]
    public async Task A_damaged_list_of_names_is_an_error_that_names_the_file_and_is_never_overwritten()
    {
        Directory.CreateDirectory(_store.Path);
        string index = Path.Join(_store.Path, "index.json");
        File.WriteAllText(index, "{\"schemaVersion\":2,");

        OciException failure = await Assert.ThrowsAsync<OciException>(() => _store.PullAsync(TestImage.Of("one"), "a"));

        Assert.Contains($"'{index}' is damaged", failure.Message, StringComparison.Ordinal);
        Assert.Equal("{\"schemaVersion\":2,", File.ReadAllText(index, Encoding.UTF8));
    }

    [Fact]
    public async Task A_full_disk_is_named_with_the_layer_and_the_pull_succeeds_when_there_is_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to mount a tmpfs");
        string mount = Path.Join(_store.Path, "small");
        Directory.CreateDirectory(mount);
        await MountAsync("-t", "tmpfs", "-o", "size=2m", "tmpfs", mount);
        try
        {
            using TestStore small = new(Path.Join(mount, "root"));
            TestImage image = TestImage.OfBlobs(TestImage.TarOf("small"), TestImage.TarOf(new string('x', 1_500_000)));

            LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => small.PullAsync(image, "a"));

            Assert.Matches(@"^no space left on device writing layer [12]/2 \(sha256:", failure.Message);
            Assert.Empty(small.FilesBelow("tmp"));
            await MountAsync("-o", "remount,size=8m", mount);
            await small.PullAsync(image, "a");
            Assert.Equal(image.Id, small.Find("a")!.Id);
        }
        finally
        {
            await RunAsync("umount", mount);
        }
    }

    private static Task MountAsync(params string[] arguments) => RunAsync("mount", arguments);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
