using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using OciTool.Runtime.Users;

namespace OciTool.Runtime;

/// <summary>A container's configuration, complete and in numbers.</summary>
/// <param name="Spec">What the runner carries out; its system call filter is in <see cref="Seccomp"/>.</param>
/// <param name="Warnings">What the user should know; safe to print.</param>
public sealed record GeneratedSpec(RuntimeSpec Spec, IReadOnlyList<string> Warnings)
{
    /// <summary>The system call filter, not yet read nor compiled; null for none.</summary>
    public SeccompSelection? Seccomp { get; init; }
}

/// <summary>Turns an image's configuration and the user's flags into a runtime configuration.</summary>
/// <remarks>
/// OCI image-spec v1.1, conversion.md. It runs before anything is cloned: names are looked up, directories made and
/// files generated through the descriptor of the root, so that the process in the container needs none of that.
/// An image's labels are not made annotations: no text of an image may become a key of ours (CVE-2026-53488).
/// </remarks>
public static partial class SpecGenerator
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const long DefaultPidsLimit = 2048;
    private const uint Umask = 0x12; // 0022

    // what containers-common asks for where the host can give it
    private const ulong DefaultFiles = 1048576;
    private const ulong DefaultProcesses = 4194304;

    /// <summary>Generates the configuration.</summary>
    /// <param name="containerId">The container's ID, 64 hexadecimal digits.</param>
    /// <param name="containerName">The container's name.</param>
    /// <param name="image">The image's configuration.</param>
    /// <param name="options">The user's flags.</param>
    /// <param name="rootfs">The container's root, writable: missing directories are made in it.</param>
    /// <param name="containerDirectory">An existing directory of the host, for the generated <c>hosts</c>, <c>hostname</c>, ….</param>
    /// <exception cref="OciException">A flag or the image's configuration cannot be carried out.</exception>
    public static GeneratedSpec Generate(
        string containerId,
        string containerName,
        ImageConfig image,
        RunOptions options,
        RootDirectory rootfs,
        string containerDirectory)
    {
        List<string> warnings = [];
        ulong held = HeldCapabilities.Read();
        IReadOnlyList<string> arguments = ContainerCommand.Resolve(image.Config, options);
        ContainerUser user = UserLookup.Resolve(options.User ?? image.Config?.User ?? "", options.GroupAdd, rootfs);
        CapabilitiesSpec capabilities = ContainerCapabilities.Resolve(options, user.Uid, held, warnings);
        string hostname = Hostname(options, containerId);
        string workingDirectory = WorkingDirectory(image.Config, options);
        GeneratedFiles files = new(containerDirectory, containerId, containerName, hostname, options);

        bool addsUser = files.AddAccounts(user, rootfs, workingDirectory);
        List<MountSpec> mounts = Mounts(image.Config, options, files, rootfs, warnings);
        PrepareWorkingDirectory(workingDirectory, options, user, mounts, rootfs, containerId);
        EnvironmentVariables environment = Environment(
            image.Config, options, hostname, addsUser ? workingDirectory : user.Home, warnings);

        RuntimeSpec spec = new(RuntimeSpec.Version)
        {
            Process = new(workingDirectory, new(user.Uid, user.Gid) { Umask = Umask, AdditionalGids = user.AdditionalGids })
            {
                Terminal = options.Terminal ? true : null,
                Args = arguments,
                Env = environment.Variables,
                Capabilities = capabilities,
                Rlimits = Rlimits(options, held, warnings),
                NoNewPrivileges = options.NoNewPrivileges ? true : null,
            },
            Root = new("rootfs") { Readonly = options.ReadOnly ? true : null },
            Hostname = hostname,
            Mounts = mounts,
            Annotations = options.Annotations.Count > 0 ? options.Annotations : null,
            Linux = Linux(containerId, options),
        };
        return new(spec, warnings)
        {
            Seccomp = SeccompSelection.Choose(
                options.SeccompProfile, options.Privileged, capabilities.Bounding ?? []),
        };
    }

    private static string Hostname(RunOptions options, string containerId)
    {
        if (options.Hostname is not { } hostname)
        {
            // the UTS namespace is the container's own, but on the host's network a name of the host's is expected
            return options.Network == NetworkMode.Host
                ? File.ReadAllText("/proc/sys/kernel/hostname").Trim()
                : containerId[..Math.Min(12, containerId.Length)];
        }

        bool valid = hostname.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(hostname[0]);
        foreach (char c in hostname)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_';
        }

        return valid ? hostname : throw new OciException($"invalid hostname '{Printable.Shorten(hostname)}'");
    }

    private static EnvironmentVariables Environment(
        ExecutionConfig? image, RunOptions options, string hostname, string home, List<string> warnings)
    {
        EnvironmentVariables environment = new(System.Environment.GetEnvironmentVariable, HostNames);
        environment.Set("PATH", DefaultPath);
        environment.Set("TERM", "xterm");
        environment.Set("container", "oci"); // systemd and others look for the name, whatever its value
        environment.Set("HOME", home);
        environment.Set("HOSTNAME", hostname);
        environment.AddImage(image?.Env, warnings);
        foreach (string file in options.EnvFiles)
        {
            environment.AddFile(file);
        }

        foreach (string variable in options.Env)
        {
            environment.AddUser(variable);
        }

        return environment;
    }

    private static IEnumerable<string> HostNames()
    {
        foreach (object name in System.Environment.GetEnvironmentVariables().Keys)
        {
            yield return (string)name;
        }
    }

    private static List<RlimitSpec> Rlimits(RunOptions options, ulong held, List<string> warnings)
    {
        bool mayRaise = (held & ContainerCapabilities.SysResource) != 0;
        List<RlimitSpec> limits =
        [
            Default("RLIMIT_NOFILE", DefaultFiles),
            Default("RLIMIT_NPROC", DefaultProcesses),
            new("RLIMIT_CORE", 0, Hard("RLIMIT_CORE")),
        ];
        foreach (RlimitSpec asked in options.Ulimits)
        {
            limits.RemoveAll(limit => limit.Type == asked.Type);
            ulong hard = mayRaise ? asked.Hard : Math.Min(asked.Hard, Hard(asked.Type));
            if (hard < asked.Hard)
            {
                warnings.Add($"{asked.Type}: this process may not raise it beyond {hard}: limited to that");
            }

            limits.Add(new(asked.Type, Math.Min(asked.Soft, hard), hard));
        }

        return limits;

        RlimitSpec Default(string type, ulong wished)
        {
            ulong limit = mayRaise ? wished : Math.Min(wished, Hard(type));
            return new(type, limit, limit);
        }

        static ulong Hard(string type) => HeldLimits.Hard(Ulimit.NumberOf(type));
    }

    private static LinuxSpec Linux(string containerId, RunOptions options)
    {
        List<NamespaceSpec> namespaces = [new("pid"), new("ipc"), new("uts"), new("mount"), new("cgroup")];
        if (options.Network == NetworkMode.None)
        {
            namespaces.Add(new("network"));
        }

        return new()
        {
            Namespaces = namespaces,
            Devices = options.Privileged ? PrivilegedDevices() : null,
            CgroupsPath = $"/oci/{containerId}",
            Resources = new()
            {
                Devices = options.Privileged ? AllDevices : DefaultDevices,
                Pids = new(DefaultPidsLimit),
            },
            Sysctl = options.Network == NetworkMode.None
                ? new Dictionary<string, string> { ["net.ipv4.ping_group_range"] = "0 0" }
                : null,
            MaskedPaths = options.Privileged ? null : MaskedPaths(),
            ReadonlyPaths = options.Privileged ? null : ReadonlyPaths,
        };
    }

    private static string WorkingDirectory(ExecutionConfig? image, RunOptions options)
    {
        string path = options.WorkingDirectory is { Length: > 0 } asked ? asked
            : image?.WorkingDir is { Length: > 0 } wished ? wished
            : "/";
        return path.Contains('\0', StringComparison.Ordinal)
            ? throw new ContainerSetupException($"workdir \"{Printable.Shorten(path)}\" contains a NUL byte")
            : ContainerPath.Clean(path);
    }

    /// <summary>Makes the image's working directory where it is missing; the user's own must be there.</summary>
    private static void PrepareWorkingDirectory(
        string path, RunOptions options, ContainerUser user, List<MountSpec> mounts, RootDirectory rootfs, string containerId)
    {
        foreach (MountSpec mount in mounts)
        {
            if (ContainerPath.IsAtOrBelow(path, mount.Destination))
            {
                return; // what is there now will be covered
            }
        }

        try
        {
            switch (rootfs.KindOf(path))
            {
                case InRootKind.Directory:
                    return;
                case InRootKind.Absent when string.IsNullOrEmpty(options.WorkingDirectory):
                    rootfs.CreateDirectories(path, user.Uid, user.Gid);
                    return;
                case InRootKind.Absent:
                    throw new ContainerSetupException(
                        $"workdir \"{Printable.Shorten(options.WorkingDirectory)}\" does not exist on container {containerId}");
                default:
                    throw new ContainerSetupException(
                        $"workdir \"{Printable.Shorten(path)}\" exists on container {containerId}, but is not a directory");
            }
        }
        catch (ErrnoException e)
        {
            throw new ContainerSetupException(
                $"cannot make workdir \"{Printable.Shorten(path)}\" on container {containerId}: {ErrnoException.Describe(e.Errno)}", e);
        }
    }
}
