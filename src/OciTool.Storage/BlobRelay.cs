using System.Buffers;
using System.Threading.Channels;

namespace OciTool.Storage;

/// <summary>Hands a blob from the task that downloads it to the thread that applies it, a bounded way ahead.</summary>
/// <remarks>The writer rents a buffer, fills it and gives it away; the reader returns it to the pool.</remarks>
internal sealed class BlobRelay : Stream
{
    /// <summary>The size of a buffer: 64 KiB, what a TLS or TCP read can fill.</summary>
    internal const int BufferSize = 64 << 10;

    private const int Ahead = 16;

    private readonly Channel<ArraySegment<byte>> _buffers = Channel.CreateBounded<ArraySegment<byte>>(
        new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });

    private ArraySegment<byte> _current;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gives a rented buffer to the reader, and waits while the reader is too far behind.</summary>
    /// <exception cref="ChannelClosedException">The reader is gone.</exception>
    internal ValueTask SendAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
        _buffers.Writer.WriteAsync(buffer, cancellationToken);

    /// <summary>Says that there is no more, or that the rest failed; then the reader's next read fails.</summary>
    internal void Complete(Exception? failure = null) => _buffers.Writer.TryComplete(failure);

    /// <summary>Whether the reader gave up before the end.</summary>
    internal bool IsAbandoned { get; private set; }

    /// <summary>The reader gives up: the writer's next buffer fails, and what is under way goes back to the pool.</summary>
    internal void Abandon()
    {
        IsAbandoned = _buffers.Writer.TryComplete();
        Release();
        while (_buffers.Reader.TryRead(out _current))
        {
            Release();
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || (_current.Count == 0 && !Next()))
        {
            return 0;
        }

        int count = Math.Min(buffer.Length, _current.Count);
        _current.AsSpan(0, count).CopyTo(buffer);
        _current = _current[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private bool Next()
    {
        Release();
        while (!_buffers.Reader.TryRead(out _current))
        {
            try
            {
                if (!_buffers.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                {
                    return false;
                }
            }
            catch (Exception e) when (e is not IOException)
            {
                throw new IOException("the download ended early", e);
            }
        }

        return true;
    }

    private void Release()
    {
        if (_current.Array is { } array)
        {
            ArrayPool<byte>.Shared.Return(array);
        }

        _current = default;
    }
}
