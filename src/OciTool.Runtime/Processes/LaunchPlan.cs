using System.Globalization;
using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Processes;

/// <summary>Turns a launch into the plan of its init process: all words become numbers, and what is wrong is found here.</summary>
internal static class LaunchPlan
{
    /// <summary>Where the init binary of <c>--init</c> is bound.</summary>
    private const string InitBinaryPath = "/run/podman-init";

    private static readonly string[] LimitNames =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
        "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    private static readonly string[] Policies =
        ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    private static readonly string[] ScheduleFlags =
    [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
        "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ];

    /// <summary>Makes the plan of a container's first process: what comes with descriptors is not in it yet.</summary>
    /// <param name="id">The container's ID.</param>
    /// <param name="spec">Its configuration.</param>
    /// <exception cref="OciException">The spec asks for what is not known or not supported.</exception>
    public static InitPlan From(string id, RuntimeSpec spec)
    {
        ProcessSpec process = spec.Process ?? throw new OciException("the container has no process");
        LinuxSpec linux = spec.Linux ?? new();
        NamespaceKinds kinds = NewKinds(linux.Namespaces ?? [], out bool ownMounts);
        if (!ownMounts)
        {
            throw new OciException("a container without a mount namespace of its own is not supported");
        }

        PlannedMount[] mounts = new PlannedMount[spec.Mounts?.Count ?? 0];
        for (int i = 0; i < mounts.Length; i++)
        {
            mounts[i] = PlannedMount.From(spec.Mounts![i]);
        }

        return From(id, process) with
        {
            Namespaces = kinds & ~(NamespaceKinds.Pid | NamespaceKinds.User),
            TimeOffsets = kinds.HasFlag(NamespaceKinds.Time) ? Offsets(linux.TimeOffsets) : "",
            HostName = spec.Hostname is { Length: > 0 } host ? host : null,
            DomainName = spec.Domainname is { Length: > 0 } domain ? domain : null,
            Mounts = mounts,
            Devices = Devices(linux.Devices ?? []),
            MaskedPaths = linux.MaskedPaths ?? [],
            ReadonlyPaths = linux.ReadonlyPaths ?? [],
            Parameters = linux.Sysctl is { } parameters ? [.. parameters] : [],
            ReadonlyRoot = spec.Root?.Readonly ?? false,
            RootPropagation = Propagation(linux.RootfsPropagation),
            Personality = linux.Personality is { } personality ? PersonalityOf(personality) : null,
        };
    }

    /// <summary>Makes the plan of a process, as far as the process itself goes.</summary>
    /// <param name="id">The container's ID.</param>
    /// <param name="process">The process.</param>
    /// <exception cref="OciException">It asks for what is not known or not supported.</exception>
    public static InitPlan From(string id, ProcessSpec process) => new()
    {
        Id = id,
        Arguments = process.Args is { Count: > 0 } arguments
            ? arguments
            : throw new OciException("no command or entrypoint provided, and no CMD or ENTRYPOINT from image"),
        Environment = process.Env ?? [],
        Directory = process.Cwd,
        User = process.User.Uid,
        Group = process.User.Gid,
        Groups = process.User.AdditionalGids ?? [],
        KeepsGroups = UserNamespace.DeniesGroups(),
        FileMask = process.User.Umask ?? 0x12, // 0022
        Limits = Limits(process.Rlimits ?? []),
        InputOutputPriority = process.IoPriority is { } priority ? PriorityOf(priority) : null,
        Schedule = process.Scheduler is { } scheduler ? ScheduleOf(scheduler) : null,
        Capabilities = new(
            Set(process.Capabilities?.Bounding),
            Set(process.Capabilities?.Effective),
            Set(process.Capabilities?.Permitted),
            Set(process.Capabilities?.Inheritable),
            Set(process.Capabilities?.Ambient)),
        NoNewPrivileges = process.NoNewPrivileges ?? false,
    };

    /// <summary>The plan with a program in front of the command that reaps what it leaves.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="binary">A static program of the host.</param>
    public static InitPlan WithInitBinary(InitPlan plan, string binary) => plan with
    {
        Mounts = [.. plan.Mounts, new(InitBinaryPath, "bind", binary) { Set = MountAttributes.ReadOnly }],
        Arguments = [InitBinaryPath, "--", .. plan.Arguments],
    };

    private static NamespaceKinds NewKinds(IReadOnlyList<NamespaceSpec> namespaces, out bool ownMounts)
    {
        NamespaceKinds kinds = NamespaceKinds.None;
        ownMounts = false;
        for (int i = 0; i < namespaces.Count; i++)
        {
            NamespaceKinds kind = ContainerNamespaces.KindOf(namespaces[i].Type);
            ownMounts |= kind == NamespaceKinds.Mount;
            kinds |= namespaces[i].Path is { Length: > 0 } ? NamespaceKinds.None : kind;
        }

        return kinds;
    }

    private static string Offsets(IReadOnlyDictionary<string, TimeOffsetSpec>? offsets)
    {
        StringBuilder lines = new();
        foreach ((string clock, TimeOffsetSpec offset) in offsets ?? new Dictionary<string, TimeOffsetSpec>())
        {
            lines.Append(clock is "monotonic" or "boottime"
                ? string.Create(CultureInfo.InvariantCulture, $"{clock} {offset.Secs} {offset.Nanosecs}\n")
                : throw new OciException($"linux.timeOffsets: unknown clock '{Printable.Shorten(clock)}'"));
        }

        return lines.ToString();
    }

    private static int PersonalityOf(PersonalitySpec personality) => personality switch
    {
        { Flags.Count: > 0 } => throw new OciException("linux.personality.flags are not supported"),
        { Domain: "LINUX" } => 0,
        { Domain: "LINUX32" } => 8,
        _ => throw new OciException($"linux.personality: unknown domain '{Printable.Shorten(personality.Domain)}'"),
    };

    private static int PriorityOf(IoPrioritySpec priority)
    {
        int kind = Array.IndexOf(["IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"], priority.Class);
        return kind > 0 && priority.Priority is >= 0 and <= 7
            ? (kind << 13) | priority.Priority
            : throw new OciException($"process.ioPriority: invalid {Printable.Shorten(priority.Class)} {priority.Priority}");
    }

    private static PlannedSchedule ScheduleOf(SchedulerSpec scheduler)
    {
        int policy = Array.IndexOf(Policies, scheduler.Policy);
        if (policy < 0)
        {
            throw new OciException($"process.scheduler: unknown policy '{Printable.Shorten(scheduler.Policy)}'");
        }

        ulong flags = 0;
        foreach (string flag in scheduler.Flags ?? [])
        {
            int bit = Array.IndexOf(ScheduleFlags, flag);
            flags |= bit >= 0 ? 1UL << bit : throw new OciException($"process.scheduler: unknown flag '{Printable.Shorten(flag)}'");
        }

        return new(policy, flags, scheduler.Nice ?? 0, scheduler.Priority ?? 0, scheduler.Runtime ?? 0, scheduler.Deadline ?? 0, scheduler.Period ?? 0);
    }

    private static PlannedDevice[] Devices(IReadOnlyList<DeviceSpec> devices)
    {
        PlannedDevice[] planned = new PlannedDevice[devices.Count];
        for (int i = 0; i < planned.Length; i++)
        {
            DeviceSpec device = devices[i];
            planned[i] = device.Type is "c" or "u" or "b" or "p"
                ? new(device.Path, device.Type, (uint)(device.Major ?? 0), (uint)(device.Minor ?? 0),
                    (device.FileMode ?? 0x1b6) & 0xfff, device.Uid ?? 0, device.Gid ?? 0) // 0666
                : throw new OciException(
                    $"device {Printable.Shorten(device.Path)}: unknown type '{Printable.Shorten(device.Type)}'");
        }

        return planned;
    }

    private static PlannedLimit[] Limits(IReadOnlyList<RlimitSpec> limits)
    {
        PlannedLimit[] planned = new PlannedLimit[limits.Count];
        for (int i = 0; i < planned.Length; i++)
        {
            int resource = Array.IndexOf(LimitNames, limits[i].Type);
            planned[i] = resource >= 0
                ? new(resource, limits[i].Soft, limits[i].Hard)
                : throw new OciException($"unknown resource limit '{Printable.Shorten(limits[i].Type)}'");
        }

        return planned;
    }

    private static CapabilitySet Set(IReadOnlyList<string>? names)
    {
        CapabilitySet set = default;
        for (int i = 0; i < names?.Count; i++)
        {
            if (!set.TryAdd(names[i], out set))
            {
                throw new OciException($"unknown capability '{Printable.Shorten(names[i])}'");
            }
        }

        return set;
    }

    private static MountPropagation Propagation(string? word) => word switch
    {
        null or "" => MountPropagation.Unchanged,
        "slave" or "rslave" => MountPropagation.Slave,
        "private" or "rprivate" => MountPropagation.Private,
        "shared" or "rshared" => MountPropagation.Shared,
        "unbindable" or "runbindable" => MountPropagation.Unbindable,
        _ => throw new OciException($"unknown propagation of the root file system '{Printable.Shorten(word)}'"),
    };
}
