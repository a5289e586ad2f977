namespace OciTool.Runtime.Spec;

/// <summary>The container's process.</summary>
/// <param name="Cwd">The working directory; absolute.</param>
/// <param name="User">Whom it runs as.</param>
public sealed record ProcessSpec(string Cwd, UserSpec User)
{
    /// <summary>Whether it gets a terminal.</summary>
    public bool? Terminal { get; init; }

    /// <summary>The terminal's size, in characters.</summary>
    public ConsoleSize? ConsoleSize { get; init; }

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>The environment, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The five capability sets, by names such as <c>CAP_CHOWN</c>.</summary>
    public CapabilitiesSpec? Capabilities { get; init; }

    /// <summary>Resource limits.</summary>
    public IReadOnlyList<RlimitSpec>? Rlimits { get; init; }

    /// <summary>Whether execve may no longer grant privileges.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <summary>Adjusts what the kernel kills first when memory runs out.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>The priority of its input and output.</summary>
    public IoPrioritySpec? IoPriority { get; init; }

    /// <summary>How it is scheduled.</summary>
    public SchedulerSpec? Scheduler { get; init; }

    /// <summary>On which processors a process that joins the container runs.</summary>
    public ProcessorAffinitySpec? ExecCPUAffinity { get; init; }

    /// <summary>The AppArmor profile.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>The SELinux label.</summary>
    public string? SelinuxLabel { get; init; }
}

/// <summary>A terminal's size, in characters.</summary>
public sealed record ConsoleSize(uint Height, uint Width);

/// <summary>Whom a process runs as.</summary>
/// <param name="Uid">The user ID inside the container.</param>
/// <param name="Gid">The group ID inside the container.</param>
public sealed record UserSpec(uint Uid, uint Gid)
{
    /// <summary>The file mode creation mask.</summary>
    public uint? Umask { get; init; }

    /// <summary>Additional groups.</summary>
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
}

/// <summary>The capability sets of a process.</summary>
public sealed record CapabilitiesSpec
{
    /// <summary>The most that it may ever have.</summary>
    public IReadOnlyList<string>? Bounding { get; init; }

    /// <summary>What it has.</summary>
    public IReadOnlyList<string>? Effective { get; init; }

    /// <summary>What files may pass on.</summary>
    public IReadOnlyList<string>? Inheritable { get; init; }

    /// <summary>What it may make effective.</summary>
    public IReadOnlyList<string>? Permitted { get; init; }

    /// <summary>What survives execve of an ordinary file.</summary>
    public IReadOnlyList<string>? Ambient { get; init; }
}

/// <summary>A resource limit.</summary>
/// <param name="Type">For example <c>RLIMIT_NOFILE</c>.</param>
/// <param name="Soft">The limit in force.</param>
/// <param name="Hard">The ceiling of the soft limit.</param>
public sealed record RlimitSpec(string Type, ulong Soft, ulong Hard);

/// <summary>The priority of input and output.</summary>
/// <param name="Class"><c>IOPRIO_CLASS_RT</c>, <c>IOPRIO_CLASS_BE</c> or <c>IOPRIO_CLASS_IDLE</c>.</param>
/// <param name="Priority">0, the highest, to 7.</param>
public sealed record IoPrioritySpec(string Class, int Priority);

/// <summary>How a process is scheduled: sched_setattr(2).</summary>
/// <param name="Policy">For example <c>SCHED_BATCH</c>.</param>
public sealed record SchedulerSpec(string Policy)
{
    /// <summary>The nice value of <c>SCHED_OTHER</c> and <c>SCHED_BATCH</c>.</summary>
    public int? Nice { get; init; }

    /// <summary>The priority of <c>SCHED_FIFO</c> and <c>SCHED_RR</c>.</summary>
    public int? Priority { get; init; }

    /// <summary>Such as <c>SCHED_FLAG_RESET_ON_FORK</c>.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>Nanoseconds of <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Runtime { get; init; }

    /// <summary>Nanoseconds of <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Deadline { get; init; }

    /// <summary>Nanoseconds of <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Period { get; init; }
}

/// <summary>On which processors a process runs, as lists such as <c>0-2,7</c>.</summary>
public sealed record ProcessorAffinitySpec
{
    /// <summary>While it is started.</summary>
    public string? Initial { get; init; }

    /// <summary>From the moment on that it is in its cgroup.</summary>
    public string? Final { get; init; }
}
