namespace OciTool.Registry;

/// <summary>When a blob is fetched over several connections at once, and how; the defaults are measured (ADR 13).</summary>
internal sealed record ParallelRanges
{
    /// <summary>How much of a blob must be missing, in bytes.</summary>
    public long MinRest { get; init; } = 16 << 20;

    /// <summary>How long its one connection is watched.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>At how many bytes a second a connection is not slow any more.</summary>
    public double FastEnough { get; init; } = 40e6;

    /// <summary>How much one request asks for, in bytes; this much memory belongs to each.</summary>
    public int SegmentSize { get; init; } = 4 << 20;

    /// <summary>How many requests there are at most at the same time, for all blobs of a pull.</summary>
    public int MaxSegments { get; init; } = 4;

    /// <summary>After how many segments several connections are compared with the one before, and given up if that was faster.</summary>
    public int Trial { get; init; } = 8;

    /// <summary>How many connections a pull has at most, when its last blobs share what the first ones gave back.</summary>
    public int MaxConnections { get; init; } = 7;
}
