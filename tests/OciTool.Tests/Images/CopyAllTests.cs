using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Tests.Storage;
using Xunit;

namespace OciTool.Tests.Images;

/// <summary>The walk over a whole index.</summary>
public sealed class CopyAllTests
{
    private readonly Held _source = new();
    private readonly Log _destination = new();

    [Fact]
    public async Task Blobs_go_before_manifests_manifests_before_indexes_and_the_name_last()
    {
        Document inner = Index(Artifact("one"), Artifact("two"));
        _source.Root = Index(Artifact("three"), inner);

        Document copied = await CopyAsync();

        Assert.Equal(_source.Root.Digest, copied.Digest);
        string[] kinds = [.. _destination.Events.Select(e => e.Kind)];
        Assert.Equal(
            [.. Enumerable.Repeat("blob", 4), "manifest", "manifest", "manifest", "index", "commit"], kinds);
        Assert.Equal(inner.Digest, _destination.Events[^2].Digest);
    }

    [Fact]
    public async Task A_blob_that_several_manifests_have_travels_once()
    {
        _source.Root = Index(Artifact("same"), Artifact("same"));
        await CopyAsync();
        Assert.Equal(2, _destination.Events.Count(e => e.Kind == "blob"));
    }

    [Fact]
    public async Task Indexes_nested_twice_are_refused_before_anything_travels()
    {
        _source.Root = Index(Index(Index(Artifact("one"))));
        InvalidDocumentException failure = await Assert.ThrowsAsync<InvalidDocumentException>(CopyAsync);
        Assert.Contains("nested", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_destination.Events);
    }

    [Fact]
    public async Task An_entry_of_an_unknown_kind_is_refused()
    {
        Document schema1 = Keep(new Document("application/vnd.docker.distribution.manifest.v1+json", "{}"u8.ToArray()));
        _source.Root = Index(schema1);
        await Assert.ThrowsAsync<InvalidDocumentException>(CopyAsync);
        Assert.Empty(_destination.Events);
    }

    [Fact]
    public async Task One_platform_of_an_index_is_copied_under_the_digest_of_its_manifest()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64");
        Document copied = await ImageCopier.CopyAllAsync(
            new PlatformSource(image, TestStore.Arm64), _destination, new RecordingProgress(), TestContext.Current.CancellationToken);
        Assert.Equal(image.Manifest.Digest, copied.Digest);
        Assert.DoesNotContain(_destination.Events, e => e.Kind == "index");
    }

    [Fact]
    public async Task Of_a_whole_index_layers_of_images_are_told_from_other_blobs()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64");
        IReadOnlyList<CopiedImage> copied = await ImageCopier.CopyWholeAsync(
            image, new Keeping(_destination), new RecordingProgress(), TestContext.Current.CancellationToken);

        Assert.Equal(["amd64", "arm64"], copied.Select(one => one.Config.Architecture));
        Assert.Contains(_destination.Events, e => e.Kind == "layer");
        Assert.DoesNotContain(_destination.Events, e => e.Kind == "blob");
        Assert.Equal(("commit", image.Root.Digest), _destination.Events[^1]);
    }

    [Fact]
    public async Task An_index_without_an_image_brings_nothing()
    {
        _source.Root = Index(Artifact("one"), Index(Artifact("two")));
        await Assert.ThrowsAsync<InvalidDocumentException>(() => ImageCopier.CopyWholeAsync(
            _source, _destination, new RecordingProgress(), TestContext.Current.CancellationToken));
        Assert.Empty(_destination.Events);
    }

    private Task<Document> CopyAsync() =>
        ImageCopier.CopyAllAsync(_source, _destination, new RecordingProgress(), TestContext.Current.CancellationToken);

    // attestations, signatures, charts: a config and a blob of types that nobody knows
    private Document Artifact(string content)
    {
        Descriptor config = Blob("application/vnd.oci.empty.v1+json", "{}");
        Manifest manifest = new(2, config, [Blob("application/x-unknown", content)]) { MediaType = MediaTypes.OciManifest, ArtifactType = "application/x-unknown" };
        return Keep(new Document(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest, SpecJson.Relaxed.Manifest)));
    }

    private Document Index(params Document[] entries) => Keep(new Document(
        MediaTypes.OciIndex,
        JsonSerializer.SerializeToUtf8Bytes(
            new ImageIndex(2, [.. entries.Select(entry => entry.Descriptor)]) { MediaType = MediaTypes.OciIndex }, SpecJson.Relaxed.ImageIndex)));

    private static Descriptor Blob(string mediaType, string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        return new Descriptor(mediaType, Digest.Of(bytes), bytes.Length);
    }

    private Document Keep(Document document) => _source.Documents[document.Digest] = document;

    private sealed class Held : IImageSource
    {
        internal Document Root { get; set; } = null!;

        internal Dictionary<Digest, Document> Documents { get; } = [];

        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(Root);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            Task.FromResult(Documents[descriptor.Digest]);

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }

    /// <summary>A destination that lets configs be written.</summary>
    private sealed class Keeping(Log log) : IImageDestination
    {
        public Document? FindDocument(Descriptor descriptor) => null;

        public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) => Task.FromResult<IDisposable>(Stream.Null);

        public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken) => log.WriteDocumentAsync(document, cancellationToken);

        public Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken) =>
            log.WriteLayerAsync(layer, progress, cancellationToken);

        public Task CommitAsync(Document root, CancellationToken cancellationToken) => log.CommitAsync(root, cancellationToken);
    }

    private sealed class Log : IImageDestination
    {
        internal List<(string Kind, Digest Digest)> Events { get; } = [];

        public Document? FindDocument(Descriptor descriptor) => null;

        public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken) =>
            Add(MediaTypes.IsIndex(document.MediaType) ? "index" : "manifest", document.Digest);

        public Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken) =>
            Add(layer.DiffId is null ? "blob" : "layer", layer.Blob.Digest);

        public Task CommitAsync(Document root, CancellationToken cancellationToken) => Add("commit", root.Digest);

        private Task Add(string kind, Digest digest)
        {
            lock (Events)
            {
                Events.Add((kind, digest));
            }

            return Task.CompletedTask;
        }
    }
}
