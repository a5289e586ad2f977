namespace OciTool.Runtime.Spec;

/// <summary>A mount.</summary>
/// <param name="Destination">Where, inside the container; absolute.</param>
public sealed record MountSpec(string Destination)
{
    /// <summary>The file system's type, or <c>bind</c>.</summary>
    public string? Type { get; init; }

    /// <summary>What is mounted; for a bind mount relative to the bundle.</summary>
    public string? Source { get; init; }

    /// <summary>Options as in fstab(5).</summary>
    public IReadOnlyList<string>? Options { get; init; }
}
