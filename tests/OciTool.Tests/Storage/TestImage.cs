using System.Text;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Tests.Storage;

/// <summary>An image made in memory, and the source that it can be pulled from, with faults where a test wants them.</summary>
internal sealed class TestImage : IImageSource
{
    private readonly Dictionary<Digest, byte[]> _blobs = [];
    private readonly Dictionary<Digest, Document> _documents = [];
    private readonly List<Document> _manifests = [];
    private int _opened;

    public List<Descriptor> Layers { get; } = [];

    public List<Digest> DiffIds { get; } = [];

    public Document Root { get; private set; } = null!;

    public Document Manifest => _manifests[^1];

    public Digest Id { get; private set; }

    /// <summary>How often a layer was opened.</summary>
    public int Opened => Volatile.Read(ref _opened);

    public List<long> Offsets { get; } = [];

    /// <summary>Wraps what a layer is read from.</summary>
    public Func<Stream, Stream> Distort { get; set; } = stream => stream;

    public static TestImage Of(params string[] layers) => OfBlobs([.. layers.Select(TarOf)]);

    public static TestImage OfBlobs(params byte[][] layers) => new TestImage().Add("amd64", layers);

    public static TestImage IndexOf(params string[] architectures)
    {
        TestImage image = new();
        List<Descriptor> entries = [];
        foreach (string architecture in architectures)
        {
            image.Add(architecture, [TarOf($"layer of {architecture}")]);
            entries.Add(image.Manifest.Descriptor with { Platform = new Platform("linux", architecture) });
        }

        image.Root = image.Keep(new Document(MediaTypes.OciIndex,
            JsonSerializer.SerializeToUtf8Bytes(new ImageIndex(2, entries) { MediaType = MediaTypes.OciIndex }, SpecJson.Relaxed.ImageIndex)));
        return image;
    }

    /// <summary>A tar archive with one file, <c>content</c>.</summary>
    public static byte[] TarOf(string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        byte[] tar = new byte[512 + ((bytes.Length + 511) / 512 * 512) + 1024];
        void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(tar, at);
        Put(0, "content");
        Put(100, "0000644\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        Put(124, $"{Convert.ToString(bytes.Length, 8).PadLeft(11, '0')}\0");
        Put(136, "00000000000\0");
        Put(148, "        ");
        Put(156, "0");
        Put(257, "ustar\000");
        int sum = tar.AsSpan(0, 512).ToArray().Sum(b => b);
        Put(148, $"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ");
        bytes.CopyTo(tar, 512);
        return tar;
    }

    public void Replace(Digest digest, byte[] content) => _blobs[digest] = content;

    public byte[] BlobOf(Digest digest) => _blobs[digest];

    public TestImage WithDiffIds(params Digest[] diffIds)
    {
        DiffIds.Clear();
        DiffIds.AddRange(diffIds);
        return Finish("amd64");
    }

    public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(Root);

    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        Task.FromResult(_documents[descriptor.Digest]);

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        byte[] content = _blobs[blob.Digest];
        if (!MediaTypes.IsLayer(blob.MediaType))
        {
            return Task.FromResult<Stream>(new MemoryStream(content));
        }

        Interlocked.Increment(ref _opened);
        lock (Offsets)
        {
            Offsets.Add(offset);
        }

        return Task.FromResult(Distort(new MemoryStream(content, (int)offset, content.Length - (int)offset)));
    }

    private TestImage Add(string architecture, byte[][] layers)
    {
        Layers.Clear();
        DiffIds.Clear();
        foreach (byte[] layer in layers)
        {
            Descriptor descriptor = new(MediaTypes.OciLayer, Digest.Of(layer), layer.Length);
            Layers.Add(descriptor);
            DiffIds.Add(descriptor.Digest);
            _blobs[descriptor.Digest] = layer;
        }

        return Finish(architecture);
    }

    private TestImage Finish(string architecture)
    {
        ImageConfig config = new(architecture, "linux", new ImageRootfs("layers", [.. DiffIds])) { Created = "2024-09-26T21:31:42Z" };
        Document configDocument = new(MediaTypes.OciConfig, JsonSerializer.SerializeToUtf8Bytes(config, SpecJson.Relaxed.ImageConfig));
        _blobs[configDocument.Digest] = configDocument.Bytes.ToArray();
        Id = configDocument.Digest;
        Manifest manifest = new(2, configDocument.Descriptor, [.. Layers]) { MediaType = MediaTypes.OciManifest };
        Root = Keep(new Document(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest, SpecJson.Relaxed.Manifest)));
        _manifests.Add(Root);
        return this;
    }

    private Document Keep(Document document)
    {
        _documents[document.Digest] = document;
        return document;
    }
}

/// <summary>A stream that gives its first bytes and then fails, or waits for ever.</summary>
internal sealed class BrokenStream(Stream inner, long whole, Exception? failure) : Stream
{
    private long _given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_given >= whole)
        {
            if (failure is not null)
            {
                throw failure;
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        int read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, whole - _given)], cancellationToken);
        _given += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingProgress : ICopyProgress
{
    public List<string> Events { get; } = [];

    public void Resolved(Manifest manifest)
    {
    }

    public void Started(Descriptor blob, long offset) => Add(blob, $"started at {offset}");

    public void Skipped(Descriptor blob) => Add(blob, "skipped");

    public void Advanced(Descriptor blob, int bytes)
    {
    }

    public void Finished(Descriptor blob) => Add(blob, "finished");

    public void Warn(string message)
    {
        lock (Events)
        {
            Events.Add(message);
        }
    }

    private void Add(Descriptor blob, string what)
    {
        lock (Events)
        {
            if (MediaTypes.IsLayer(blob.MediaType))
            {
                Events.Add(what);
            }
        }
    }
}
