using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>An image of a store of containers/storage.</summary>
/// <remarks>
/// The store has no layer as it travelled, only what was in it, so that the manifest names the uncompressed archives here; that of an
/// image that was built there does so already, and keeps its digest. The config and so the image's ID stay in any case.
/// </remarks>
/// <param name="storage">The store with all its directories.</param>
/// <param name="directory">The directory that has the image.</param>
/// <param name="image">The image.</param>
/// <param name="asked">How it was asked for.</param>
/// <param name="digest">The manifest or index that was asked for; null for the image's own.</param>
internal sealed class StorageImageSource(
    ContainersStorage storage, StorageDirectory directory, StorageImageRecord image, string asked, Digest? digest) : IImageSource
{
    private readonly Dictionary<Digest, (StorageDirectory Directory, StorageLayerRecord Layer)> _layers = [];
    private readonly Lock _gate = new();
    private Document? _document;

    private string Name => $"{storage.Name}: image '{Printable.Shorten(asked)}'";

    /// <inheritdoc/>
    public Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(_document ??= Describe());
        }
    }

    /// <inheritdoc/>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        throw new OciException($"{Name}: {descriptor.Digest} is missing");

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_layers.TryGetValue(blob.Digest, out (StorageDirectory Directory, StorageLayerRecord Layer) found))
        {
            return Task.FromResult(found.Directory.OpenLayer(found.Layer, offset, (cause, inner) => Damaged(found.Layer.Id, cause, inner)));
        }

        byte[] bytes = directory.TryReadBigData(image, blob.Digest.ToString()) ?? throw Damaged($"the document {blob.Digest} is missing");
        return offset > bytes.Length ? throw new ContentMismatchException(blob, $"{bytes.Length} bytes")
            : Task.FromResult<Stream>(new MemoryStream(bytes, (int)offset, bytes.Length - (int)offset, writable: false));
    }

    private Document Describe()
    {
        Document document = ReadManifest();
        Manifest manifest = Manifest.Parse(document);
        List<Descriptor> layers = Layers(FormatTypes.FormatOf(document.MediaType));
        if (layers.Count != manifest.Layers.Count)
        {
            throw Damaged($"it has {layers.Count} layers for {manifest.Layers.Count} of its manifest");
        }

        bool isSame = layers.Zip(manifest.Layers).All(pair => pair.First.Digest == pair.Second.Digest && pair.First.Size == pair.Second.Size
            && FormatTypes.CompressionOf(pair.Second.MediaType) == LayerCompression.None);
        if (isSame)
        {
            return document;
        }

        Manifest described = manifest with { Layers = layers };
        return new Document(document.MediaType, JsonSerializer.SerializeToUtf8Bytes(described, SpecJson.Relaxed.Manifest));
    }

    // an image that was pulled as an index has that too: what was chosen of it is the image
    private Document ReadManifest()
    {
        if (digest is { } wanted && TryRead(StorageImageRecord.ManifestKeyOf(wanted)) is { } exact && !MediaTypes.IsIndex(exact.MediaType))
        {
            return exact.Digest == wanted ? exact : throw Damaged($"its manifest has the digest {exact.Digest} instead of {wanted}");
        }

        Document document = TryRead(StorageImageRecord.ManifestKey) ?? throw Damaged("its manifest is missing");
        return !MediaTypes.IsIndex(document.MediaType) ? document
            : throw new OciException($"{Name} is a manifest list, which has no layers of its own: name one of its images");
    }

    private Document? TryRead(string key) => directory.TryReadBigData(image, key) is not { } bytes ? null
        : OtherDocument.TypeOf(bytes) is { } type ? new Document(type, bytes)
        : throw Damaged("its manifest is none of OCI or of Docker's schema 2");

    private List<Descriptor> Layers(ManifestFormat format)
    {
        List<Descriptor> layers = [];
        for (string id = image.TopLayer; id.Length > 0;)
        {
            (StorageDirectory Directory, StorageLayerRecord Layer) found = storage.FindLayer(id) ?? throw Damaged(id, "it is missing");
            (_, StorageLayerRecord layer) = found;
            if (layers.Count == Manifest.MaxLayers)
            {
                throw Damaged($"its layers have no end, or are more than {Manifest.MaxLayers}");
            }

            if (layer.IsIncomplete)
            {
                throw Damaged(id, "it is incomplete: whoever wrote it did not come to an end");
            }

            if (layer.DiffId is not { } diffId || layer.Size < 0)
            {
                throw Damaged(id, "the digest or size of its archive is not known, as after a partial pull (zstd:chunked)");
            }

            layers.Insert(0, new Descriptor(FormatTypes.Layer(format, LayerCompression.None)!, diffId, layer.Size));
            _layers[diffId] = found;
            id = layer.Parent;
        }

        return layers;
    }

    private OciException Damaged(string layer, string cause, Exception? inner = null) =>
        Damaged($"layer {Printable.Shorten(layer, 12).TrimEnd('…')}: {cause}", inner);

    private OciException Damaged(string cause, Exception? inner = null) => new($"{Name}: {cause}", inner)
    {
        Hint = "remove the image there, and pull or build it again",
    };
}
