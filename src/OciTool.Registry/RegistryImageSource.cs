using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>One image in a registry, to be pulled.</summary>
public sealed class RegistryImageSource : IImageSource, IAsyncDisposable
{
    private readonly Reference _reference;
    private readonly RegistryContext _context;
    private readonly RegistryConnection _connection;
    private readonly SegmentBuffers _buffers;

    private RegistryImageSource(Reference reference, RegistryContext context, RegistryConnection connection) =>
        (_reference, _context, _connection, _buffers) = (reference, context, connection, new SegmentBuffers(context.Options.Ranges));

    private RegistryClient Client => _connection.Client;

    /// <summary>Prepares to pull one image; no request is sent yet.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="context">What the command brings.</param>
    /// <exception cref="OciException">The directory of certificates does not exist.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the source")]
    public static RegistryImageSource Create(Reference reference, RegistryContext context) =>
        new(reference, context, RegistryConnection.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, context));

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not hand out the image.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the digest names.</exception>
    public async Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        FetchedManifest fetched = await Client.GetManifestAsync(_reference.TagOrDigest, Document.MaxSize, cancellationToken);
        return fetched.Verify(_reference);
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the document.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the descriptor names.</exception>
    public async Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Size > Document.MaxSize)
        {
            throw new RegistryException(
                $"{_reference.Name}: manifest {descriptor.Digest}: {descriptor.Size} bytes are more than the limit of {Document.MaxSize}");
        }

        FetchedManifest fetched = await Client.GetManifestAsync(descriptor.Digest.ToString(), descriptor.Size, cancellationToken);
        return Document.Verify(descriptor, fetched.Body);
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the blob.</exception>
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        await ParallelBlobStream.OpenAsync(Client, blob, offset, _context.Options, _buffers, _context.Time, cancellationToken);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
