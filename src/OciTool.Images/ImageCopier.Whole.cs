namespace OciTool.Images;

/// <content>Copies an index with all that is below it to a place where its images are run: the store.</content>
public static partial class ImageCopier
{
    /// <summary>Copies the image that the source was opened for, with all platforms where it is an index.</summary>
    /// <remarks>
    /// Images are taken as <see cref="CopyAsync"/> takes one. What is none (attestations and other artifacts) is taken as
    /// blobs, so that the index is whole and keeps its digest when it goes on.
    /// </remarks>
    /// <param name="source">Where it comes from.</param>
    /// <param name="destination">Where it goes to.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; what is whole at the destination stays.</param>
    /// <returns>The images, in the order of the index; at least one.</returns>
    /// <exception cref="OciException">Something is missing, broken or beyond the limits, or there is no image in it.</exception>
    public static async Task<IReadOnlyList<CopiedImage>> CopyWholeAsync(
        IImageSource source, IImageDestination destination, ICopyProgress progress, CancellationToken cancellationToken)
    {
        Document root = await source.ResolveAsync(cancellationToken);
        DocumentTree tree = new(async (entry, token) => destination.FindDocument(entry) ?? await source.ReadDocumentAsync(entry, token));
        await tree.AddAsync(root, cancellationToken);
        if (!tree.Leaves.Exists(leaf => leaf.IsImage))
        {
            throw MediaTypes.IsIndex(root.MediaType)
                ? new InvalidDocumentException($"index {root.Digest}: there is no container image in it")
                : Refusal(root);
        }

        tree.Leaves.ForEach(leaf => progress.Resolved(leaf.Manifest));
        List<CopiedImage> images = [];
        foreach (Leaf leaf in tree.Leaves.Where(leaf => leaf.IsImage))
        {
            Document config = await CopyConfigAsync(source, destination, leaf.Manifest, progress, cancellationToken);
            images.Add(new CopiedImage(root, leaf.Document, leaf.Manifest, ImageConfig.Parse(config, leaf.Manifest)));
        }

        IEnumerable<LayerContent> layers = images.SelectMany(image => LayersOf(source, image.Manifest, image.Config));
        Descriptor[] others = [.. tree.Leaves.Where(leaf => !leaf.IsImage).SelectMany(leaf => leaf.Manifest.Layers.Prepend(leaf.Manifest.Config))];
        await CopyBlobsAsync(
            layers.DistinctBy(layer => (layer.Blob.Digest, layer.DiffId))
                .Concat(AsTheyAre(source, [.. others.DistinctBy(blob => blob.Digest)])),
            destination,
            progress,
            cancellationToken);
        await WriteDocumentsAsync(tree, root, destination, cancellationToken);
        return images;
    }

    // of one manifest: says what it is instead of an image
    private static InvalidDocumentException Refusal(Document manifest)
    {
        Manifest.Parse(manifest);
        return new InvalidDocumentException($"manifest {manifest.Digest}: it is not a container image");
    }
}
