using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Opens a blob at one endpoint after the other, each time from where the last one ended.</summary>
/// <param name="offset">The first byte that is wanted.</param>
/// <param name="failure">Why the one before gave up; null at the beginning.</param>
/// <returns>The blob from there on.</returns>
internal delegate Task<Stream> OpenNext(long offset, OciException? failure);

/// <summary>A blob that several endpoints may have: where one fails for good the next one goes on at the same byte.</summary>
internal sealed class FailoverStream : DownloadStream
{
    private readonly OpenNext _next;
    private Stream _current;
    private long _position;

    private FailoverStream(OpenNext next, Stream first, long offset) => (_next, _current, _position) = (next, first, offset);

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a blob.</summary>
    /// <exception cref="OciException">No endpoint has it.</exception>
    internal static async Task<FailoverStream> OpenAsync(OpenNext next, long offset) =>
        new(next, await next(offset, failure: null), offset);

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                int read = await _current.ReadAsync(buffer, cancellationToken);
                _position += read;
                return read;
            }
            catch (RegistryException e)
            {
                await _current.DisposeAsync();
                _current = await _next(_position, e);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _current.Dispose();
        }

        base.Dispose(disposing);
    }
}
