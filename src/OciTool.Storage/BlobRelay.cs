using System.Buffers;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>Hands a blob from the task that downloads it to the thread that reads it, a bounded way ahead.</summary>
/// <remarks>
/// A ring of buffers: the writer fills the next one in place, and none is filled again before it was read. The writer
/// waits as a task, because it shares its thread with others; the reader blocks. Dispose it when both have ended.
/// </remarks>
internal sealed class BlobRelay : ReadOnlyStream
{
    /// <summary>The size of a buffer: 64 KiB, what a TLS or TCP read can fill.</summary>
    internal const int BufferSize = 64 << 10;

    private const int Buffers = 16;

    private readonly object _gate = new();
    private readonly SemaphoreSlim _free = new(Buffers);
    private readonly byte[]?[] _buffers = new byte[]?[Buffers];
    private readonly int[] _lengths = new int[Buffers];
    private bool _taken;
    private long _sent;
    private long _read;
    private int _offset;
    private bool _ended;
    private Exception? _failure;

    /// <summary>Whether the reader gave up before the end.</summary>
    internal bool IsAbandoned { get; private set; }

    /// <summary>The buffer to fill next, the same until it is sent; waits while the reader is too far behind.</summary>
    /// <exception cref="IOException">The reader gave up.</exception>
    internal async ValueTask<byte[]> TakeAsync(CancellationToken cancellationToken)
    {
        if (!_taken)
        {
            await _free.WaitAsync(cancellationToken);
            _taken = true;
        }

        lock (_gate)
        {
            return IsAbandoned
                ? throw new IOException("nobody reads the blob any more")
                : _buffers[_sent % Buffers] ??= ArrayPool<byte>.Shared.Rent(BufferSize);
        }
    }

    /// <summary>Gives the buffer that was taken to the reader.</summary>
    /// <param name="length">How many bytes it was filled with.</param>
    internal void Send(int length)
    {
        lock (_gate)
        {
            _lengths[_sent % Buffers] = length;
            _sent++;
            _taken = false;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Says that there is no more, or that the rest failed; then the reader's next read fails.</summary>
    internal void Complete(Exception? failure = null) => End(failure, abandoned: false);

    /// <summary>The reader gives up: the writer's next buffer fails, and so does a read in another thread.</summary>
    public override void Abandon()
    {
        End(new IOException("the blob is not read any more"), abandoned: true);
        _free.Release(); // a writer that waits for room
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !Wait())
        {
            return 0;
        }

        int slot = (int)(_read % Buffers);
        int count = Math.Min(buffer.Length, _lengths[slot] - _offset);
        _buffers[slot].AsSpan(_offset, count).CopyTo(buffer);
        _offset += count;
        if (_offset == _lengths[slot])
        {
            _offset = 0;
            _read++;
            _free.Release();
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (ref byte[]? buffer in _buffers.AsSpan())
            {
                if (buffer is not null)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = null;
                }
            }

            _free.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool Wait()
    {
        lock (_gate)
        {
            while (_read == _sent && !_ended)
            {
                Monitor.Wait(_gate);
            }

            return _failure is null
                ? _read < _sent
                : throw new IOException("the download ended early", _failure);
        }
    }

    private void End(Exception? failure, bool abandoned)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                _ended = true;
                _failure = failure;
                IsAbandoned = abandoned;
                Monitor.Pulse(_gate);
            }
        }
    }
}
