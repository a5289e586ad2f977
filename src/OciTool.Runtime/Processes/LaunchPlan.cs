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

    /// <summary>Makes the plan.</summary>
    /// <param name="launch">The launch.</param>
    /// <exception cref="OciException">The spec asks for what is not known or not supported.</exception>
    public static InitPlan From(ContainerLaunch launch)
    {
        RuntimeSpec spec = launch.Spec;
        ProcessSpec process = spec.Process ?? throw new OciException("the container has no process");
        if (process.Args is not { Count: > 0 } arguments)
        {
            throw new OciException("no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
        }

        List<PlannedMount> mounts = [];
        for (int i = 0; i < spec.Mounts?.Count; i++)
        {
            mounts.Add(PlannedMount.From(spec.Mounts[i]));
        }

        if (launch.InitBinary is { } binary)
        {
            mounts.Add(new(InitBinaryPath, "bind", binary) { Set = MountAttributes.ReadOnly });
            arguments = [InitBinaryPath, "--", .. arguments];
        }

        return new()
        {
            Id = launch.Id,
            CgroupFiles = launch.Cgroup?.EntranceFiles ?? [],
            Arguments = arguments,
            Environment = process.Env ?? [],
            Directory = process.Cwd,
            Namespaces = Kinds(spec.Linux?.Namespaces ?? []),
            HostName = spec.Hostname,
            DomainName = spec.Domainname,
            Mounts = mounts,
            Devices = Devices(spec.Linux?.Devices ?? []),
            MaskedPaths = spec.Linux?.MaskedPaths ?? [],
            ReadonlyPaths = spec.Linux?.ReadonlyPaths ?? [],
            Parameters = spec.Linux?.Sysctl is { } parameters ? [.. parameters] : [],
            ReadonlyRoot = spec.Root?.Readonly ?? false,
            RootPropagation = Propagation(spec.Linux?.RootfsPropagation),
            User = process.User.Uid,
            Group = process.User.Gid,
            Groups = process.User.AdditionalGids ?? [],
            FileMask = process.User.Umask ?? 0x12, // 0022
            Limits = Limits(process.Rlimits ?? []),
            Capabilities = new(
                Set(process.Capabilities?.Bounding),
                Set(process.Capabilities?.Effective),
                Set(process.Capabilities?.Permitted),
                Set(process.Capabilities?.Inheritable),
                Set(process.Capabilities?.Ambient)),
            NoNewPrivileges = process.NoNewPrivileges ?? false,
            Filter = launch.SeccompProgram ?? [],
            OomScoreAdjustment = process.OomScoreAdj,
        };
    }

    private static NamespaceKinds Kinds(IReadOnlyList<NamespaceSpec> namespaces)
    {
        NamespaceKinds kinds = NamespaceKinds.None;
        for (int i = 0; i < namespaces.Count; i++)
        {
            if (namespaces[i].Path is { Length: > 0 } path)
            {
                throw new OciException(
                    $"cannot join the {Printable.Shorten(namespaces[i].Type)} namespace {Printable.Shorten(path)}: not supported yet");
            }

            kinds |= namespaces[i].Type switch
            {
                "mount" => NamespaceKinds.Mount,
                "pid" => NamespaceKinds.Pid,
                "ipc" => NamespaceKinds.Ipc,
                "uts" => NamespaceKinds.Uts,
                "network" => NamespaceKinds.Network,
                "cgroup" => NamespaceKinds.Cgroup,
                string other => throw new OciException($"{Printable.Shorten(other)} namespaces are not supported yet"),
            };
        }

        return kinds.HasFlag(NamespaceKinds.Mount | NamespaceKinds.Pid)
            ? kinds
            : throw new OciException("a container without mount and pid namespaces of its own is not supported");
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
        null or "slave" or "rslave" => MountPropagation.Slave,
        "private" or "rprivate" => MountPropagation.Private,
        "shared" or "rshared" => MountPropagation.Shared,
        "unbindable" or "runbindable" => MountPropagation.Unbindable,
        _ => throw new OciException($"unknown propagation of the root file system '{Printable.Shorten(word)}'"),
    };
}
