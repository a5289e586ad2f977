using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Storage.Layers;
using SharpCompress.Compressors.ZStandard;
using LayerContent = OciTool.Storage.Layers.LayerContent;

namespace OciTool.Storage;

/// <summary>Compresses layers anew, into files below the store's <c>tmp/</c> that go when it is disposed.</summary>
/// <param name="root">The store.</param>
/// <param name="level">The level, in the compression's own numbers; null for its default.</param>
/// <param name="progress">Told of the layers that are read.</param>
public sealed class LayerRecompressor(StorageRoot root, int? level, Action<string> progress) : ILayerRecompressor, IDisposable
{
    private const int DefaultGzip = 6;
    private const int DefaultZstd = 3;
    private const int BufferSize = 128 << 10;

    private readonly Dictionary<Digest, string> _files = [];
    private TemporaryDirectory? _place;

    /// <inheritdoc/>
    public async Task<Descriptor> RecompressAsync(
        Descriptor layer, IImageSource source, LayerCompression compression, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(source);
        if (_place is null)
        {
            root.EnsureWritable();
            root.Sweep();
            _place = new TemporaryDirectory(root);
        }

        progress($"Compressing blob {layer.Digest}");
        string path = Path.Join(_place.Path, layer.Digest.Hex);
        await using Stream content = await source.OpenBlobAsync(layer, offset: 0, cancellationToken);

        // compressing is all it does: it takes a thread of its own
        Descriptor made = await Task.Factory.StartNew(
            () => Recompress(layer, content, path, compression, cancellationToken),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _files[made.Digest] = path;
        return made;
    }

    /// <inheritdoc/>
    public Stream? TryOpen(Digest digest, long offset) => _files.TryGetValue(digest, out string? path)
        ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0) { Position = offset }
        : null;

    /// <summary>Removes the files.</summary>
    public void Dispose() => _place?.Dispose();

    [SuppressMessage("Reliability", "CA2000", Justification = "the stream has nothing but the one that the caller disposes")]
    private Descriptor Recompress(Descriptor layer, Stream content, string path, LayerCompression compression, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using StoredBlobStream stored = new(content, layer.Digest, cancellationToken);
            using HashingInput input = new(stored, layer.Digest.CreateHash());
            using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using (LayerContent uncompressed = LayerContent.Open(input, layer.Digest, long.MaxValue))
            using (HashingOutput compressed = new(file, hash))
            using (Stream compressor = Compressor(compressed, compression))
            {
                int read;
                while ((read = uncompressed.Read(buffer)) > 0)
                {
                    compressor.Write(buffer, 0, read);
                }
            }

            // what is behind the last frame belongs to the blob, too
            while (input.Read(buffer) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            Digest actual = input.Digest();
            if (input.Count != layer.Size || actual != layer.Digest)
            {
                throw new ContentMismatchException(layer, $"{input.Count} bytes with digest {actual}");
            }

            return layer with { Digest = Digest.Of(hash), Size = file.Length };
        }
        catch (LayerException e)
        {
            throw new OciException($"layer {layer.Digest} cannot be decompressed: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new OciException($"layer {layer.Digest} cannot be compressed below '{root.Temporary}': {e.Message}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // neither format gets a time or a name, so that the same content gives the same bytes
    private Stream Compressor(Stream file, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => new GZipStream(
            file, new ZLibCompressionOptions { CompressionLevel = Math.Clamp(level ?? DefaultGzip, 0, 9) }, leaveOpen: true),
        LayerCompression.Zstd => new CompressionStream(file, Math.Clamp(level ?? DefaultZstd, 1, 22), BufferSize, leaveOpen: true),
        _ => throw new ArgumentOutOfRangeException(nameof(compression)),
    };

    /// <summary>Hashes a blob as it is read.</summary>
    private sealed class HashingInput(Stream inner, IncrementalHash hash) : ReadOnlyStream
    {
        internal long Count { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            hash.AppendData(buffer[..read]);
            Count += read;
            return read;
        }

        internal Digest Digest() => Images.Digest.Of(hash);

        protected override void Dispose(bool disposing)
        {
            hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
