namespace OciTool.Images;

/// <summary>Copies one image from a source to a destination: the one walk behind pull, push, save and load.</summary>
public static partial class ImageCopier
{
    /// <summary>How many layers travel at the same time.</summary>
    public const int Parallelism = 6;

    /// <summary>Copies the image that the source was opened for.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="destination">Where it goes to.</param>
    /// <param name="platform">The platform to choose from an index.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; what is whole at the destination stays.</param>
    /// <param name="accept">
    /// Asked about an image that no index was asked for, before its layers travel; it throws where the image is not wanted.
    /// </param>
    /// <returns>What was copied.</returns>
    /// <exception cref="OciException">Something is missing, broken or of a kind that is not supported.</exception>
    public static async Task<CopiedImage> CopyAsync(
        IImageSource source,
        IImageDestination destination,
        Platform platform,
        ICopyProgress progress,
        CancellationToken cancellationToken,
        Action<ImageConfig>? accept = null)
    {
        Document root = await source.ResolveAsync(cancellationToken);
        List<Document> indexes = [];
        Document document = root;
        while (MediaTypes.IsIndex(document.MediaType))
        {
            indexes.Add(document);
            Descriptor entry = Choose(document, platform, nested: indexes.Count > 1);
            document = destination.FindDocument(entry) ?? await source.ReadDocumentAsync(entry, cancellationToken);
        }

        Manifest manifest = Manifest.Parse(document);
        progress.Resolved(manifest);

        Document configDocument = await CopyConfigAsync(source, destination, manifest, progress, cancellationToken);
        ImageConfig config = ImageConfig.Parse(configDocument, manifest);
        if (indexes.Count == 0)
        {
            accept?.Invoke(config);
        }

        await CopyLayersAsync(source, destination, manifest, config, progress, cancellationToken);

        // from the inside to the outside; the outermost is the root, which goes with the name
        indexes.Add(document);
        for (int i = indexes.Count - 1; i > 0; i--)
        {
            await destination.WriteDocumentAsync(indexes[i], cancellationToken);
        }

        await destination.CommitAsync(root, cancellationToken);
        return new CopiedImage(root, document, manifest, config);
    }

    /// <summary>The entry of an index for a platform; attestations and other artifacts are passed over.</summary>
    /// <param name="document">The index.</param>
    /// <param name="platform">The platform that is wanted.</param>
    /// <param name="nested">Whether this index is an entry of another one, and so must hold no further index.</param>
    /// <exception cref="OciException">The index has nothing for the platform; the message lists what it has.</exception>
    public static Descriptor Choose(Document document, Platform platform, bool nested = false)
    {
        ImageIndex index = ImageIndex.Parse(document);
        Descriptor? chosen = PlatformMatcher.Matching(index.Manifests, platform).FirstOrDefault()
            // an entry that names no platform may be an index that does
            ?? (nested ? null : index.Manifests.FirstOrDefault(entry => entry.Platform is null && MediaTypes.IsIndex(entry.MediaType)))
            ?? (index.Manifests is [{ Platform: null } only] && MediaTypes.IsManifest(only.MediaType) ? only : null);
        if (chosen is null)
        {
            string[] offered = [.. index.Manifests.Where(entry => entry.Platform is { Os: not "unknown" })
                .Select(entry => Printable.Shorten(entry.Platform!.ToString(), 64)).Distinct().Take(32)];
            throw new OciException($"no image for platform {platform} in index {document.Digest}"
                + (offered.Length == 0 ? "" : $": it has {string.Join(", ", offered)}"));
        }

        return nested && MediaTypes.IsIndex(chosen.MediaType)
            ? throw new InvalidDocumentException($"index {document.Digest}: indexes are nested more than one level deep")
            : chosen;
    }

    private static async Task<Document> CopyConfigAsync(
        IImageSource source, IImageDestination destination, Manifest manifest, ICopyProgress progress, CancellationToken cancellationToken)
    {
        Descriptor descriptor = manifest.Config;
        if (destination.FindDocument(descriptor) is { } present)
        {
            progress.Skipped(descriptor);
            return present;
        }

        using IDisposable reserved = await destination.ReserveAsync(descriptor, cancellationToken);
        if (destination.FindDocument(descriptor) is { } fetchedMeanwhile)
        {
            progress.Skipped(descriptor);
            return fetchedMeanwhile;
        }

        progress.Started(descriptor, offset: 0);
        Document config = await ReadConfigAsync(source, descriptor, cancellationToken);
        await destination.WriteDocumentAsync(config, cancellationToken);
        progress.Advanced(descriptor, config.Bytes.Length);
        progress.Finished(descriptor);
        return config;
    }

    /// <summary>Reads a config, verified.</summary>
    /// <param name="source">The image.</param>
    /// <param name="descriptor">The config, as its manifest describes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">It is too large, or another one than the manifest says.</exception>
    public static async Task<Document> ReadConfigAsync(IImageSource source, Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Size > Document.MaxSize)
        {
            throw new InvalidDocumentException(
                $"config {descriptor.Digest}: {descriptor.Size} bytes are more than the limit of {Document.MaxSize}");
        }

        await using Stream content = await source.OpenBlobAsync(descriptor, offset: 0, cancellationToken);
        return Document.Verify(descriptor, await ReadAtMostAsync(content, descriptor.Size + 1, cancellationToken));
    }

    private static Task CopyLayersAsync(
        IImageSource source,
        IImageDestination destination,
        Manifest manifest,
        ImageConfig config,
        ICopyProgress progress,
        CancellationToken cancellationToken)
    {
        // one image may hold one layer twice: it travels once
        IEnumerable<LayerContent> layers = LayersOf(source, manifest, config).DistinctBy(layer => (layer.Blob.Digest, layer.DiffId));
        return CopyBlobsAsync(layers, destination, progress, cancellationToken);
    }

    private static IEnumerable<LayerContent> LayersOf(IImageSource source, Manifest manifest, ImageConfig config) => manifest.Layers
        .Select((blob, i) => new LayerContent(i + 1, manifest.Layers.Count, blob, config.Rootfs.DiffIds[i],
            (offset, token) => source.OpenBlobAsync(blob, offset, token)));

    private static Task CopyBlobsAsync(
        IEnumerable<LayerContent> blobs, IImageDestination destination, ICopyProgress progress, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            blobs,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (blob, token) => await destination.WriteLayerAsync(blob, progress, token));

    private static async Task<byte[]> ReadAtMostAsync(Stream content, long limit, CancellationToken cancellationToken)
    {
        using MemoryStream bytes = new();
        byte[] buffer = new byte[16384];
        int read;
        while (bytes.Length < limit
            && (read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, limit - bytes.Length)), cancellationToken)) > 0)
        {
            await bytes.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return bytes.ToArray();
    }
}

/// <summary>An image that was copied.</summary>
/// <param name="Root">The index or manifest that its name stands for.</param>
/// <param name="ManifestDocument">The manifest of the chosen platform, as it is.</param>
/// <param name="Manifest">The same, parsed.</param>
/// <param name="Config">Its configuration.</param>
public sealed record CopiedImage(Document Root, Document ManifestDocument, Manifest Manifest, ImageConfig Config);
