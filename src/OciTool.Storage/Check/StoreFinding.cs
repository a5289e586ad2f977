namespace OciTool.Storage.Check;

/// <summary>Something in a store that is not as it should be.</summary>
/// <param name="Kind">What sort of damage, for example <c>blob damaged</c>.</param>
/// <param name="Target">What is damaged: a digest, a file below the store, a container or an image.</param>
/// <param name="What">What is wrong with it, a clause for people.</param>
public sealed record StoreFinding(string Kind, string Target, string What)
{
    /// <summary>What was done about it; null when nothing was.</summary>
    public string? Outcome { get; init; }

    /// <summary>Whether the store is still less than it should be.</summary>
    public bool Remains { get; init; } = true;
}

/// <summary>What a check looks at and what it may do.</summary>
public sealed record StoreCheckOptions
{
    /// <summary>Leaves out what takes long: hashing layers and comparing them with their blobs.</summary>
    public bool Quick { get; init; }

    /// <summary>Repairs what can be repaired without a network.</summary>
    public bool Repair { get; init; }

    /// <summary>Also removes containers that cannot be repaired, and replaces layers below running ones.</summary>
    public bool Force { get; init; }

    /// <summary>From which age on content counts as damage that no image needs: younger content may be of a pull that goes on.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(24);
}
