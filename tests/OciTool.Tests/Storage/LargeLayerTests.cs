using System.IO.Compression;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Layers;
using Xunit;

namespace OciTool.Tests.Storage;

/// <summary>Layers that are large enough for all stages to be at work when one of them fails.</summary>
[Trait("Pace", "slow")]
public sealed class LargeLayerTests : IDisposable
{
    private static readonly TimeSpan Promptly = TimeSpan.FromSeconds(20);

    private readonly TestStore _store = new();
    private readonly byte[] _tar = TestImage.TarOf(Text(12 << 20));

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_large_layer_arrives_whole()
    {
        byte[] blob = Gzip(_tar);
        TestImage image = TestImage.OfBlobs(blob).WithDiffIds(Digest.Of(_tar));

        await PullAsync(image);

        Assert.Equal(blob, File.ReadAllBytes(_store.BlobPath(image.Layers[0].Digest)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            File.GetUnixFileMode(_store.BlobPath(image.Layers[0].Digest)));
        Assert.Equal(image.Id, _store.Find("a")!.Id);
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.Empty(_store.FilesBelow("ingest"));
    }

    [Fact]
    public async Task A_download_that_breaks_off_is_the_failure_and_the_next_pull_goes_on_there()
    {
        byte[] blob = Gzip(_tar);
        TestImage image = TestImage.OfBlobs(blob).WithDiffIds(Digest.Of(_tar));
        int half = blob.Length / 2;
        image.Distort = stream => new BrokenStream(stream, half, new IOException("connection reset by peer"));

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => PullAsync(image));

        Assert.EndsWith(": connection reset by peer", failure.Message, StringComparison.Ordinal);
        Assert.Equal(half, new FileInfo(_store.PartialPath(image.Layers[0].Digest)).Length);
        Assert.Empty(_store.FilesBelow("tmp"));
        image.Distort = stream => stream;
        await PullAsync(image);
        Assert.Equal([0, half], image.Offsets);
        Assert.Equal(blob, File.ReadAllBytes(_store.BlobPath(image.Layers[0].Digest)));
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_in_the_middle_ends_and_keeps_what_came()
    {
        byte[] blob = Gzip(_tar);
        TestImage image = TestImage.OfBlobs(blob).WithDiffIds(Digest.Of(_tar));
        int half = blob.Length / 2;
        image.Distort = stream => new BrokenStream(stream, half, failure: null);
        using CancellationTokenSource cancellation = new();
        using StoreDestination destination = _store.Images.OpenDestination(Reference.Parse("a"));
        Task pull = ImageCopier.CopyAsync(image, destination, TestStore.Amd64, new RecordingProgress(), cancellation.Token);
        string partial = _store.PartialPath(image.Layers[0].Digest);
        while (!File.Exists(partial) || new FileInfo(partial).Length < half)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull.WaitAsync(Promptly, TestContext.Current.CancellationToken));
        Assert.Equal(half, new FileInfo(partial).Length);
        Assert.Empty(_store.FilesBelow("tmp"));
        Assert.Empty(_store.FilesBelow("layers"));
    }

    [Fact]
    public async Task Damage_of_the_compressed_bytes_ends_a_download_that_hangs()
    {
        // a second member, whose first block is of the type that does not exist
        byte[] blob = [.. Gzip(_tar[..(8 << 20)]), 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0b111, .. new byte[1 << 20]];
        TestImage image = TestImage.OfBlobs(blob).WithDiffIds(Digest.Of(_tar));
        image.Distort = stream => new BrokenStream(stream, blob.Length - 10, failure: null);

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => PullAsync(image));

        Assert.Contains(": damaged gzip data: invalid block type", failure.Message, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_damaged_archive_ends_a_download_that_hangs()
    {
        byte[] archive = [.. _tar[..^1024], .. new byte[512].Select(_ => (byte)'x'), .. TestImage.TarOf(Text(3 << 20))];
        byte[] blob = Gzip(archive);
        TestImage image = TestImage.OfBlobs(blob).WithDiffIds(Digest.Of(archive));
        image.Distort = stream => new BrokenStream(stream, blob.Length - 10, failure: null);

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => PullAsync(image));

        Assert.Contains($"at offset {_tar.Length - 1024}", failure.Message, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task Another_diffID_leaves_neither_blob_nor_layer()
    {
        TestImage image = TestImage.OfBlobs(Gzip(_tar)).WithDiffIds(Digest.Of("another"u8));

        LayerTransferException failure = await Assert.ThrowsAsync<LayerTransferException>(() => PullAsync(image));

        Assert.Contains("does not match config diff_id", failure.Message, StringComparison.Ordinal);
        AssertNothingIsLeft();
        Assert.False(File.Exists(_store.BlobPath(image.Layers[0].Digest)));
    }

    private Task<CopiedImage> PullAsync(TestImage image) =>
        _store.PullAsync(image, "a").WaitAsync(Promptly, TestContext.Current.CancellationToken);

    private void AssertNothingIsLeft()
    {
        Assert.Empty(_store.FilesBelow("ingest"));
        Assert.Empty(_store.FilesBelow("layers"));
        Assert.Empty(_store.FilesBelow("tmp"));
    }

    /// <summary>Text that gzip leaves at about half its size, so that the blob is large too.</summary>
    private static string Text(int length)
    {
        Random random = new(length);
        return string.Create(length, random, static (characters, random) =>
        {
            foreach (ref char character in characters)
            {
                character = (char)random.Next('0', '0' + 64);
            }
        });
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }
}
