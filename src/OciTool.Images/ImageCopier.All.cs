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
        DocumentTree tree = new(source.ReadDocumentAsync);
        await tree.AddAsync(root, cancellationToken);
        tree.Leaves.ForEach(leaf => progress.Resolved(leaf.Manifest));

        Descriptor[] blobs = [.. tree.Leaves.SelectMany(leaf => leaf.Manifest.Layers.Prepend(leaf.Manifest.Config)).DistinctBy(blob => blob.Digest)];
        await CopyBlobsAsync(AsTheyAre(source, blobs), destination, progress, cancellationToken);
        await WriteDocumentsAsync(tree, root, destination, cancellationToken);
        return root;
    }

    private static IEnumerable<LayerContent> AsTheyAre(IImageSource source, Descriptor[] blobs) => blobs.Select((blob, i) => new LayerContent(
        i + 1, blobs.Length, blob, DiffId: null, (offset, token) => source.OpenBlobAsync(blob, offset, token)));

    private static async Task WriteDocumentsAsync(
        DocumentTree tree, Document root, IImageDestination destination, CancellationToken cancellationToken)
    {
        // manifests stand before the indexes that list them, and the root is the last of all
        foreach (IGrouping<bool, Document> kind in tree.Below.GroupBy(document => MediaTypes.IsIndex(document.MediaType)).OrderBy(kind => kind.Key))
        {
            await Parallel.ForEachAsync(
                kind,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (document, token) => await destination.WriteDocumentAsync(document, token));
        }

        await destination.CommitAsync(root, cancellationToken);
    }

    /// <summary>A manifest below a root.</summary>
    /// <param name="Document">The document.</param>
    /// <param name="Manifest">The same, parsed.</param>
    /// <param name="IsImage">Whether it is of an image that can be run; attestations are for the platform <c>unknown</c>.</param>
    private sealed record Leaf(Document Document, Manifest Manifest, bool IsImage);

    /// <summary>The documents below a root, each once, within limits.</summary>
    /// <param name="read">Reads an entry of an index.</param>
    private sealed class DocumentTree(Func<Descriptor, CancellationToken, Task<Document>> read)
    {
        private readonly HashSet<Digest> _seen = [];
        private long _bytes;

        /// <summary>All but the root, in the order of the index.</summary>
        internal List<Document> Below { get; } = [];

        internal List<Leaf> Leaves { get; } = [];

        internal Task AddAsync(Document root, CancellationToken cancellationToken) => AddAsync(root, platform: null, depth: 0, cancellationToken);

        private async Task AddAsync(Document document, Platform? platform, int depth, CancellationToken cancellationToken)
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
                Manifest manifest = Manifest.ParseAny(document);
                Leaves.Add(new Leaf(document, manifest, manifest.IsOfImage && platform is not { Os: "unknown" }));
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
                    await AddAsync(await read(entry, cancellationToken), entry.Platform, depth + 1, cancellationToken);
                }
            }
        }
    }
}
