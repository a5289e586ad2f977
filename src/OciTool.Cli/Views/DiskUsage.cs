namespace OciTool.Cli.Views;

/// <summary>A row of <c>system df</c>.</summary>
internal sealed record DiskUsage
{
    /// <summary>What the row is about.</summary>
    public string Type { get; init; } = "";

    /// <summary>How many there are.</summary>
    public int Total { get; init; }

    /// <summary>How many of them are in use.</summary>
    public int Active { get; init; }

    /// <summary>Their size in bytes.</summary>
    public long RawSize { get; init; }

    /// <summary>How many bytes of it prune would remove.</summary>
    public long RawReclaimable { get; init; }

    /// <summary>The same as <see cref="Total"/>.</summary>
    public int TotalCount { get; init; }

    /// <summary>Their size for people.</summary>
    public string Size { get; init; } = "";

    /// <summary>What prune would remove, for people.</summary>
    public string Reclaimable { get; init; } = "";
}
