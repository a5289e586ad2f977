using System.Buffers;
using System.Security.Cryptography;
using OciTool.Images;
using LayerContent = OciTool.Images.LayerContent;

namespace OciTool.Storage.Transports;

/// <summary>An image on its way to an archive: what it is made of is known, and is read when the archive is written.</summary>
/// <remarks>An archive is written in the order of its names, so that the same images give the same bytes.</remarks>
internal sealed class CollectedImage(IReadOnlyList<string> names) : IImageDestination
{
    private readonly Lock _gate = new();

    /// <summary>The names to give to it.</summary>
    internal IReadOnlyList<string> Names => names;

    /// <summary>Configs and layers by digest.</summary>
    internal Dictionary<Digest, LayerContent> Blobs { get; } = [];

    /// <summary>Manifests and indexes by digest, the root among them.</summary>
    internal Dictionary<Digest, Document> Documents { get; } = [];

    /// <summary>What the name stands for; null before it was committed.</summary>
    internal Document? Root { get; private set; }

    /// <inheritdoc/>
    public Document? FindDocument(Descriptor descriptor) => null;

    /// <inheritdoc/>
    public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) =>
        Task.FromResult<IDisposable>(Stream.Null);

    /// <inheritdoc/>
    public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Documents[document.Digest] = document;
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Blobs[layer.Blob.Digest] = layer;
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CommitAsync(Document root, CancellationToken cancellationToken)
    {
        Root = root;
        return WriteDocumentAsync(root, cancellationToken);
    }

    /// <summary>Copies a blob, and verifies size and digest as it passes.</summary>
    /// <exception cref="ContentMismatchException">It is another one than was promised.</exception>
    internal static async Task CopyAsync(LayerContent blob, Stream output, ICopyProgress progress, CancellationToken cancellationToken)
    {
        progress.Started(blob.Blob, offset: 0);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            await using Stream content = await blob.OpenAsync(0, cancellationToken);
            using IncrementalHash hash = blob.Blob.Digest.CreateHash();
            long size = 0;
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                size += read;
                if (size > blob.Blob.Size)
                {
                    throw new ContentMismatchException(blob.Blob, $"more than {blob.Blob.Size} bytes");
                }

                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                progress.Advanced(blob.Blob, read);
            }

            Digest actual = Digest.Of(hash);
            if (size != blob.Blob.Size || actual != blob.Blob.Digest)
            {
                throw new ContentMismatchException(blob.Blob, $"{size} bytes with digest {actual}");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        progress.Finished(blob.Blob);
    }
}
