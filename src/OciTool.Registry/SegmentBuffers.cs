namespace OciTool.Registry;

/// <summary>The memory for segments that all blobs of a pull share: who has a buffer may have a connection.</summary>
/// <remarks>Six blobs at once use up the connections by themselves; segments are for the large blob that is left.</remarks>
internal sealed class SegmentBuffers(ParallelRanges ranges)
{
    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _free = new();
    private int _blobs;
    private int _taken;
    private bool _stopped;

    /// <summary>Whether so many buffers are free, and connections with them.</summary>
    internal bool Has(int count)
    {
        lock (_gate)
        {
            return _taken + count <= Limit;
        }
    }

    /// <summary>A buffer, to be given back; null when there is none.</summary>
    internal byte[]? TryTake()
    {
        lock (_gate)
        {
            if (_taken >= Limit)
            {
                return null;
            }

            _taken++;
            return _free.TryPop(out byte[]? buffer) ? buffer : GC.AllocateUninitializedArray<byte>(ranges.SegmentSize);
        }
    }

    /// <summary>Gives a buffer back.</summary>
    internal void Return(byte[] buffer)
    {
        lock (_gate)
        {
            _taken--;
            _free.Push(buffer);
        }
    }

    /// <summary>No more segments in this pull: the server does not like them.</summary>
    internal void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
        }
    }

    /// <summary>Counts the blobs in flight.</summary>
    /// <param name="change">1 for one that begins, -1 for one that ends.</param>
    internal void Count(int change)
    {
        lock (_gate)
        {
            _blobs += change;
        }
    }

    private int Limit => _stopped ? 0 : Math.Clamp(ranges.MaxConnections - _blobs, 0, ranges.MaxSegments);
}
