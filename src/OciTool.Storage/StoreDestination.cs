using OciTool.Images;
using OciTool.Storage.Layers;
using LayerContent = OciTool.Images.LayerContent;

namespace OciTool.Storage;

/// <summary>Takes one image into a store. What it has taken or found stays until it is disposed, named or not.</summary>
public sealed class StoreDestination : IImageDestination, IDisposable
{
    private readonly StorageRoot _root;
    private readonly ImageStore _images;
    private readonly string? _name;
    private readonly Lock _gate = new();
    private Lease? _lease;
    private bool _told;

    internal StoreDestination(StorageRoot root, ImageStore images, Reference? reference)
    {
        _root = root;
        _images = images;
        _name = reference is null ? null : ImageNames.StoredNameOf(reference);
    }

    private Lease Lease
    {
        get
        {
            lock (_gate)
            {
                if (_lease is null)
                {
                    _root.EnsureWritable();
                    _root.Sweep();
                    _lease = new Lease(_root);
                }

                return _lease;
            }
        }
    }

    /// <inheritdoc/>
    public Document? FindDocument(Descriptor descriptor) =>
        Lease.Look(
            () =>
            {
                Document? document = _images.Content.FindReadable(descriptor);
                if (document is not null && _root.Additional.Count > 0)
                {
                    _images.Content.Write(document); // also when an additional store has it
                }

                return document;
            },
            descriptor.Digest);

    /// <inheritdoc/>
    public async Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        _ = Lease; // makes the directories
        return await BlobReservation.AcquireAsync(_root, blob, TellOnce, cancellationToken);
    }

    /// <inheritdoc/>
    public Task WriteDocumentAsync(Document document, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Lease.Look(
            () =>
            {
                _images.Content.Write(document);
                return Task.CompletedTask;
            },
            document.Digest);
    }

    /// <inheritdoc/>
    public async Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            if (Look(layer) is (true, true))
            {
                progress.Skipped(layer.Blob);
                return;
            }

            using IDisposable reserved = await ReserveAsync(layer.Blob, cancellationToken);
            await TakeAsync(layer, progress, cancellationToken);
        }
        catch (Exception e) when (e is OciException or IOException or UnauthorizedAccessException)
        {
            throw LayerTransferException.From(layer, e);
        }
    }

    /// <inheritdoc/>
    public Task CommitAsync(Document root, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Lease.Look(
            () =>
            {
                _images.Content.Write(root);
                return true;
            },
            root.Digest);
        _images.Commit(_name, root);
        Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Gives up what has no name: the next removal may collect it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _lease?.Dispose();
            _lease = null;
        }
    }

    // who waits for one blob of an image mostly waits for more of them
    private void TellOnce(string message)
    {
        if (!Interlocked.Exchange(ref _told, true))
        {
            _root.Patience.Tell(message);
        }
    }

    // a blob without a diffID is no layer of an image that is run: there is nothing to apply
    private (bool Blob, bool Applied) Look(LayerContent layer) => layer.DiffId is { } diffId
        ? Lease.Look(() => (_images.Content.Contains(layer.Blob), _images.Layers.ContainsAsAsked(diffId)), layer.Blob.Digest, diffId)
        : Lease.Look(() => (_images.Content.Contains(layer.Blob), true), layer.Blob.Digest);

    private async Task TakeAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken)
    {
        LayerDownload download = new(_root, _images.Content, _images.Layers, layer, progress);
        (bool blob, bool applied) = Look(layer); // again: another pull may have had the lock before us
        if (blob && applied)
        {
            progress.Skipped(layer.Blob);
            return;
        }

        if (blob)
        {
            try
            {
                progress.Started(layer.Blob, layer.Blob.Size);
                await download.ApplyAsync(cancellationToken);
                progress.Finished(layer.Blob);
                return;
            }
            catch (Exception e) when (e is LayerException or BlobUnreadableException && !StoreFullException.IsCausedBy(e))
            {
                // the stored blob may have been damaged since it was verified: fetch it, which tells
            }
        }

        await download.RunAsync(apply: !applied, cancellationToken);
        progress.Finished(layer.Blob);
    }
}
