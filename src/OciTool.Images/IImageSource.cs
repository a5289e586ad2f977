namespace OciTool.Images;

/// <summary>Where one image comes from: a registry, a store, an archive. It is bound to what it reads.</summary>
/// <remarks>Documents and blobs may be asked for in parallel.</remarks>
public interface IImageSource
{
    /// <summary>The manifest or index that this source was opened for, exactly as it is held there.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    Task<Document> ResolveAsync(CancellationToken cancellationToken);

    /// <summary>A manifest or index by its digest, verified.</summary>
    /// <param name="descriptor">An entry of an index.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken);

    /// <summary>Opens a blob. The stream goes on by itself after a broken connection; it does not verify.</summary>
    /// <param name="blob">The config or a layer.</param>
    /// <param name="offset">Where to begin, in bytes; what stands before it is at hand.</param>
    /// <param name="cancellationToken">Gives up; also ends reads of the stream.</param>
    Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken);
}
