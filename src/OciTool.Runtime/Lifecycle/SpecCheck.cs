using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Refuses what a configuration must not say, and what this runtime does not do, by its name.</summary>
/// <remarks>OCI runtime-spec v1.2, config.md and config-linux.md. Words that stand for numbers are checked where they are turned into them.</remarks>
internal static class SpecCheck
{
    private static readonly string[] IpcParameters =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];

    /// <summary>Checks a configuration.</summary>
    /// <exception cref="OciException">Something is missing, wrong or not supported.</exception>
    public static void Validate(RuntimeSpec spec)
    {
        CheckVersion(spec.OciVersion);
        if (spec.Root is not { Path.Length: > 0 })
        {
            throw new OciException("root.path is missing: the container has no root file system");
        }

        Validate(spec.Process ?? throw new OciException("process property must not be empty"));
        LinuxSpec linux = spec.Linux ?? throw new OciException("linux is missing: this runtime makes Linux containers only");
        NamespaceKinds kinds = NamespaceKinds.None;
        foreach (NamespaceSpec item in linux.Namespaces ?? [])
        {
            kinds |= ContainerNamespaces.KindOf(item.Type);
        }

        Need(spec.Hostname is null or "" || kinds.HasFlag(NamespaceKinds.Uts), "unable to set hostname without a private UTS namespace");
        Need(spec.Domainname is null or "" || kinds.HasFlag(NamespaceKinds.Uts), "unable to set domainname without a private UTS namespace");
        Need(linux.TimeOffsets is not { Count: > 0 } || kinds.HasFlag(NamespaceKinds.Time), "linux.timeOffsets needs a time namespace");
        CheckUsers(linux);
        CheckPaths(spec, linux, kinds.HasFlag(NamespaceKinds.User));
        CheckParameters(linux, kinds, spec.Hostname);
        CheckHooks(spec.Hooks);
        Need(linux.IntelRdt is null, "linux.intelRdt is not supported");
        Need(linux.NetDevices is not { Count: > 0 }, "linux.netDevices is not supported");
        Need(linux.MountLabel is null or "" || Labels.HasSelinux, "linux.mountLabel: SELinux is not enabled on this host");
        foreach (string key in spec.Annotations?.Keys ?? [])
        {
            Need(key.Length > 0, "an annotation must have a key");
        }
    }

    /// <summary>Checks a process.</summary>
    /// <exception cref="OciException">Something is missing, wrong or not supported.</exception>
    public static void Validate(ProcessSpec process)
    {
        Need(process.Cwd.StartsWith('/'), $"process.cwd: '{Printable.Shorten(process.Cwd)}' is not an absolute path");
        Need(process.Args is { Count: > 0 }, "process.args must not be empty");
        Need(process.OomScoreAdj is null or (>= -1000 and <= 1000), "process.oomScoreAdj must be between -1000 and 1000");
        Need(process.User.Umask is null or <= 0x1ff, "process.user.umask must be at most 0777");
        HashSet<string> limits = [];
        foreach (RlimitSpec limit in process.Rlimits ?? [])
        {
            Need(limits.Add(limit.Type), $"process.rlimits: {Printable.Shorten(limit.Type)} is given twice");
            Need(limit.Soft <= limit.Hard, $"process.rlimits: {Printable.Shorten(limit.Type)}: the soft limit is above the hard one");
        }

        foreach (string variable in process.Env ?? [])
        {
            Need(!variable.Contains('\0', StringComparison.Ordinal), "process.env holds a NUL character");
        }

        Need(process.ApparmorProfile is null or "" || Labels.HasApparmor, "process.apparmorProfile: AppArmor is not enabled on this host");
        Need(process.SelinuxLabel is null or "" || Labels.HasSelinux, "process.selinuxLabel: SELinux is not enabled on this host");
    }

    private static void CheckVersion(string version)
    {
        string[] core = version.Split('-', '+')[0].Split('.');
        bool valid = core.Length == 3 && Array.TrueForAll(core, part => uint.TryParse(part, out _));
        Need(valid, $"ociVersion: '{Printable.Shorten(version)}' is not a version");
        Need(core[0] == "1", $"ociVersion: {Printable.Shorten(version)} is not supported, only 1.x is");
    }

    private static void CheckUsers(LinuxSpec linux)
    {
        NamespaceSpec? user = linux.Namespaces?.FirstOrDefault(item => item.Type == "user");
        bool mapped = linux.UidMappings is { Count: > 0 } || linux.GidMappings is { Count: > 0 };
        Need(user is not null || !mapped, "linux.uidMappings and linux.gidMappings need a user namespace");
        Need(
            user is null or { Path.Length: > 0 } || (linux.UidMappings is { Count: > 0 } && linux.GidMappings is { Count: > 0 }),
            "user namespaces enabled, but no uid or gid mappings found");
    }

    private static void CheckPaths(RuntimeSpec spec, LinuxSpec linux, bool hasUsers)
    {
        foreach (MountSpec mount in spec.Mounts ?? [])
        {
            Need(mount.Destination.Length > 0, "mounts: a destination is empty");
            bool mapped = mount.UidMappings is { Count: > 0 } || mount.GidMappings is { Count: > 0 };
            bool bind = mount.Type is null or "bind" || mount.Options?.Any(option => option is "bind" or "rbind") == true;
            Need(!mapped || bind, $"mount {Printable.Shorten(mount.Destination)}: only a bind mount can have mappings");
            Need(
                !mapped || (mount.UidMappings is { Count: > 0 } && mount.GidMappings is { Count: > 0 }),
                $"mount {Printable.Shorten(mount.Destination)}: both uidMappings and gidMappings are needed");
            Need(
                mapped || hasUsers || mount.Options?.Any(option => option is "idmap" or "ridmap") != true,
                $"mount {Printable.Shorten(mount.Destination)}: idmap needs uidMappings and gidMappings, or a user namespace");
        }

        foreach (DeviceSpec device in linux.Devices ?? [])
        {
            Need(device.Path.StartsWith('/'), $"linux.devices: '{Printable.Shorten(device.Path)}' is not an absolute path");
            Need(device.Type == "p" || (device.Major is >= 0 && device.Minor is >= 0), $"linux.devices: {Printable.Shorten(device.Path)} needs major and minor");
        }

        foreach (string path in (linux.MaskedPaths ?? []).Concat(linux.ReadonlyPaths ?? []))
        {
            Need(path.StartsWith('/'), $"linux.maskedPaths, linux.readonlyPaths: '{Printable.Shorten(path)}' is not an absolute path");
        }
    }

    // a parameter that belongs to no namespace of the container is the host's
    private static void CheckParameters(LinuxSpec linux, NamespaceKinds kinds, string? hostname)
    {
        foreach (string written in linux.Sysctl?.Keys ?? [])
        {
            string name = written.Replace('/', '.');
            Need(!name.Contains("..", StringComparison.Ordinal), $"sysctl \"{Printable.Shorten(written)}\" is not a name");
            NamespaceKinds needed =
                Array.IndexOf(IpcParameters, name) >= 0 || name.StartsWith("fs.mqueue.", StringComparison.Ordinal) ? NamespaceKinds.Ipc
                : name.StartsWith("net.", StringComparison.Ordinal) ? NamespaceKinds.Network
                : name.StartsWith("user.", StringComparison.Ordinal) ? NamespaceKinds.User
                : name is "kernel.domainname" or "kernel.hostname" ? NamespaceKinds.Uts
                : throw new OciException($"sysctl \"{Printable.Shorten(written)}\" is not in a separate kernel namespace");
            Need(kinds.HasFlag(needed), $"sysctl \"{Printable.Shorten(written)}\" is not allowed in the hosts namespace");
            Need(name != "kernel.hostname" || hostname is null or "", $"sysctl \"{Printable.Shorten(written)}\" conflicts with hostname");
        }
    }

    private static void CheckHooks(HooksSpec? hooks)
    {
        foreach (HookSpec hook in (hooks?.Prestart ?? []).Concat(hooks?.CreateRuntime ?? []).Concat(hooks?.CreateContainer ?? [])
            .Concat(hooks?.StartContainer ?? []).Concat(hooks?.Poststart ?? []).Concat(hooks?.Poststop ?? []))
        {
            Need(hook.Path.StartsWith('/'), $"hooks: '{Printable.Shorten(hook.Path)}' is not an absolute path");
            Need(hook.Timeout is null or > 0, $"hooks: {Printable.Shorten(hook.Path)}: the timeout must be greater than zero");
        }
    }

    private static void Need(bool holds, string message)
    {
        if (!holds)
        {
            throw new OciException(message);
        }
    }
}
