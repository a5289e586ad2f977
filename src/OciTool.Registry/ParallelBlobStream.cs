using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A blob in order, over one connection, or over several where one is slow and much is missing.</summary>
/// <remarks>
/// What the connection is waited for is its time, not what the reader needs, so that a slow disk is no slow network. When
/// it is slow, and the server knows ranges, the segments that follow are fetched into buffers, ahead of the reader,
/// while the first connection brings what is before them. Whatever goes wrong with a segment, or when several connections turn out
/// to be slower than one, the blob goes on over one connection from where the reader is, and nobody hears of it.
/// </remarks>
internal sealed class ParallelBlobStream : DownloadStream
{
    private readonly Func<long, long?, CancellationToken, BlobStream> _open;
    private readonly long _size;
    private readonly ParallelRanges _ranges;
    private readonly SegmentBuffers _buffers;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _segmentsEnd;
    private readonly CancellationToken _lifetime;
    private readonly Queue<Segment> _segments = new();

    private BlobStream? _single;
    private long _position;
    private long _next; // where the segment begins that is not asked for yet
    private int _readSegments;
    private double _singleRate; // bytes a second
    private TimeSpan _waited;
    private long _arrived; // in that time
    private bool _disposed;

    private ParallelBlobStream(
        Func<long, long?, CancellationToken, BlobStream> open, long offset, long size, ParallelRanges ranges, SegmentBuffers buffers,
        TimeProvider time, CancellationToken lifetime)
    {
        (_open, _position, _size, _ranges, _buffers, _time, _lifetime) = (open, offset, size, ranges, buffers, time, lifetime);
        _segmentsEnd = CancellationTokenSource.CreateLinkedTokenSource(lifetime);
        _single = open(offset, null, lifetime);
        _buffers.Count(1);
    }

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a blob; the first connection is made, so that a blob that is not there fails now and not in a read.</summary>
    /// <param name="client">Where it comes from.</param>
    /// <param name="blob">What it is.</param>
    /// <param name="offset">The first byte wanted.</param>
    /// <param name="options">The stall timeout, and when to use several connections.</param>
    /// <param name="buffers">The memory for segments.</param>
    /// <param name="time">The clock.</param>
    /// <param name="lifetime">Ends the stream, also in a read that waits.</param>
    internal static async Task<ParallelBlobStream> OpenAsync(
        RegistryClient client, Descriptor blob, long offset, RegistryOptions options, SegmentBuffers buffers, TimeProvider time,
        CancellationToken lifetime)
    {
        ParallelBlobStream stream = new(
            (start, end, token) => new BlobStream(client, blob, start, end, options, time, token),
            offset, blob.Size, options.IsSequential ? options.Ranges with { MinRest = long.MaxValue } : options.Ranges, buffers, time, lifetime);
        try
        {
            await stream._single!.ConnectAsync();
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_segments.TryPeek(out Segment? segment))
        {
            if (_single is not null && _position < segment.Start)
            {
                return await ReadSingleAsync(buffer[..(int)Math.Min(buffer.Length, segment.Start - _position)], cancellationToken);
            }

            CloseSingle();
            if (!segment.IsRead)
            {
                try
                {
                    return await ReadSegmentAsync(segment, buffer, cancellationToken);
                }
                catch (Exception e) when (e is RegistryException or IOException or HttpRequestException)
                {
                    _buffers.Stop();
                    await _segmentsEnd.CancelAsync();
                    ReleaseSegments();
                    continue;
                }
            }

            _segments.Dequeue().Release();
            _readSegments++;
            FetchAhead();
        }

        if (_single is null)
        {
            if (_position >= _size)
            {
                return 0;
            }

            _single = _open(_position, null, _lifetime);
            (_waited, _arrived) = (TimeSpan.Zero, 0);
        }

        int read = await ReadSingleAsync(buffer, cancellationToken);
        Consider();
        return read;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            CloseSingle();
            _segmentsEnd.Cancel();
            ReleaseSegments();
            _segmentsEnd.Dispose();
            _buffers.Count(-1);
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadSingleAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        int read = await _single!.ReadAsync(buffer, cancellationToken);
        Arrived(read, start);
        return read;
    }

    private async ValueTask<int> ReadSegmentAsync(Segment segment, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        int read = await segment.ReadAsync(buffer, cancellationToken);
        Arrived(read, start);
        return read;
    }

    private void Arrived(int count, long start)
    {
        _waited += _time.GetElapsedTime(start);
        _arrived += count;
        _position += count;
    }

    private void Consider()
    {
        if (_waited < _ranges.Watch)
        {
            return;
        }

        double rate = _arrived / _waited.TotalSeconds;
        (_waited, _arrived) = (TimeSpan.Zero, 0);
        if (rate < _ranges.FastEnough && _single!.KnowsRanges && _size - _position > _ranges.MinRest && _buffers.Has(2))
        {
            _singleRate = rate;
            _readSegments = 0;
            _next = _position + _ranges.SegmentSize;
            FetchAhead();
        }
    }

    private void FetchAhead()
    {
        if (_readSegments >= _ranges.Trial && _arrived < _singleRate * _waited.TotalSeconds)
        {
            _buffers.Stop();
        }

        while (_next < _size && _buffers.TryTake() is { } buffer)
        {
            int length = (int)Math.Min(_ranges.SegmentSize, _size - _next);
            _segments.Enqueue(new Segment(_open(_next, _next + length, _segmentsEnd.Token), _next, length, buffer, _buffers));
            _next += length;
        }
    }

    private void CloseSingle()
    {
        _single?.Dispose();
        _single = null;
    }

    private void ReleaseSegments()
    {
        while (_segments.TryDequeue(out Segment? segment))
        {
            segment.Release();
        }
    }
}
