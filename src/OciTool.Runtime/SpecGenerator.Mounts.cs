using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Mounts, devices and paths out of reach.</summary>
public static partial class SpecGenerator
{
    private static readonly string[] ReadonlyPaths =
        ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    private static readonly DeviceRule[] AllDevices = [new(true) { Access = "rwm" }];

    // any node may be made, but only these may be opened
    private static readonly DeviceRule[] DefaultDevices =
    [
        new(false) { Access = "rwm" },
        new(true) { Type = "c", Access = "m" },
        new(true) { Type = "b", Access = "m" },
        Character(1, 3), // null
        Character(1, 5), // zero
        Character(1, 7), // full
        Character(1, 8), // random
        Character(1, 9), // urandom
        Character(5, 0), // tty
        Character(5, 2), // ptmx
        Character(136, null), // pts
    ];

    private static DeviceRule Character(long major, long? minor) =>
        new(true) { Type = "c", Major = major, Minor = minor, Access = "rwm" };

    private static List<string> MaskedPaths()
    {
        List<string> paths =
        [
            "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
            "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/dev/block", "/sys/devices/virtual/powercap",
            "/sys/firmware", "/sys/fs/selinux",
        ];
        for (int cpu = 0; ; cpu++)
        {
            string directory = $"/sys/devices/system/cpu/cpu{cpu}";
            if (!Directory.Exists(directory))
            {
                return paths;
            }

            if (Directory.Exists($"{directory}/thermal_throttle"))
            {
                paths.Add($"{directory}/thermal_throttle"); // its counters tell what other cores compute
            }
        }
    }

    private static List<DeviceSpec> PrivilegedDevices()
    {
        List<DeviceSpec> devices = [];
        foreach (HostDevice device in HostDevices.List())
        {
            devices.Add(new(device.Path, device.IsBlock ? "b" : "c")
            {
                Major = device.Major,
                Minor = device.Minor,
                FileMode = device.Mode,
                Uid = device.Uid,
                Gid = device.Gid,
            });
        }

        return devices;
    }

    /// <summary>All mounts, parents before what lies in them; a mount of the user's replaces ours at the same place.</summary>
    private static List<MountSpec> Mounts(
        ExecutionConfig? image, RunOptions options, GeneratedFiles files, RootDirectory rootfs, List<string> warnings)
    {
        List<MountSpec> asked = UserMounts(options);
        List<MountSpec> mounts = [];
        foreach (MountSpec mount in KernelMounts(options))
        {
            AddUnlessAsked(mount);
        }

        if (options.ReadOnly)
        {
            AddUnlessAsked(Scratch("/run"));
            AddUnlessAsked(Scratch("/tmp"));
            AddUnlessAsked(Scratch("/var/tmp"));
        }

        AddVolumes();
        foreach (MountSpec mount in files.Mounts())
        {
            // below a directory of the user's our file would need a mount point there, in the host's own tree
            if (!asked.Exists(other => ContainerPath.IsAtOrBelow(mount.Destination, other.Destination)))
            {
                mounts.Add(mount);
            }
        }

        mounts.AddRange(asked);
        return SortByDepth(mounts);

        void AddUnlessAsked(MountSpec mount)
        {
            if (!asked.Exists(other => other.Destination == mount.Destination))
            {
                mounts.Add(mount);
            }
        }

        // A volume that nobody gave a source is the container's own: a directory of its writable layer already is that,
        // with the image's content, and goes when the container goes. Only a read-only root needs something writable.
        void AddVolumes()
        {
            foreach (string path in OwnVolumes(image, options, warnings))
            {
                if (mounts.Exists(mount => ContainerPath.IsAtOrBelow(path, mount.Destination))
                    || asked.Exists(mount => ContainerPath.IsAtOrBelow(path, mount.Destination)))
                {
                    continue;
                }

                if (options.ReadOnly)
                {
                    mounts.Add(Scratch(path));
                }
                else
                {
                    MakeVolume(rootfs, path);
                }
            }
        }
    }

    private static MountSpec Scratch(string path) =>
        new(path) { Type = "tmpfs", Source = "tmpfs", Options = new TmpfsMount(path, []).SpecOptions() };

    private static void MakeVolume(RootDirectory rootfs, string path)
    {
        try
        {
            if (rootfs.KindOf(path) == InRootKind.Absent)
            {
                rootfs.CreateDirectories(path, uid: 0, gid: 0);
            }
        }
        catch (ErrnoException e)
        {
            throw new ContainerSetupException(
                $"cannot make volume \"{Printable.Shorten(path)}\": {ErrnoException.Describe(e.Errno)}", e);
        }
    }

    private static List<string> OwnVolumes(ExecutionConfig? image, RunOptions options, List<string> warnings)
    {
        List<string> paths = [];
        foreach (string path in image?.Volumes?.Keys ?? [])
        {
            try
            {
                paths.Add(ContainerPath.Parse(path));
            }
            catch (OciException e)
            {
                warnings.Add($"the image's volume is ignored: {e.Message}");
            }
        }

        foreach (VolumeMount volume in options.Volumes)
        {
            if (volume.Source is null)
            {
                paths.Add(volume.Destination);
            }
        }

        return paths;
    }

    private static List<MountSpec> UserMounts(RunOptions options)
    {
        List<MountSpec> mounts = [];
        foreach (VolumeMount volume in options.Volumes)
        {
            if (volume.Source is null)
            {
                continue;
            }

            if (!Path.Exists(volume.Source))
            {
                throw new OciException($"statfs {volume.Source}: no such file or directory");
            }

            Add(new(volume.Destination) { Type = "bind", Source = volume.Source, Options = volume.SpecOptions() });
        }

        foreach (TmpfsMount tmpfs in options.Tmpfs)
        {
            Add(new(tmpfs.Destination) { Type = "tmpfs", Source = "tmpfs", Options = tmpfs.SpecOptions() });
        }

        return mounts;

        void Add(MountSpec mount)
        {
            MountSpec? other = mounts.Find(existing => existing.Destination == mount.Destination);
            if (other is null)
            {
                mounts.Add(mount);
            }
            else if (other.Type != mount.Type || other.Source != mount.Source
                || !other.Options!.SequenceEqual(mount.Options!))
            {
                throw new OciException($"{mount.Destination}: duplicate mount destination");
            }
        }
    }

    private static MountSpec[] KernelMounts(RunOptions options) =>
    [
        new("/proc") { Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
        new("/dev")
        {
            Type = "tmpfs",
            Source = "tmpfs",
            Options = ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"],
        },
        new("/sys")
        {
            Type = "sysfs",
            Source = "sysfs",
            Options = ["nosuid", "noexec", "nodev", options.Privileged ? "rw" : "ro"],
        },
        new("/dev/pts")
        {
            Type = "devpts",
            Source = "devpts",
            Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", .. TerminalGroup()],
        },
        new("/dev/shm")
        {
            Type = "tmpfs",
            Source = "shm",
            Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=64000k"],
        },
        new("/dev/mqueue") { Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
        new("/sys/fs/cgroup")
        {
            Type = "cgroup",
            Source = "cgroup",
            Options = ["rprivate", "nosuid", "noexec", "nodev", "relatime", options.Privileged ? "rw" : "ro"],
        },
    ];

    // the group tty owns terminals; a user namespace that lacks it, such as one with a single ID, refuses the option
    private static string[] TerminalGroup() => UserNamespace.HasGroup(5) ? ["gid=5"] : [];

    private static List<MountSpec> SortByDepth(List<MountSpec> mounts)
    {
        List<MountSpec> sorted = new(mounts.Count);
        for (int depth = 1; sorted.Count < mounts.Count; depth++)
        {
            foreach (MountSpec mount in mounts)
            {
                if (mount.Destination.AsSpan().Count('/') == depth)
                {
                    sorted.Add(mount);
                }
            }
        }

        return sorted;
    }
}
