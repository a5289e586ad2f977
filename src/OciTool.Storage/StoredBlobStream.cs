using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>A blob of the store, for a thread that knows no cancellation: its reads end when a token says so.</summary>
/// <param name="inner">The file.</param>
/// <param name="digest">The blob's name, for errors.</param>
/// <param name="cancellationToken">Ends the reading.</param>
internal sealed class StoredBlobStream(Stream inner, Digest digest, CancellationToken cancellationToken) : ReadOnlyStream
{
    /// <exception cref="BlobUnreadableException">The disk does not give it back.</exception>
    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return inner.Read(buffer);
        }
        catch (IOException e)
        {
            throw new BlobUnreadableException(digest, e);
        }
    }
}

/// <summary>A blob is in the store, but the disk does not give it back.</summary>
internal sealed class BlobUnreadableException : OciException
{
    internal BlobUnreadableException(Digest digest, Exception cause)
        : base($"blob {digest} is unreadable: {Describe(cause)}", cause) =>
        Hint = "pull the image again, or run: oci system check --repair";

    private static string Describe(Exception cause) =>
        cause is IOException { HResult: > 0 } ? ErrnoException.Describe((Errno)cause.HResult) : cause.Message;
}
