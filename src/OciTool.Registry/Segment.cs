namespace OciTool.Registry;

/// <summary>A part of a blob that is fetched ahead into a buffer, and can be read while it arrives.</summary>
internal sealed class Segment
{
    private readonly Lock _gate = new();
    private readonly byte[] _buffer;
    private readonly int _length;
    private readonly SegmentBuffers _buffers;
    private readonly Task _work;
    private TaskCompletionSource? _waiting;
    private int _filled;
    private int _read;

    /// <summary>Begins to fetch.</summary>
    /// <param name="source">The part; disposed here.</param>
    /// <param name="start">Where in the blob it begins.</param>
    /// <param name="length">How long it is, at most the buffer's length.</param>
    /// <param name="buffer">Where to put it.</param>
    /// <param name="buffers">Where the buffer goes back to.</param>
    internal Segment(BlobStream source, long start, int length, byte[] buffer, SegmentBuffers buffers)
    {
        (Start, _length, _buffer, _buffers) = (start, length, buffer, buffers);
        _work = FetchAsync(source);
        _ = _work.ContinueWith(_ => Wake(arrived: 0), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Where in the blob it begins.</summary>
    internal long Start { get; }

    /// <summary>Whether all of it was read.</summary>
    internal bool IsRead => _read == _length;

    /// <summary>Reads on, and waits until there is something to read.</summary>
    /// <returns>How many bytes; 0 at the end.</returns>
    /// <exception cref="IOException">It does not arrive; so do the other exceptions of the source.</exception>
    internal async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!IsRead)
        {
            int count;
            Task? waiting = null;
            lock (_gate)
            {
                count = Math.Min(buffer.Length, _filled - _read);
                if (count == 0 && !_work.IsCompleted)
                {
                    waiting = (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                }
            }

            if (waiting is not null)
            {
                await waiting.WaitAsync(cancellationToken);
            }
            else if (count > 0 || buffer.IsEmpty)
            {
                _buffer.AsMemory(_read, count).CopyTo(buffer);
                _read += count;
                return count;
            }
            else
            {
                await _work;
            }
        }

        return 0;
    }

    /// <summary>Gives the buffer back as soon as nothing can be written to it any more.</summary>
    internal void Release() => _ = _work.ContinueWith(
        work =>
        {
            _ = work.Exception; // nobody waits for it any more
            _buffers.Return(_buffer);
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task FetchAsync(BlobStream source)
    {
        await using (source)
        {
            for (int filled = 0; filled < _length;)
            {
                int read = await source.ReadAsync(_buffer.AsMemory(filled, _length - filled), CancellationToken.None);
                if (read == 0)
                {
                    throw new HttpIOException(HttpRequestError.ResponseEnded, $"a segment ended after {filled} of {_length} bytes");
                }

                filled += read;
                Wake(read);
            }
        }
    }

    private void Wake(int arrived)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _filled += arrived;
            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.SetResult();
    }
}
