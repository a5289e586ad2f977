using System.Collections.Concurrent;
using System.Text.Json;

namespace OciTool.Images;

/// <summary>What an image is to become on its way.</summary>
/// <param name="Format">The format of its documents; null leaves it.</param>
/// <param name="Compression">The compression of its layers; null leaves it.</param>
/// <param name="PreserveDigests">Whether a change is an error.</param>
public sealed record ImageConversion(ManifestFormat? Format, LayerCompression? Compression, bool PreserveDigests = false);

/// <summary>Compresses layers anew and keeps them until it is disposed.</summary>
public interface ILayerRecompressor
{
    /// <summary>Compresses a layer anew; the same layer gives the same bytes each time.</summary>
    /// <param name="layer">The layer as it is; its digest is verified.</param>
    /// <param name="source">Where to read it.</param>
    /// <param name="compression">How to compress it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Digest and size of the new blob; the media type is the old one.</returns>
    /// <exception cref="OciException">The layer is damaged, or there is no room.</exception>
    Task<Descriptor> RecompressAsync(Descriptor layer, IImageSource source, LayerCompression compression, CancellationToken cancellationToken);

    /// <summary>Opens a blob that was made here.</summary>
    /// <param name="digest">Its digest.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <returns>Null when none has the digest.</returns>
    Stream? TryOpen(Digest digest, long offset);
}

/// <summary>An image in another format or with other compression; what need not change keeps its bytes and its digest.</summary>
/// <param name="source">The image as it is.</param>
/// <param name="conversion">What it is to become.</param>
/// <param name="recompressor">Compresses layers; null where none is asked for.</param>
/// <param name="warn">Takes a line about what is lost.</param>
public sealed class ConvertedSource(
    IImageSource source, ImageConversion conversion, ILayerRecompressor? recompressor, Action<string> warn) : IImageSource
{
    private static readonly string[] CompressionAnnotations = ["io.github.containers.zstd-chunked.", "containerd.io/snapshot/stargz/"];

    private readonly ConcurrentDictionary<Digest, Document> _converted = new();
    private readonly Dictionary<Digest, Descriptor> _layers = [];

    /// <inheritdoc/>
    /// <exception cref="OciException">The image cannot become what is asked for.</exception>
    public async Task<Document> ResolveAsync(CancellationToken cancellationToken) =>
        await ConvertAsync(await source.ResolveAsync(cancellationToken), depth: 0, cancellationToken);

    /// <inheritdoc/>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        return _converted.TryGetValue(descriptor.Digest, out Document? document)
            ? Task.FromResult(document)
            : source.ReadDocumentAsync(descriptor, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return recompressor?.TryOpen(blob.Digest, offset) is { } content
            ? Task.FromResult(content)
            : source.OpenBlobAsync(blob, offset, cancellationToken);
    }

    private Task<Document> ConvertAsync(Document document, int depth, CancellationToken cancellationToken) =>
        !MediaTypes.IsIndex(document.MediaType) ? ConvertManifestAsync(document, cancellationToken)
        : depth > 1 ? throw new InvalidDocumentException($"index {document.Digest}: indexes are nested more than one level deep")
        : ConvertIndexAsync(document, depth, cancellationToken);

    private async Task<Document> ConvertIndexAsync(Document document, int depth, CancellationToken cancellationToken)
    {
        ImageIndex index = ImageIndex.Parse(document);
        List<Descriptor> entries = [];
        foreach (Descriptor entry in index.Manifests)
        {
            Document below = await ConvertAsync(await source.ReadDocumentAsync(entry, cancellationToken), depth + 1, cancellationToken);
            entries.Add(entry with { MediaType = below.MediaType, Digest = below.Digest, Size = below.Descriptor.Size });
        }

        // the entries decide, where no format is asked for: one that was zstd-compressed has become OCI
        ManifestFormat format = conversion.Format
            ?? (entries.Exists(entry => FormatTypes.FormatOf(entry.MediaType) == ManifestFormat.Oci) && !entries.SequenceEqual(index.Manifests)
                ? ManifestFormat.Oci
                : FormatTypes.FormatOf(document.MediaType));
        if (format == FormatTypes.FormatOf(document.MediaType) && entries.SequenceEqual(index.Manifests))
        {
            return document;
        }

        ImageIndex converted = index with { MediaType = FormatTypes.Index(format), Manifests = entries };
        if (format == ManifestFormat.Docker)
        {
            WarnOfLoss(document, index.Annotations is not null || entries.Exists(entry => entry.Annotations is not null), index.ArtifactType);
            converted = converted with
            {
                Annotations = null,
                ArtifactType = null,
                Manifests = [.. entries.Select(entry => entry with { Annotations = null, ArtifactType = null })],
            };
        }

        return Keep(document, converted.MediaType!, JsonSerializer.SerializeToUtf8Bytes(converted, SpecJson.Relaxed.ImageIndex));
    }

    private async Task<Document> ConvertManifestAsync(Document document, CancellationToken cancellationToken)
    {
        Manifest manifest = Manifest.ParseAny(document);
        ManifestFormat format = conversion.Format ?? FormatTypes.FormatOf(document.MediaType);
        if (!MediaTypes.IsImageConfig(manifest.Config.MediaType)
            || manifest.Layers.Any(layer => FormatTypes.CompressionOf(layer.MediaType) is null))
        {
            // attestations and other artifacts have no other form
            return format == FormatTypes.FormatOf(document.MediaType) ? document : throw new OciException(
                $"manifest {document.Digest} cannot be converted to {Name(format)}: it is not an image of plain layers")
            {
                Hint = "copy without --all, or without --format",
            };
        }

        if (conversion.Compression == LayerCompression.Zstd && conversion.Format is null)
        {
            format = ManifestFormat.Oci;
        }

        List<Descriptor> layers = [];
        foreach (Descriptor layer in manifest.Layers)
        {
            layers.Add(await ConvertLayerAsync(document, layer, format, cancellationToken));
        }

        if (format == FormatTypes.FormatOf(document.MediaType) && layers.SequenceEqual(manifest.Layers))
        {
            return document;
        }

        Manifest converted = manifest with
        {
            MediaType = FormatTypes.Manifest(format),
            Config = manifest.Config with { MediaType = FormatTypes.Config(format) },
            Layers = layers,
        };
        if (format == ManifestFormat.Docker)
        {
            bool isAnnotated = manifest.Annotations is not null || manifest.Config.Annotations is not null
                || layers.Exists(layer => layer.Annotations is not null);
            WarnOfLoss(document, isAnnotated, manifest.ArtifactType ?? manifest.Subject?.ToString());
            converted = converted with
            {
                Annotations = null,
                ArtifactType = null,
                Subject = null,
                Config = converted.Config.Bare,
                Layers = [.. layers.Select(layer => layer.Bare)],
            };
        }

        return Keep(document, converted.MediaType!, JsonSerializer.SerializeToUtf8Bytes(converted, SpecJson.Relaxed.Manifest));
    }

    private async Task<Descriptor> ConvertLayerAsync(
        Document document, Descriptor layer, ManifestFormat format, CancellationToken cancellationToken)
    {
        LayerCompression present = FormatTypes.CompressionOf(layer.MediaType)!.Value;
        LayerCompression compression = conversion.Compression ?? present;
        string mediaType = FormatTypes.Layer(format, compression) ?? throw new OciException(
            $"manifest {document.Digest} cannot be converted to {Name(format)}: its layer {layer.Digest} is zstd-compressed, which {Name(format)} does not know")
        {
            Hint = "push it with --compression-format gzip",
        };
        if (compression == present)
        {
            return layer with { MediaType = mediaType };
        }

        RefuseChange(document);
        if (!_layers.TryGetValue(layer.Digest, out Descriptor? made))
        {
            made = await recompressor!.RecompressAsync(layer, source, compression, cancellationToken);
            _layers.Add(layer.Digest, made);
        }

        Dictionary<string, string> annotations = new((layer.Annotations ?? new Dictionary<string, string>())
            .Where(annotation => !Array.Exists(CompressionAnnotations, prefix => annotation.Key.StartsWith(prefix, StringComparison.Ordinal))));
        return layer with
        {
            MediaType = mediaType,
            Digest = made.Digest,
            Size = made.Size,
            Annotations = annotations.Count == 0 ? null : annotations,
        };
    }

    private Document Keep(Document former, string mediaType, byte[] bytes)
    {
        RefuseChange(former);
        Document document = new(mediaType, bytes);
        _converted[document.Digest] = document;
        return document;
    }

    private void RefuseChange(Document document)
    {
        if (conversion.PreserveDigests)
        {
            throw new OciException($"{document.Digest} cannot be copied as it is: the conversion that is asked for changes its digest")
            {
                Hint = "leave out --preserve-digests, or --format",
            };
        }
    }

    private void WarnOfLoss(Document document, bool isAnnotated, string? more)
    {
        if (isAnnotated || more is not null)
        {
            warn($"{document.Digest}: v2s2 has no annotations, subject or artifact type: they are left out");
        }
    }

    private static string Name(ManifestFormat format) => format == ManifestFormat.Oci ? "oci" : "v2s2";
}
