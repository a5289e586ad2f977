namespace OciTool.Runtime.Spec;

/// <summary>Limits, as far as <c>oci run</c> sets them.</summary>
public sealed record ResourcesSpec
{
    /// <summary>The device rules, in order.</summary>
    public IReadOnlyList<DeviceRule>? Devices { get; init; }

    /// <summary>The limit on processes.</summary>
    public PidsResource? Pids { get; init; }
}

/// <summary>Allows or denies the use of devices.</summary>
/// <param name="Allow">Whether it allows.</param>
public sealed record DeviceRule(bool Allow)
{
    /// <summary><c>a</c>, <c>c</c> or <c>b</c>; all where absent.</summary>
    public string? Type { get; init; }

    /// <summary>The major number; all where absent.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number; all where absent.</summary>
    public long? Minor { get; init; }

    /// <summary>Letters of <c>rwm</c>.</summary>
    public string? Access { get; init; }
}

/// <summary>The limit on processes.</summary>
/// <param name="Limit">The most processes and threads.</param>
public sealed record PidsResource(long Limit);
