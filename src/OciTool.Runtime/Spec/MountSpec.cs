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

    /// <summary>How user IDs of the mounted files are shown, for an ID-mapped mount.</summary>
    public IReadOnlyList<IdMappingSpec>? UidMappings { get; init; }

    /// <summary>How group IDs of the mounted files are shown, for an ID-mapped mount.</summary>
    public IReadOnlyList<IdMappingSpec>? GidMappings { get; init; }
}

/// <summary>A range of IDs that stands for another.</summary>
/// <param name="ContainerID">The first ID inside.</param>
/// <param name="HostID">The first ID outside.</param>
/// <param name="Size">How many.</param>
public sealed record IdMappingSpec(uint ContainerID, uint HostID, uint Size);
