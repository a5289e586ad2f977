using System.Diagnostics.CodeAnalysis;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A repository of a registry that one image is pushed to.</summary>
/// <remarks>
/// distribution-spec v1.1, section "Push". A blob that is there, or that the registry can take over from another of its
/// repositories, is not sent.
/// </remarks>
public sealed class RegistryImageDestination : IImageDestination, IAsyncDisposable
{
    private readonly Reference _reference;
    private readonly RegistryContext _context;
    private readonly RegistryConnection _connection;
    private readonly bool _mayMount;

    private RegistryImageDestination(Reference reference, RegistryContext context, RegistryConnection connection, bool mayMount) =>
        (_reference, _context, _connection, _mayMount) = (reference, context, connection, mayMount);

    private RegistryClient Client => _connection.Client;

    /// <summary>Prepares to push one image; no request is sent yet.</summary>
    /// <param name="reference">Where to; behind a digest the image must have that digest.</param>
    /// <param name="mountFrom">Another repository of the same registry that may have the blobs; null for none.</param>
    /// <param name="context">What the command brings.</param>
    /// <exception cref="OciException">The directory of certificates does not exist.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the destination")]
    public static RegistryImageDestination Create(Reference reference, string? mountFrom, RegistryContext context)
    {
        RegistryEndpoint endpoint = RegistryEndpoint.Of(reference) with { MountFrom = mountFrom };
        return new(reference, context, RegistryConnection.Open(endpoint, RegistryAccess.Pull | RegistryAccess.Push, context), mountFrom is not null);
    }

    /// <summary>The repository to mount blobs from when an image that has a name is pushed elsewhere.</summary>
    /// <param name="known">A name that the image has.</param>
    /// <param name="target">Where it is going to.</param>
    /// <returns>Null where the two do not share a registry, or the repository is the same.</returns>
    public static string? MountFrom(Reference known, Reference target)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(target);
        return known.Registry == target.Registry && known.Repository != target.Repository ? known.Repository : null;
    }

    /// <inheritdoc/>
    /// <remarks>A registry is asked when something is written, and what it has need not be read back.</remarks>
    public Document? FindDocument(Descriptor descriptor) => null;

    /// <inheritdoc/>
    /// <remarks>Uploads do not stand in each other's way.</remarks>
    public Task<IDisposable> ReserveAsync(Descriptor blob, CancellationToken cancellationToken) =>
        Task.FromResult<IDisposable>(Nothing.Instance);

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not take it.</exception>
    public async Task WriteDocumentAsync(Document document, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (MediaTypes.IsManifest(document.MediaType) || MediaTypes.IsIndex(document.MediaType))
        {
            await Client.PutManifestAsync(document.Digest.ToString(), document, cancellationToken);
            return;
        }

        LayerContent config = new(1, 1, document.Descriptor, DiffId: null,
            (offset, _) => Task.FromResult<Stream>(new MemoryStream(document.Bytes[(int)offset..].ToArray(), writable: false)));
        await TakeAsync(config, progress: null, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ContentMismatchException">The source gave something else than the descriptor names.</exception>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not take it.</exception>
    public Task WriteLayerAsync(LayerContent layer, ICopyProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(progress);
        return TakeAsync(layer, progress, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not take it.</exception>
    /// <exception cref="OciException">The name has a digest, and the image has another.</exception>
    public Task CommitAsync(Document root, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(root);
        return _reference.Digest is { } digest && digest != root.Digest
            ? throw new OciException($"cannot push to '{_reference}': the image has the digest {root.Digest}")
            : Client.PutManifestAsync(_reference.Tag ?? root.Digest.ToString(), root, cancellationToken);
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task TakeAsync(LayerContent content, ICopyProgress? progress, CancellationToken cancellationToken)
    {
        if (await Client.HasBlobAsync(content.Blob, cancellationToken)
            || await Client.BeginUploadAsync(content.Blob, _mayMount, cancellationToken) is not { } session)
        {
            progress?.Skipped(content.Blob);
            return;
        }

        progress?.Started(content.Blob, offset: 0);
        await using BlobUpload upload = new(Client, session, content, progress, _context);
        await upload.RunAsync(cancellationToken);
        progress?.Finished(content.Blob);
    }

    private sealed class Nothing : IDisposable
    {
        internal static readonly Nothing Instance = new();

        public void Dispose()
        {
        }
    }
}
