using OciTool.Images;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>One place where an image is asked for; it is connected to when it is first used.</summary>
internal sealed class PullEndpoint(PullSource source, RegistryContext context) : IAsyncDisposable
{
    private readonly Lazy<RegistryConnection> _connection = new(() => RegistryConnection.Open(
        RegistryEndpoint.Of(source.Reference) with { IsInsecure = source.IsInsecure }, RegistryAccess.Pull, context));

    private readonly SegmentBuffers _buffers = new(context.Options.Ranges);

    /// <summary>What the image is called there.</summary>
    internal Reference Reference => source.Reference;

    private RegistryClient Client => _connection.Value.Client;

    /// <summary>Prepares to talk to it, so that what is wrong with the configuration shows now.</summary>
    internal void Open() => _ = Client;

    /// <inheritdoc cref="IImageSource.ResolveAsync"/>
    internal async Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        FetchedManifest fetched = await Client.GetManifestAsync(Reference.TagOrDigest, Document.MaxSize, cancellationToken);
        return fetched.Verify(Reference);
    }

    /// <inheritdoc cref="IImageSource.ReadDocumentAsync"/>
    internal async Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Size > Document.MaxSize)
        {
            throw new RegistryException(
                $"{Reference.Name}: manifest {descriptor.Digest}: {descriptor.Size} bytes are more than the limit of {Document.MaxSize}");
        }

        FetchedManifest fetched = await Client.GetManifestAsync(descriptor.Digest.ToString(), descriptor.Size, cancellationToken);
        return Document.Verify(descriptor, fetched.Body);
    }

    /// <inheritdoc cref="IImageSource.OpenBlobAsync"/>
    internal async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        await ParallelBlobStream.OpenAsync(Client, blob, offset, context.Options, _buffers, context.Time, cancellationToken);

    public ValueTask DisposeAsync() => _connection.IsValueCreated ? _connection.Value.DisposeAsync() : ValueTask.CompletedTask;
}
