namespace OciTool.Images;

/// <content>Copies all that a manifest or index refers to, without a look into layers and configs.</content>
public static partial class ImageCopier
{
    /// <summary>The most documents that one copy may hold.</summary>
    public const int MaxDocuments = ImageIndex.MaxEntries;

    private const long MaxDocumentBytes = 32 << 20;

    /// <summary>Copies the manifest that the source was opened for, or the index with everything below it.</summary>
    /// <remarks>
    /// Blobs go first, then manifests, then indexes, the name last, so that no destination ever holds a document whose
    /// parts are missing. Attestations and other artifacts travel like images; blobs of unknown types as they are.
    /// </remarks>
    /// <param name="source">Where it comes from.</param>
    /// <param name="destination">Where it goes to.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; what is whole at the destination stays.</param>
    /// <returns>The manifest or index that the name stands for.</returns>
    /// <exception cref="OciException">Something is missing, broken or beyond the limits.</exception>
    public static async Task<Document> CopyAllAsync(
        IImageSource source, IImageDestination destination, ICopyProgress progress, CancellationToken cancellationToken)
    {
        Document root = await source.ResolveAsync(cancellationToken);
        DocumentTree tree = new(source);
        await tree.AddAsync(root, depth: 0, cancellationToken);

        foreach (Manifest manifest in tree.Manifests)
        {
            progress.Resolved(manifest);
        }

        Descriptor[] blobs = [.. tree.Manifests.SelectMany(manifest => manifest.Layers.Prepend(manifest.Config)).DistinctBy(blob => blob.Digest)];
        await CopyBlobsAsync(
            blobs.Select((blob, i) => new LayerContent(
                i + 1, blobs.Length, blob, DiffId: null, (offset, token) => source.OpenBlobAsync(blob, offset, token))),
            destination,
            progress,
            cancellationToken);

        // manifests stand before the indexes that list them, and the root is the last of all
        foreach (IGrouping<bool, Document> kind in tree.Below.GroupBy(document => MediaTypes.IsIndex(document.MediaType)).OrderBy(kind => kind.Key))
        {
            await Parallel.ForEachAsync(
                kind,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (document, token) => await destination.WriteDocumentAsync(document, token));
        }

        await destination.CommitAsync(root, cancellationToken);
        return root;
    }

    /// <summary>The documents below a root, each once, within limits.</summary>
    private sealed class DocumentTree(IImageSource source)
    {
        private readonly HashSet<Digest> _seen = [];
        private long _bytes;

        /// <summary>All but the root, in the order of the index.</summary>
        internal List<Document> Below { get; } = [];

        internal List<Manifest> Manifests { get; } = [];

        internal async Task AddAsync(Document document, int depth, CancellationToken cancellationToken)
        {
            _seen.Add(document.Digest);
            _bytes += document.Bytes.Length;
            if (_seen.Count > MaxDocuments || _bytes > MaxDocumentBytes)
            {
                throw new InvalidDocumentException(
                    $"index {document.Digest}: more than {MaxDocuments} documents or {MaxDocumentBytes >> 20} MiB of them are not copied at once");
            }

            if (depth > 0)
            {
                Below.Add(document);
            }

            if (!MediaTypes.IsIndex(document.MediaType))
            {
                Manifests.Add(Manifest.ParseAny(document));
                return;
            }

            if (depth > 1)
            {
                throw new InvalidDocumentException($"index {document.Digest}: indexes are nested more than one level deep");
            }

            foreach (Descriptor entry in ImageIndex.Parse(document).Manifests)
            {
                if (!MediaTypes.IsIndex(entry.MediaType) && !MediaTypes.IsManifest(entry.MediaType))
                {
                    throw new InvalidDocumentException(
                        $"index {document.Digest}: the entry {entry.Digest} has the unsupported media type {Printable.Shorten(entry.MediaType)}");
                }

                if (!_seen.Contains(entry.Digest))
                {
                    await AddAsync(await source.ReadDocumentAsync(entry, cancellationToken), depth + 1, cancellationToken);
                }
            }
        }
    }
}
