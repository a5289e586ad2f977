using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Everything that a container is started from.</summary>
public sealed record ContainerLaunch
{
    /// <summary>The container's ID.</summary>
    public required string Id { get; init; }

    /// <summary>What to run and how; users are numbers already.</summary>
    public required RuntimeSpec Spec { get; init; }

    /// <summary>The root file system: a mount that is attached nowhere (<see cref="DetachedMount"/>); stays the caller's.</summary>
    public required RootDirectory Rootfs { get; init; }

    /// <summary>The compiled system call filter, 8 bytes an instruction; null for none.</summary>
    public byte[]? SeccompProgram { get; init; }

    /// <summary>The container's cgroup, made already; stays the caller's.</summary>
    public Cgroup? Cgroup { get; init; }

    /// <summary>Whether signals that we get go to the container.</summary>
    public bool SignalProxy { get; init; } = true;

    /// <summary>A static program of the host that runs as process 1 and reaps what the command leaves; null for none.</summary>
    public string? InitBinary { get; init; }

    /// <summary>Told the process ID once the container's command runs.</summary>
    public Action<int>? Started { get; init; }
}
