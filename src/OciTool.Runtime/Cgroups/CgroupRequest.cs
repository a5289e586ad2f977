using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>What a container's control groups are made from.</summary>
/// <param name="ContainerId">The container's ID.</param>
public sealed record CgroupRequest(string ContainerId)
{
    /// <summary>
    /// <c>linux.cgroupsPath</c>: an absolute path is below the hierarchies' roots, a relative one below the caller's
    /// own groups (with cgroup v2 beside its group, which has processes in it). Null is <c>/oci/ID</c>. For systemd it is
    /// <c>SLICE:PREFIX:NAME</c>.
    /// </summary>
    public string? Path { get; init; }

    /// <summary>The limits.</summary>
    public ResourcesSpec? Resources { get; init; }

    /// <summary>Whether systemd makes the group.</summary>
    public bool Systemd { get; init; }

    /// <summary>The process that systemd makes its scope around: it has none without a process. 0 is the caller.</summary>
    public int Pid { get; init; }

    /// <summary>
    /// Whether a limit that cannot be set is a warning. Only the groups that limits need are then made, and the devices that
    /// every container has (<see cref="DeviceRules.Default"/>) are in the rules already.
    /// </summary>
    public bool BestEffort { get; init; }
}
