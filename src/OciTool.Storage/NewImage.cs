using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>An image that is made here: the layers of another one, if any, and new ones. It is copied to where it shall be.</summary>
/// <remarks>New layers lie below the store's <c>tmp/</c> until it is disposed. The same files and times give the same bytes.</remarks>
public sealed class NewImage : IImageSource, IDisposable
{
    private const int GzipLevel = 6;
    private const int BufferSize = 1 << 20;

    private readonly StorageRoot _root;
    private readonly StoredImageSource? _base;
    private readonly Dictionary<Digest, string> _files = [];
    private readonly List<Descriptor> _layers = [];
    private readonly List<Digest> _diffIds = [];
    private readonly ManifestFormat _format;
    private readonly Platform _platform;
    private TemporaryDirectory? _place;
    private Document? _config;
    private Document? _manifest;

    private NewImage(StorageRoot root, StoredImageSource? source, ManifestFormat format, Platform platform) =>
        (_root, _base, _format, _platform) = (root, source, format, platform);

    /// <summary>Begins an image without layers, in OCI's format.</summary>
    /// <param name="root">The store.</param>
    /// <param name="platform">What it runs on.</param>
    public static NewImage Empty(StorageRoot root, Platform platform) => new(root, source: null, ManifestFormat.Oci, platform);

    /// <summary>Begins an image with the layers of another one, and in its format.</summary>
    /// <param name="root">The store.</param>
    /// <param name="images">The images of the store.</param>
    /// <param name="image">The other one; while this is open nothing of it is removed.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "the caller disposes the image, and the image its source")]
    public static NewImage From(StorageRoot root, ImageStore images, StoredImage image)
    {
        NewImage made = new(
            root,
            StoredImageSource.Open(root, images, image.ManifestDocument.Descriptor),
            FormatTypes.FormatOf(image.ManifestDocument.MediaType),
            image.Config.Platform);
        made._layers.AddRange(image.Manifest.Layers);
        made._diffIds.AddRange(image.Config.Rootfs.DiffIds);
        return made;
    }

    /// <summary>Adds a layer.</summary>
    /// <param name="write">Writes the uncompressed archive.</param>
    /// <returns>The digest of the uncompressed archive.</returns>
    /// <exception cref="OciException">There is no room for it.</exception>
    public Digest AddLayer(Action<Stream> write)
    {
        if (_place is null)
        {
            _root.EnsureWritable();
            _root.Sweep();
            _place = new TemporaryDirectory(_root);
        }

        string path = Path.Join(_place.Path, $"layer{_files.Count}");
        try
        {
            using FileStream file = new(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            using IncrementalHash diff = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using (HashingOutput compressed = new(file, whole))
            using (GZipStream gzip = new(compressed, new ZLibCompressionOptions { CompressionLevel = GzipLevel }, leaveOpen: true))
            using (HashingOutput hashing = new(gzip, diff))
            using (BufferedStream buffered = new(hashing, BufferSize))
            {
                write(buffered);
            }

            Digest diffId = Digest.Of(diff);
            Descriptor blob = new(FormatTypes.Layer(_format, LayerCompression.Gzip)!, Digest.Of(whole), file.Length);
            _files[blob.Digest] = path;
            _layers.Add(blob);
            _diffIds.Add(diffId);
            return diffId;
        }
        catch (IOException e) when (StoreFullException.IsCausedBy(e))
        {
            throw new OciException($"layer cannot be written below '{_root.Temporary}': {e.Message}", e)
            {
                Hint = "make room, for example by removing images that are not needed: oci rmi",
            };
        }
    }

    /// <summary>Completes the image: its layers are written into the config.</summary>
    /// <param name="config">The config; what it says about layers and platform is replaced.</param>
    public void Complete(JsonObject config)
    {
        config["architecture"] = _platform.Architecture;
        config["os"] = _platform.Os;
        if (_platform.Variant is null)
        {
            config.Remove("variant");
        }
        else
        {
            config["variant"] = _platform.Variant;
        }

        config["rootfs"] = new JsonObject
        {
            ["type"] = "layers",
            ["diff_ids"] = new JsonArray([.. _diffIds.Select(diffId => (JsonNode)diffId.ToString())]),
        };
        ArrayBufferWriter<byte> bytes = new(4096);
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            config.WriteTo(json);
        }

        _config = new Document(FormatTypes.Config(_format), bytes.WrittenMemory);
        Manifest manifest = new(2, _config.Descriptor, [.. _layers]) { MediaType = FormatTypes.Manifest(_format) };
        _manifest = new Document(manifest.MediaType, JsonSerializer.SerializeToUtf8Bytes(manifest, SpecJson.Relaxed.Manifest));
        Manifest.Parse(_manifest); // too many layers are found here
    }

    /// <inheritdoc/>
    public Task<Document> ResolveAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_manifest ?? throw new InvalidOperationException("the image is not complete"));

    /// <inheritdoc/>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) => ResolveAsync(cancellationToken);

    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000", Justification = "the caller disposes the stream")]
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return blob.Digest == _config?.Digest
                ? Task.FromResult<Stream>(new MemoryStream(_config.Bytes[(int)offset..].ToArray()))
            : _files.TryGetValue(blob.Digest, out string? path)
                ? Task.FromResult<Stream>(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0) { Position = offset })
            : _base!.OpenBlobAsync(blob, offset, cancellationToken);
    }

    /// <summary>Removes the new layers' files.</summary>
    public void Dispose()
    {
        _place?.Dispose();
        _base?.Dispose();
    }
}
