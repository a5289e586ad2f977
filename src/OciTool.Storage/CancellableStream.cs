using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>A stream for a thread that knows no cancellation: its reads end when a token says so.</summary>
internal sealed class CancellableStream(Stream inner, CancellationToken cancellationToken) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return inner.Read(buffer);
    }
}
