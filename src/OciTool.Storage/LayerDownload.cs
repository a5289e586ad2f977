using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;
using LayerContent = OciTool.Images.LayerContent;

namespace OciTool.Storage;

/// <summary>Takes one layer in one pass: it is hashed, kept and applied while it downloads. A blob that is no layer is only kept.</summary>
/// <param name="root">The store.</param>
/// <param name="content">The blobs.</param>
/// <param name="layers">The applied layers.</param>
/// <param name="layer">The layer; the caller holds the lock of its digest.</param>
/// <param name="progress">Told what passes.</param>
internal sealed class LayerDownload(
    StorageRoot root, ContentStore content, LayerStore layers, LayerContent layer, ICopyProgress progress)
{
    private const long LargeFrom = 8 << 20;
    private const long MostForDigest = 64 << 20;

    private static readonly TimeSpan PatienceForDigest = TimeSpan.FromSeconds(10);

    private readonly string _partial = root.PartialOf(layer.Blob.Digest);
    private readonly string _blob = content.PathOf(layer.Blob.Digest);

    private Digest DiffId => layer.DiffId ?? throw new InvalidOperationException($"{layer} is nothing to apply");

    private bool IsLarge => layer.Blob.Size >= LargeFrom;

    /// <summary>Applies the layer from its blob, without a network.</summary>
    internal async Task ApplyAsync(CancellationToken cancellationToken)
    {
        using TemporaryDirectory place = new(root);
        try
        {
            await using Stream blob = content.OpenRead(layer.Blob);
            AppliedLayer applied = await OnThreadOfItsOwnAsync(() =>
            {
                using StoredBlobStream stream = new(blob, layer.Blob.Digest, cancellationToken);
                return Apply(stream, place);
            });
            LayerStore.WriteRecord(applied, place);
            await SyncAsync(applied, place);
        }
        catch (Exception e) when (StoreFullException.IsCausedBy(e))
        {
            throw Full(e, apply: true);
        }

        layers.Publish(place, DiffId);
    }

    /// <summary>Downloads the blob, from where an earlier download broke off, and applies it beside that.</summary>
    /// <param name="apply">False when the applied layer is there already, or there is nothing to apply.</param>
    /// <param name="cancellationToken">Gives up; what has arrived is kept for the next time.</param>
    internal async Task RunAsync(bool apply, CancellationToken cancellationToken)
    {
        bool resumed = File.Exists(_partial);
        try
        {
            await OnceAsync(apply, cancellationToken);
        }
        catch (Exception e) when (e is ContentMismatchException || (resumed && IsDamage(e)))
        {
            // the kept part may be what is wrong, or what came: once more, all of it
            File.Delete(_partial);
            await OnceAsync(apply, cancellationToken);
        }
    }

    private async Task OnceAsync(bool apply, CancellationToken cancellationToken)
    {
        RequireRoom(apply);
        using TemporaryDirectory? place = apply ? new TemporaryDirectory(root) : null;
        try
        {
            AppliedLayer? applied = null;
            if (place is null)
            {
                await FetchAsync(relay: null, cancellationToken);
                await SyncBlobAsync();
            }
            else
            {
                applied = await FetchAndApplyAsync(place, cancellationToken);
                LayerStore.WriteRecord(applied, place);
            }

            await SyncAsync(applied, place); // data, then sync, then names
        }
        catch (Exception e) when (IsDamage(e) || IsSyncFailure(e) || layers.SyncHasFailed)
        {
            // after a failed sync nobody knows what of it is on the disk, and another sync would not tell
            File.Delete(_partial);
            if (StoreFullException.IsCausedBy(e))
            {
                throw Full(e, apply);
            }

            throw;
        }
        catch (Exception e) when (StoreFullException.IsCausedBy(e))
        {
            throw Full(e, apply);
        }

        File.SetUnixFileMode(_partial, ContentStore.BlobMode);
        Directory.CreateDirectory(Path.GetDirectoryName(_blob)!);
        File.Move(_partial, _blob, overwrite: true);
        if (place is not null)
        {
            layers.Publish(place, DiffId);
        }
    }

    /// <summary>Whether the content is wrong, be it as it came or as it was kept.</summary>
    private static bool IsDamage(Exception failure) =>
        failure is ContentMismatchException or LayerException or BlobUnreadableException && !StoreFullException.IsCausedBy(failure);

    private static bool IsSyncFailure(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is ErrnoException { Call: "fdatasync" or "syncfs" })
            {
                return true;
            }
        }

        return false;
    }

    private void RequireRoom(bool apply)
    {
        FileInfo partial = new(_partial);
        long free = DirectoryTree.FreeBytes(root.Path);
        if (layer.Blob.Size - (partial.Exists ? partial.Length : 0) > free)
        {
            throw new StoreFullException(layer.ToString(), StillNeeded(apply), free);
        }
    }

    private StoreFullException Full(Exception cause, bool apply) =>
        new(cause, layer.ToString(), StillNeeded(apply), DirectoryTree.FreeBytes(root.Path));

    // what a layer unpacks to is known at its end only; three times is what gzip makes of programs
    private long StillNeeded(bool apply)
    {
        FileInfo partial = new(_partial);
        long missing = File.Exists(_blob) ? 0 : layer.Blob.Size - (partial.Exists ? partial.Length : 0);
        return missing + (apply ? layer.Blob.Size * 3 : 0);
    }

    /// <summary>Makes what has no name yet durable: small things by one sync for many, large ones by themselves.</summary>
    /// <remarks>The sync of a whole file system also waits for what everybody else has written to it.</remarks>
    private async Task SyncAsync(AppliedLayer? applied, TemporaryDirectory? place)
    {
        if (applied is { Form: SnapshotForm.Directory } || !IsLarge)
        {
            await layers.SyncAsync();
        }
        else if (place is not null)
        {
            // the blob is durable already, and so is the layer's file
            DirectoryTree.SyncFile(LayerStore.RecordIn(place));
            DirectoryTree.SyncNames(place.Path);
        }
    }

    private AppliedLayer Apply(Stream stream, TemporaryDirectory place)
    {
        AppliedLayer applied = layers.Apply(stream, place, DiffId, progress.Warn);
        if (IsLarge && applied.Form == SnapshotForm.Erofs)
        {
            DirectoryTree.SyncFile(LayerStore.TreeIn(place, applied.Form));
        }

        return applied;
    }

    private Task SyncBlobAsync() => IsLarge
        ? OnThreadOfItsOwnAsync(() =>
        {
            DirectoryTree.SyncFile(_partial);
            return true;
        })
        : Task.CompletedTask;

    [SuppressMessage("Reliability", "CA2025", Justification = "both tasks are awaited to their end below")]
    private async Task<AppliedLayer> FetchAndApplyAsync(TemporaryDirectory place, CancellationToken cancellationToken)
    {
        using BlobRelay relay = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<AppliedLayer> applying = OnThreadOfItsOwnAsync(() =>
        {
            try
            {
                return Apply(relay, place);
            }
            catch
            {
                relay.Abandon();
                stop.Cancel(); // a read from the network must not be waited for
                throw;
            }
        });

        Task fetching = FetchAsync(relay, stop.Token);
        await fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool applierFailed = relay.IsAbandoned && !fetching.IsCompletedSuccessfully;
        relay.Complete(fetching.IsCompletedSuccessfully ? null : new IOException("the download ended early", fetching.Exception));

        Task syncing = fetching.IsCompletedSuccessfully ? SyncBlobAsync() : Task.CompletedTask; // while the layer's end is written

        // in every case to its end, before its directory is removed below it
        await ((Task)applying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (applierFailed && !cancellationToken.IsCancellationRequested)
        {
            await RequireDigestAsync(applying, cancellationToken);
            await applying;
        }

        await fetching;
        await syncing;
        return await applying;
    }

    /// <summary>Finds out whether a layer that cannot be applied was damaged on its way: then that is the failure.</summary>
    /// <remarks>
    /// Of a layer of which much is missing, or whose rest comes slowly, it is not found out: whoever made it would make us
    /// download it all, or wait.
    /// </remarks>
    private async Task RequireDigestAsync(Task<AppliedLayer> applying, CancellationToken cancellationToken)
    {
        if (applying.Exception?.InnerException is not LayerException
            || layer.Blob.Size - new FileInfo(_partial).Length > MostForDigest)
        {
            return;
        }

        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(PatienceForDigest);
        try
        {
            await FetchAsync(relay: null, patience.Token);
        }
        catch (Exception e) when (e is OciException and not ContentMismatchException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // it does not come: what was wrong before remains
        }
    }

    /// <summary>Reads the kept part and then the source, up to the promised size, and verifies the digest.</summary>
    private async Task FetchAsync(BlobRelay? relay, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = layer.Blob.Digest.CreateHash();
        await using FileStream file = new(_partial, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        if (file.Length > layer.Blob.Size)
        {
            file.SetLength(0);
        }

        long size = file.Length;
        progress.Started(layer.Blob, size);
        try
        {
            await PumpAsync(file, sink: null, hash, relay, size, cancellationToken);
        }
        catch (IOException e) when (relay is not { IsAbandoned: true })
        {
            throw new BlobUnreadableException(layer.Blob.Digest, e);
        }

        if (size < layer.Blob.Size)
        {
            await using Stream source = await layer.OpenAsync(size, cancellationToken);
            size += await PumpAsync(source, file, hash, relay, layer.Blob.Size - size + 1, cancellationToken);
        }

        Digest actual = Digest.Of(hash);
        if (size < layer.Blob.Size)
        {
            // not the wrong content but too little of it: kept, and gone on from the next time
            throw new OciException($"the source ended after {size} of {layer.Blob.Size} bytes");
        }

        if (size > layer.Blob.Size || actual != layer.Blob.Digest)
        {
            throw new ContentMismatchException(
                layer.Blob, size > layer.Blob.Size ? "more bytes" : $"{size} bytes with digest {actual}");
        }
    }

    [SuppressMessage("Performance", "CA1849", Justification = "a write into the page cache is shorter than a switch of threads")]
    private async Task<long> PumpAsync(
        Stream source, FileStream? sink, IncrementalHash hash, BlobRelay? relay, long limit, CancellationToken cancellationToken)
    {
        long start = sink?.Position ?? 0;
        FileWriteBack? writeBack = sink is null ? null : new(sink.SafeFileHandle, _partial, start);
        byte[]? own = relay is null ? ArrayPool<byte>.Shared.Rent(BlobRelay.BufferSize) : null;
        try
        {
            long total = 0;
            while (total < limit)
            {
                byte[] buffer = own ?? await relay!.TakeAsync(cancellationToken);
                int read = await source.ReadAsync(
                    buffer.AsMemory(0, (int)Math.Min(BlobRelay.BufferSize, limit - total)), cancellationToken);
                if (read == 0)
                {
                    break;
                }

                total += read;
                hash.AppendData(buffer, 0, read);
                if (sink is not null)
                {
                    Descriptors.WriteAt(sink.SafeFileHandle, buffer.AsSpan(0, read), start + total - read, _partial);
                    writeBack!.WrittenTo(start + total);
                    progress.Advanced(layer.Blob, read);
                }

                relay?.Send(read);
            }

            await (writeBack?.CompleteAsync() ?? Task.CompletedTask);
            return total;
        }
        finally
        {
            if (own is not null)
            {
                ArrayPool<byte>.Shared.Return(own);
            }
        }
    }

    private static Task<T> OnThreadOfItsOwnAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
