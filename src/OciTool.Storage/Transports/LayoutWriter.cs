using System.Text.Json;
using OciTool.Images;
using LayerContent = OciTool.Images.LayerContent;

namespace OciTool.Storage.Transports;

/// <summary>Writes an OCI image layout, or the plain files of <c>dir:</c>.</summary>
internal static class LayoutWriter
{
    /// <summary>Writes images as a layout; the names that a layout in a directory has already stay.</summary>
    /// <param name="sink">Where to.</param>
    /// <param name="directory">The directory that may have a layout already; null for an archive.</param>
    /// <param name="images">The images.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task WriteAsync(
        IFileSink sink, string? directory, IReadOnlyList<CollectedImage> images, ICopyProgress progress, CancellationToken cancellationToken)
    {
        List<Descriptor> entries = Entries(directory, images);
        SortedDictionary<string, LayerContent> blobs = new(StringComparer.Ordinal);
        foreach (CollectedImage image in images)
        {
            foreach (LayerContent blob in image.Blobs.Values.Concat(image.Documents.Values.Select(AsBlob)))
            {
                blobs[ImageLayout.PathOf(blob.Blob.Digest)] = blob;
            }
        }

        foreach ((string path, LayerContent blob) in blobs)
        {
            if (sink.Has(path, blob.Blob.Size))
            {
                progress.Skipped(blob.Blob);
                continue;
            }

            await sink.WriteAsync(path, blob.Blob.Size, file => CollectedImage.CopyAsync(blob, file, progress, cancellationToken), cancellationToken);
        }

        // names last: a layout that was written half has none of them
        ImageIndex index = new(2, entries) { MediaType = MediaTypes.OciIndex };
        await WriteAsync(sink, "index.json", JsonSerializer.SerializeToUtf8Bytes(index, SpecJson.Relaxed.ImageIndex), cancellationToken);
        await WriteAsync(sink, "oci-layout", StorageRoot.LayoutVersion.ToArray(), cancellationToken);
    }

    /// <summary>Writes one image as the plain files of <c>dir:</c>.</summary>
    internal static async Task WriteDirectoryAsync(
        IFileSink sink, CollectedImage image, ICopyProgress progress, CancellationToken cancellationToken)
    {
        foreach (LayerContent blob in image.Blobs.Values.OrderBy(blob => blob.Blob.Digest))
        {
            await sink.WriteAsync(
                blob.Blob.Digest.Hex, blob.Blob.Size, file => CollectedImage.CopyAsync(blob, file, progress, cancellationToken), cancellationToken);
        }

        foreach (Document document in image.Documents.Values.Where(document => document != image.Root))
        {
            await WriteAsync(sink, $"{document.Digest.Hex}.manifest.json", document.Bytes, cancellationToken);
        }

        await WriteAsync(sink, "version", System.Text.Encoding.ASCII.GetBytes(DirectoryImage.Version), cancellationToken);
        await WriteAsync(sink, "manifest.json", image.Root!.Bytes, cancellationToken);
    }

    internal static Task WriteAsync(IFileSink sink, string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        sink.WriteAsync(path, bytes.Length, async file => await file.WriteAsync(bytes, cancellationToken), cancellationToken);

    private static LayerContent AsBlob(Document document) => new(
        1, 1, document.Descriptor, DiffId: null, (_, _) => Task.FromResult<Stream>(new MemoryStream(document.Bytes.ToArray())));

    private static List<Descriptor> Entries(string? directory, IReadOnlyList<CollectedImage> images)
    {
        List<Descriptor> entries = [];
        if (directory is not null && File.Exists(Path.Join(directory, "index.json")))
        {
            entries.AddRange(StorageJson.Read(Path.Join(directory, "index.json"), static bytes => ImageIndex.ReadLayout(bytes))!.Manifests);
        }

        foreach (CollectedImage image in images)
        {
            Descriptor root = image.Root!.Descriptor;
            entries.RemoveAll(entry => image.Names.Contains(entry.Annotations?.GetValueOrDefault(LayoutIndex.RefName) ?? "\0")
                || (entry.Digest == root.Digest && entry.Annotations is null));
            entries.AddRange(image.Names.Count == 0 ? [root] : image.Names.Select(name => root with { Annotations = Annotate(name) }));
        }

        return entries;
    }

    // containerd imports by its own annotation, which holds whole names only
    private static SortedDictionary<string, string> Annotate(string name)
    {
        SortedDictionary<string, string> annotations = new(StringComparer.Ordinal) { [LayoutIndex.RefName] = name };
        if (name.Contains('/', StringComparison.Ordinal) && Reference.TryParse(name, out Reference? whole, out _))
        {
            annotations[LayoutIndex.ContainerdName] = whole.ToString();
        }

        return annotations;
    }
}
