namespace OciTool.Images;

/// <summary>Where an image goes to: a store, a registry, an archive. What it has taken it has verified.</summary>
/// <remarks>Layers may be written in parallel. Nothing is visible under a name before <see cref="CommitAsync"/>.</remarks>
public interface IImageDestination
{
    /// <summary>A document that is there already, so that it need not be fetched; null where it is not.</summary>
    /// <param name="descriptor">A manifest, index or config.</param>
    Document? FindDocument(Descriptor descriptor);

    /// <summary>Waits until nobody else writes a blob here; nobody else will until the result is disposed.</summary>
    /// <param name="blob">The config; layers are reserved by <see cref="WriteLayerAsync"/> itself.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken);

    /// <summary>Writes a manifest, index or config.</summary>
    /// <param name="document">The document, verified by whoever fetched it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task WriteDocumentAsync(Document document, CancellationToken cancellationToken);

    /// <summary>Takes a layer or another blob, unless it is there; then <paramref name="layer"/>'s source is not opened.</summary>
    /// <param name="layer">The blob and how to read it.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken);

    /// <summary>Writes the manifest or index that the name stands for, and names the image, last of all.</summary>
    /// <param name="root">The manifest or index; it has not been written before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task CommitAsync(Document root, CancellationToken cancellationToken);
}

/// <summary>A layer, or another blob of a manifest, on its way from a source to a destination.</summary>
/// <param name="Position">Its place in the image, from 1 for the base; where several manifests travel together, among their blobs.</param>
/// <param name="Count">How many layers the image has, or how many blobs travel.</param>
/// <param name="Blob">The blob as it travels.</param>
/// <param name="DiffId">
/// The digest of the uncompressed layer; null where it is copied as it is, without a look into it: a config, a part of
/// an artifact, or a layer whose image nobody is going to run here.
/// </param>
/// <param name="OpenAsync">Opens the blob at an offset in bytes.</param>
public sealed record LayerContent(
    int Position, int Count, Descriptor Blob, Digest? DiffId, Func<long, CancellationToken, Task<Stream>> OpenAsync)
{
    /// <summary>How errors name it, for example <c>layer 2/5 (sha256:0123456789ab…)</c>.</summary>
    public override string ToString() =>
        $"{(DiffId is null ? "blob" : "layer")} {Position}/{Count} ({Blob.Digest.Algorithm}:{Blob.Digest.Short}…)";
}

/// <summary>Is told how a copy goes on; called from several threads.</summary>
public interface ICopyProgress
{
    /// <summary>A manifest is known: its blobs are going to travel. Told of all manifests before the first blob.</summary>
    /// <param name="manifest">The manifest of the chosen platform, or one of several.</param>
    void Resolved(Manifest manifest);

    /// <summary>A blob's transfer begins.</summary>
    /// <param name="blob">The config or a layer.</param>
    /// <param name="offset">The bytes of it that are at hand already.</param>
    void Started(Descriptor blob, long offset);

    /// <summary>A blob was there already.</summary>
    /// <param name="blob">The config or a layer.</param>
    void Skipped(Descriptor blob);

    /// <summary>More bytes of a blob have passed.</summary>
    /// <param name="blob">The config or a layer.</param>
    /// <param name="bytes">How many, since the last call.</param>
    void Advanced(Descriptor blob, int bytes);

    /// <summary>A blob is there, verified and, for a layer, applied.</summary>
    /// <param name="blob">The config or a layer.</param>
    void Finished(Descriptor blob);

    /// <summary>Something the user should know, and that does not end the copy.</summary>
    /// <param name="message">One line; text from outside is escaped in it.</param>
    void Warn(string message);
}
