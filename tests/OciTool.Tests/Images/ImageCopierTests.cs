using System.Text;
using System.Text.Json;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Images;

public sealed class ImageCopierTests
{
    private readonly MemorySource _source = new();
    private readonly MemoryDestination _destination = new();

    [Fact]
    public async Task The_name_is_written_after_everything_it_stands_for()
    {
        _source.Root = _source.AddImage("linux/amd64", "one"u8.ToArray(), "two"u8.ToArray());

        await CopyAsync("linux/amd64");

        Assert.Equal(["document", "layer", "layer", "commit"], _destination.Log);
        Assert.Equal(_source.Root.Digest, _destination.Committed);
    }

    [Fact]
    public async Task An_index_is_kept_and_one_platform_of_it_is_fetched()
    {
        Document amd64 = _source.AddImage("linux/amd64", "x86"u8.ToArray());
        Document arm64 = _source.AddImage("linux/arm64", "arm"u8.ToArray());
        _source.Root = _source.AddIndex((amd64, "linux/amd64"), (arm64, "linux/arm64"));

        CopiedImage copied = await CopyAsync("linux/arm64");

        Assert.Equal(arm64.Digest, copied.ManifestDocument.Digest);
        Assert.Equal(_source.Root.Digest, _destination.Committed);
        Assert.Contains(_source.Root.Digest, _destination.Documents.Keys);
        Assert.DoesNotContain(amd64.Digest, _destination.Documents.Keys);
    }

    [Fact]
    public async Task What_is_there_already_is_not_fetched_again()
    {
        Document image = _source.AddImage("linux/amd64", "x86"u8.ToArray());
        _source.Root = _source.AddIndex((image, "linux/amd64"));
        await CopyAsync("linux/amd64");
        _source.Reads = 0;

        await CopyAsync("linux/amd64");

        Assert.Equal(0, _source.Reads);
    }

    [Fact]
    public async Task A_platform_that_is_not_offered_is_an_error_that_lists_what_is()
    {
        _source.Root = _source.AddIndex((_source.AddImage("linux/arm64"), "linux/arm64"), (_source.AddImage("linux/s390x"), "linux/s390x"));
        OciException error = await Assert.ThrowsAsync<OciException>(() => CopyAsync("linux/amd64"));
        Assert.Contains("no image for platform linux/amd64", error.Message, StringComparison.Ordinal);
        Assert.Contains("linux/arm64, linux/s390x", error.Message, StringComparison.Ordinal);
        Assert.Null(_destination.Committed);
    }

    [Fact]
    [Fault(35, "an index in an index is followed once")]
    public async Task Indexes_may_be_nested_once_but_not_twice()
    {
        Document image = _source.AddImage("linux/amd64");
        Document inner = _source.AddIndex((image, "linux/amd64"));
        _source.Root = _source.AddIndex((inner, null));
        Assert.Equal(image.Digest, (await CopyAsync("linux/amd64")).ManifestDocument.Digest);

        _source.Root = _source.AddIndex((_source.Root, null));
        await Assert.ThrowsAsync<OciException>(() => CopyAsync("linux/amd64"));
    }

    [Fact]
    [Fault(37, "a layer that occurs twice travels once")]
    public async Task A_layer_that_occurs_twice_travels_once()
    {
        _source.Root = _source.AddImage("linux/amd64", "same"u8.ToArray(), "same"u8.ToArray());
        await CopyAsync("linux/amd64");
        Assert.Single(_destination.Log, "layer");
    }

    [Fact]
    public async Task A_config_that_is_longer_than_promised_is_not_read_to_its_end()
    {
        _source.Root = _source.AddImage("linux/amd64");
        _source.Endless = Manifest.Parse(_source.Root).Config.Digest;
        await Assert.ThrowsAsync<ContentMismatchException>(() => CopyAsync("linux/amd64"));
        Assert.Null(_destination.Committed);
    }

    private Task<CopiedImage> CopyAsync(string platform) => ImageCopier.CopyAsync(
        _source, _destination, Platform.Parse(platform), new SilentProgress(), TestContext.Current.CancellationToken);

    private sealed class MemorySource : IImageSource
    {
        private readonly Dictionary<Digest, byte[]> _blobs = [];

        internal Document Root { get; set; } = null!;

        internal int Reads { get; set; }

        internal Digest? Endless { get; set; }

        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(Root);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
        {
            Reads++;
            return Task.FromResult(Document.Verify(descriptor, _blobs[descriptor.Digest]));
        }

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
        {
            Reads++;
            return Task.FromResult<Stream>(blob.Digest == Endless ? new EndlessStream() : new MemoryStream(_blobs[blob.Digest][(int)offset..]));
        }

        internal Document AddImage(string platform, params byte[][] layers)
        {
            Platform p = Platform.Parse(platform);
            string diffIds = string.Join(',', layers.Select(layer => $"\"{Digest.Of(layer)}\""));
            Descriptor config = Add(MediaTypes.OciConfig, $$"""{"architecture":"{{p.Architecture}}","rootfs":{"type":"layers","diff_ids":[{{diffIds}}]},"os":"{{p.Os}}"}""").Descriptor;
            Manifest manifest = new(2, config, [.. layers.Select(layer =>
            {
                _blobs[Digest.Of(layer)] = layer;
                return new Descriptor(MediaTypes.OciLayer, Digest.Of(layer), layer.Length);
            })]);
            return Add(MediaTypes.OciManifest, JsonSerializer.Serialize(manifest, SpecJson.Default.Manifest));
        }

        internal Document AddIndex(params (Document Document, string? Platform)[] entries) => Add(
            MediaTypes.OciIndex,
            JsonSerializer.Serialize(
                new ImageIndex(2, [.. entries.Select(e => e.Document.Descriptor with { Platform = e.Platform is null ? null : Platform.Parse(e.Platform) })]),
                SpecJson.Default.ImageIndex));

        private Document Add(string mediaType, string json)
        {
            Document document = new(mediaType, Encoding.UTF8.GetBytes(json));
            _blobs[document.Digest] = document.Bytes.ToArray();
            return document;
        }
    }

    private sealed class MemoryDestination : IImageDestination
    {
        internal Dictionary<Digest, Document> Documents { get; } = [];

        internal List<string> Log { get; } = [];

        internal Digest? Committed { get; private set; }

        public Document? FindDocument(Descriptor descriptor) => Documents.GetValueOrDefault(descriptor.Digest);

        public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) =>
            Task.FromResult<IDisposable>(new MemoryStream());

        public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken)
        {
            Documents[document.Digest] = document;
            Log.Add("document");
            return Task.CompletedTask;
        }

        public async Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken)
        {
            lock (Log)
            {
                if (!_layers.Add(layer.Blob.Digest))
                {
                    return;
                }

                Log.Add("layer");
            }

            await using Stream content = await layer.OpenAsync(0, cancellationToken);
        }

        public Task CommitAsync(Document root, CancellationToken cancellationToken)
        {
            Documents[root.Digest] = root;
            Committed = root.Digest;
            Log.Add("commit");
            return Task.CompletedTask;
        }

        private readonly HashSet<Digest> _layers = [];
    }

    private sealed class SilentProgress : ICopyProgress
    {
        public void Resolved(Manifest manifest)
        {
        }

        public void Started(Descriptor blob, long offset)
        {
        }

        public void Skipped(Descriptor blob)
        {
        }

        public void Advanced(Descriptor blob, int bytes)
        {
        }

        public void Finished(Descriptor blob)
        {
        }

        public void Warn(string message)
        {
        }
    }

    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
