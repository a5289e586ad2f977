using System.Text.Json;
using OciTool.Images;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

/// <summary>What a store hands out, and what conversions make of it.</summary>
public sealed class PushSourceTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly List<string> _warnings = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_was_pulled_is_handed_out_with_its_bytes()
    {
        TestImage image = TestImage.Of("one", "two");
        await _store.PullAsync(image, "a");
        using StoredImageSource source = Open("a");

        Document root = await source.ResolveAsync(Cancel);

        Assert.Equal(image.Root.Bytes.ToArray(), root.Bytes.ToArray());
        Assert.Equal(image.BlobOf(image.Layers[0].Digest), await ReadAsync(source, image.Layers[0]));
    }

    [Fact]
    public async Task What_is_being_pushed_is_not_removed_below_it()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        using (StoredImageSource source = Open("a"))
        {
            _store.Remove("a");
            Assert.Equal(image.BlobOf(image.Layers[0].Digest), await ReadAsync(source, image.Layers[0]));
        }

        Assert.Null(_store.Find("a"));
    }

    [Fact]
    public async Task An_index_that_is_not_whole_names_the_platforms_that_are_missing()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64", "s390x");
        await _store.PullAsync(image, "a", TestStore.Arm64);

        OciException failure = Assert.Throws<OciException>(() =>
            StoredImageSource.Open(_store.Root, _store.Images, _store.Find("a")!.Root));

        Assert.Contains("linux/amd64, linux/s390x are missing", failure.Message, StringComparison.Ordinal);
        Assert.Contains("oci copy --all", failure.Hint, StringComparison.Ordinal);
        Assert.Empty(_store.FilesBelow("leases"));
    }

    [Fact]
    public async Task A_manifest_that_was_damaged_in_the_store_is_not_handed_out()
    {
        TestImage image = TestImage.Of("one");
        await _store.PullAsync(image, "a");
        using StoredImageSource source = Open("a");
        File.SetUnixFileMode(_store.BlobPath(image.Root.Digest), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        byte[] damaged = image.Root.Bytes.ToArray();
        damaged[5] ^= 1;
        await File.WriteAllBytesAsync(_store.BlobPath(image.Root.Digest), damaged, Cancel);

        OciException failure = await Assert.ThrowsAsync<OciException>(() => source.ResolveAsync(Cancel));
        Assert.Contains("missing or damaged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_the_form_that_is_asked_for_stays_as_it_is()
    {
        TestImage image = TestImage.Of("one");
        Document same = await ConvertAsync(image, new ImageConversion(ManifestFormat.Oci, LayerCompression.None));
        Assert.Equal(image.Root.Digest, same.Digest);
    }

    [Fact]
    public async Task Schema_2_and_back_is_the_image_again()
    {
        TestImage image = TestImage.Of("one");
        Document docker = await ConvertAsync(image, new ImageConversion(ManifestFormat.Docker, Compression: null));
        Manifest manifest = Manifest.Parse(docker);
        Assert.Equal(MediaTypes.DockerManifest, docker.MediaType);
        Assert.Equal(MediaTypes.DockerManifest, manifest.MediaType);
        Assert.Equal(MediaTypes.DockerConfig, manifest.Config.MediaType);
        Assert.Equal("application/vnd.docker.image.rootfs.diff.tar", manifest.Layers[0].MediaType);

        Document oci = await ConvertAsync(new Held(docker, image), new ImageConversion(ManifestFormat.Oci, Compression: null));
        Assert.Equal(image.Root.Digest, oci.Digest);
    }

    [Fact]
    public async Task What_schema_2_cannot_say_is_left_out_and_told()
    {
        TestImage image = TestImage.Of("one");
        Manifest annotated = Manifest.Parse(image.Root) with { Annotations = new Dictionary<string, string> { ["org.example"] = "x" } };
        Document root = new(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(annotated, SpecJson.Relaxed.Manifest));

        Document docker = await ConvertAsync(new Held(root, image), new ImageConversion(ManifestFormat.Docker, Compression: null));

        Assert.Null(Manifest.Parse(docker).Annotations);
        Assert.Contains("left out", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_is_converted_with_all_that_it_lists()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64");
        ConvertedSource source = new(image, new ImageConversion(ManifestFormat.Docker, Compression: null), recompressor: null, _warnings.Add);

        Document root = await source.ResolveAsync(Cancel);

        ImageIndex index = ImageIndex.Parse(root);
        Assert.Equal(MediaTypes.DockerIndex, root.MediaType);
        Assert.Equal(["amd64", "arm64"], index.Manifests.Select(entry => entry.Platform!.Architecture));
        foreach (Descriptor entry in index.Manifests)
        {
            Assert.Equal(entry.Digest, (await source.ReadDocumentAsync(entry, Cancel)).Digest);
        }
    }

    [Theory]
    [InlineData(LayerCompression.Gzip, "application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData(LayerCompression.Zstd, "application/vnd.oci.image.layer.v1.tar+zstd")]
    public async Task A_layer_is_compressed_anew_to_the_same_bytes_each_time(LayerCompression compression, string mediaType)
    {
        TestImage image = TestImage.Of(new string('x', 100_000));
        ImageConversion conversion = new(Format: null, compression);
        using LayerRecompressor recompressor = new(_store.Root, level: null, _ => { });
        ConvertedSource source = new(image, conversion, recompressor, _warnings.Add);

        Document root = await source.ResolveAsync(Cancel);

        Descriptor layer = Manifest.Parse(root).Layers[0];
        byte[] bytes = await ReadAsync(source, layer);
        Assert.Equal((mediaType, Digest.Of(bytes), (long)bytes.Length), (layer.MediaType, layer.Digest, layer.Size));
        Assert.True(bytes.Length < 10_000);
        Assert.Equal(root.Digest, (await ConvertAsync(image, conversion)).Digest);

        // and a store takes it, which checks the diffID
        using StoreDestination destination = _store.Images.OpenDestination(Reference.Parse("converted"));
        await ImageCopier.CopyAsync(source, destination, TestStore.Amd64, new RecordingProgress(), Cancel);
        Assert.NotNull(_store.Find("converted"));
    }

    [Fact]
    public async Task The_files_of_a_conversion_go_with_it()
    {
        TestImage image = TestImage.Of("one");
        await ConvertAsync(image, new ImageConversion(Format: null, LayerCompression.Gzip));
        Assert.Empty(_store.FilesBelow("tmp"));
    }

    [Fact]
    public async Task A_damaged_layer_is_not_compressed_anew()
    {
        TestImage image = TestImage.Of("one");
        byte[] damaged = [.. image.BlobOf(image.Layers[0].Digest)];
        damaged[600] ^= 1;
        image.Replace(image.Layers[0].Digest, damaged);
        await Assert.ThrowsAsync<ContentMismatchException>(() => ConvertAsync(image, new ImageConversion(Format: null, LayerCompression.Gzip)));
    }

    [Fact]
    public async Task Zstd_layers_cannot_become_schema_2_as_they_are()
    {
        TestImage image = TestImage.Of("one");
        Manifest zstd = Manifest.Parse(image.Root);
        zstd = zstd with { Layers = [zstd.Layers[0] with { MediaType = MediaTypes.OciLayer + "+zstd" }] };
        Document root = new(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(zstd, SpecJson.Relaxed.Manifest));

        OciException failure = await Assert.ThrowsAsync<OciException>(() =>
            ConvertAsync(new Held(root, image), new ImageConversion(ManifestFormat.Docker, Compression: null)));

        Assert.Contains("zstd-compressed, which v2s2 does not know", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversion_that_changes_digests_is_an_error_where_they_are_to_stay()
    {
        TestImage image = TestImage.Of("one");
        OciException failure = await Assert.ThrowsAsync<OciException>(() =>
            ConvertAsync(image, new ImageConversion(ManifestFormat.Docker, Compression: null, PreserveDigests: true)));
        Assert.Contains("changes its digest", failure.Message, StringComparison.Ordinal);
        Assert.Equal(image.Root.Digest, (await ConvertAsync(image, new ImageConversion(ManifestFormat.Oci, null, PreserveDigests: true))).Digest);
    }

    private StoredImageSource Open(string name) =>
        StoredImageSource.Open(_store.Root, _store.Images, _store.Find(name)!.ManifestDocument.Descriptor);

    private async Task<Document> ConvertAsync(IImageSource image, ImageConversion conversion)
    {
        using LayerRecompressor recompressor = new(_store.Root, level: null, _ => { });
        return await new ConvertedSource(image, conversion, recompressor, _warnings.Add).ResolveAsync(Cancel);
    }

    private static async Task<byte[]> ReadAsync(IImageSource source, Descriptor blob)
    {
        await using Stream content = await source.OpenBlobAsync(blob, offset: 0, Cancel);
        using MemoryStream bytes = new();
        await content.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }

    /// <summary>The blobs of an image below another document.</summary>
    private sealed class Held(Document root, IImageSource blobs) : IImageSource
    {
        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(root);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            blobs.ReadDocumentAsync(descriptor, cancellationToken);

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
            blobs.OpenBlobAsync(blob, offset, cancellationToken);
    }
}
