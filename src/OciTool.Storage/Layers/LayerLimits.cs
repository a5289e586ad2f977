using OciTool.Images;

namespace OciTool.Storage.Layers;

/// <summary>What a layer may cost at most.</summary>
public sealed record LayerLimits
{
    /// <summary>The most entries of the archive.</summary>
    public long MaxEntries { get; init; } = 10_000_000;

    /// <summary>The most components of an entry's path.</summary>
    public int MaxPathDepth { get; init; } = 1000;

    /// <summary>The most uncompressed bytes; null for the free space of the target's file system less 5 percent.</summary>
    public long? MaxBytes { get; init; }
}
