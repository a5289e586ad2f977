namespace OciTool.Storage.Check;

/// <summary>A finding and the way to mend it.</summary>
/// <param name="Finding">What is wrong.</param>
internal sealed record Damage(StoreFinding Finding)
{
    /// <summary>Mends it; the result is the finding with its outcome. Null when only a pull helps.</summary>
    internal Func<StoreFinding, StoreFinding>? Mend { get; init; }

    /// <summary>In which order it is mended: layers are made of blobs, names lead to both, containers need all.</summary>
    internal RepairOrder Order { get; init; } = RepairOrder.Blobs;

    internal static StoreFinding Mended(StoreFinding finding, string outcome) =>
        finding with { Outcome = outcome, Remains = false };

    internal static StoreFinding Left(StoreFinding finding, string outcome) => finding with { Outcome = outcome };
}

/// <summary>The order of repairs.</summary>
internal enum RepairOrder
{
    /// <summary>The names.</summary>
    Names,

    /// <summary>Layers, while the blobs are there.</summary>
    Layers,

    /// <summary>Blobs.</summary>
    Blobs,

    /// <summary>What is derived from the documents.</summary>
    Facts,

    /// <summary>Containers.</summary>
    Containers,
}
