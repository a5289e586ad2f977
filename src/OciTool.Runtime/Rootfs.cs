using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Processes;

namespace OciTool.Runtime;

/// <summary>The container's root as its init process sets it up: every place is found below the root's descriptor.</summary>
internal sealed partial class Rootfs(RootDirectory root, InitPlan plan, IReadOnlyList<SafeFileHandle> descriptors) : IDisposable
{
    // what lxcfs serves; anything else mounted in /proc could fool the container's programs, or ours
    private static readonly string[] AllowedInProc =
    [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg", "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    ];

    private SafeFileHandle? _devices; // the tmpfs that we mounted on /dev, if we did
    private SafeFileHandle? _terminals; // the devpts that we mounted on /dev/pts
    private bool _devicesAreReadOnly;

    /// <summary>The lines of /proc/self/cgroup, read before the cgroup namespace hid where this process is on the host.</summary>
    public string[] HostCgroupPaths { get; set; } = [];

    /// <summary>Puts the root into this mount namespace, out of sight: on top of <c>/</c>, beneath which we keep looking.</summary>
    public void Attach()
    {
        // with "shared" the host is to see what is mounted below the root: then only the place where that lies is cut off
        bool shared = plan.RootPropagation == MountPropagation.Shared;
        Mounts.SetPropagation(null, shared ? MountPropagation.Private : MountPropagation.Slave, recursive: !shared);
        Mounts.Attach(root.Handle, target: null, "rootfs");
    }

    /// <summary>Makes a mount of the spec.</summary>
    public void Mount(PlannedMount mount)
    {
        switch (mount.Type)
        {
            case var _ when mount.ChangesMount:
                Change(mount);
                break;
            case "cgroup" or "cgroup2":
                MountCgroup(mount);
                break;
            case "bind":
                Bind(mount);
                break;
            default:
                MountFileSystem(mount);
                break;
        }
    }

    /// <summary>Hides the masked paths and protects the read-only ones, and the root itself where that is asked for.</summary>
    public void Restrict()
    {
        Mask(plan.MaskedPaths);
        for (int i = 0; i < plan.ReadonlyPaths.Count; i++)
        {
            string path = plan.ReadonlyPaths[i];
            using SafeFileHandle? target = MountPoints.TryOpen(root, path);
            if (target is not null)
            {
                using SafeFileHandle copy = Mounts.Clone(target, recursive: true, path);
                Mounts.SetAttributes(copy, MountAttributes.ReadOnly, MountAttributes.None, recursive: true);
                Mounts.Attach(copy, target, path);
            }
        }

        if (plan.ReadonlyRoot)
        {
            Mounts.SetAttributes(root.Handle, MountAttributes.ReadOnly, MountAttributes.None, recursive: false);
        }

        if (_devicesAreReadOnly)
        {
            Mounts.SetAttributes(_devices!, MountAttributes.ReadOnly, MountAttributes.None, recursive: false);
        }

        if (plan.RootPropagation is not (MountPropagation.Unchanged or MountPropagation.Shared))
        {
            Mounts.SetPropagation(root.Handle, plan.RootPropagation, recursive: false);
        }
    }

    /// <summary>Sets kernel parameters, through a procfs that is mounted nowhere.</summary>
    public void SetParameters()
    {
        if (plan.Parameters.Count == 0)
        {
            return;
        }

        using SafeFileHandle processes = Mounts.Create("proc", "proc", [], MountAttributes.None);
        for (int i = 0; i < plan.Parameters.Count; i++)
        {
            (string name, string value) = plan.Parameters[i];
            using SafeFileHandle file = MountPoints.OpenOwn(processes, $"sys/{(name.Contains('/', StringComparison.Ordinal) ? name : name.Replace('.', '/'))}", write: true);
            Descriptors.Write(file, System.Text.Encoding.UTF8.GetBytes(value), name);
        }
    }

    /// <summary>Makes a directory for the command to work in, where it is missing.</summary>
    public void MakeDirectory(string path)
    {
        if (root.KindOf(path) == InRootKind.Absent)
        {
            root.CreateDirectories(path, uid: 0, gid: 0);
        }
    }

    /// <summary>Makes the root that of this process, and lets go of the host's.</summary>
    public void Enter() => Mounts.PivotRoot(root.Handle, plan.RootPropagation == MountPropagation.Shared);

    /// <inheritdoc/>
    public void Dispose()
    {
        _devices?.Dispose();
        _terminals?.Dispose();
    }

    private void MountFileSystem(PlannedMount mount)
    {
        using SafeFileHandle target = mount.Type is "proc" or "sysfs"
            ? OpenOrdinary(mount.Destination)
            : MountPoints.OpenOrCreate(root, mount.Destination, directory: true);
        Check(target, mount);
        if (mount is { Destination: "/dev", Type: "tmpfs" } && mount.Set.HasFlag(MountAttributes.ReadOnly))
        {
            mount = mount with { Set = mount.Set & ~MountAttributes.ReadOnly }; // once the devices are there
            _devicesAreReadOnly = true;
        }

        SafeFileHandle made = mount.Type == "tmpfs"
            ? CreateTmpfs(mount, target)
            : Mounts.Create(mount.Type, mount.Source, mount.Options, mount.Set);
        try
        {
            Mounts.Attach(made, target, mount.Destination);
            if (mount.Propagation != MountPropagation.Private)
            {
                Mounts.SetPropagation(made, mount.Propagation, mount.RecursivePropagation);
            }

            switch (mount.Destination, mount.Type)
            {
                case ("/dev", "tmpfs"):
                    (_devices, made) = (made, _devices!);
                    break;
                case ("/dev/pts", "devpts"):
                    (_terminals, made) = (made, _terminals!);
                    break;
            }
        }
        finally
        {
            made?.Dispose();
        }
    }

    // runc's two rules for a tmpfs: it has the mode of the directory that it covers, and with tmpcopyup its content
    private static SafeFileHandle CreateTmpfs(PlannedMount mount, SafeFileHandle target)
    {
        const string CopyUp = "tmpcopyup";
        List<string> options = [.. mount.Options];
        bool copyUp = options.Remove(CopyUp);
        if (!options.Exists(option => option.StartsWith("mode=", StringComparison.Ordinal)))
        {
            options.Add($"mode={Convert.ToString(Descriptors.PermissionsOf(target), 8)}");
        }

        // what is copied has to be written before the mount becomes read-only
        SafeFileHandle made = Mounts.Create(mount.Type, mount.Source, options, mount.Set & ~MountAttributes.ReadOnly);
        try
        {
            if (copyUp)
            {
                using DirectoryDescriptor from = DirectoryDescriptor.Of(target);
                using DirectoryDescriptor to = DirectoryDescriptor.Of(made);
                Errno errno = from.CopyTo(to);
                if (errno != Errno.None)
                {
                    throw new ErrnoException("copy to tmpfs", mount.Destination, errno);
                }
            }

            if (mount.Set.HasFlag(MountAttributes.ReadOnly))
            {
                Mounts.SetAttributes(made, MountAttributes.ReadOnly, MountAttributes.None, recursive: false);
            }

            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    private void Change(PlannedMount mount)
    {
        using SafeFileHandle target = MountPoints.TryOpen(root, mount.Destination)
            ?? throw new ErrnoException("remount", mount.Destination, Errno.ENOENT);
        Mounts.SetAttributes(target, mount.SetBelow, mount.ClearBelow, recursive: true);
        Mounts.SetAttributes(target, mount.Set, mount.Clear, recursive: false);
    }

    private void Bind(PlannedMount mount)
    {
        using SafeFileHandle source = mount.SourceDescriptor >= 0
            ? descriptors[mount.SourceDescriptor]
            : Mounts.Clone(mount.Source, mount.Recursive);
        Mounts.SetPropagation(source, mount.Propagation, mount.RecursivePropagation);
        if (mount.SetBelow != MountAttributes.None || mount.ClearBelow != MountAttributes.None)
        {
            Mounts.SetAttributes(source, mount.SetBelow, mount.ClearBelow, recursive: true);
        }

        if (mount.Set != MountAttributes.None || mount.Clear != MountAttributes.None)
        {
            Mounts.SetAttributes(source, mount.Set, mount.Clear, recursive: false);
        }

        using SafeFileHandle target = MountPoints.OpenOrCreate(
            root, mount.Destination, Descriptors.IsDirectory(source));
        if (mount.Destination == "/proc" && !MountPoints.IsProcess(source))
        {
            throw new OciException($"mount {mount.Destination}: only a procfs can be mounted there");
        }

        Check(target, mount);
        Mounts.Attach(source, target, mount.Destination);
    }

    private SafeFileHandle OpenOrdinary(string path)
    {
        try
        {
            return MountPoints.OpenOrdinaryDirectory(root, path);
        }
        catch (ErrnoException e) when (e.Errno is Errno.ENOTDIR or Errno.ELOOP)
        {
            throw new OciException($"mount {Printable.Shorten(path)}: the image has no ordinary directory there", e);
        }
    }

    private static void Check(SafeFileHandle target, PlannedMount mount)
    {
        if (mount.Destination != "/proc" && MountPoints.IsProcess(target)
            && Array.IndexOf(AllowedInProc, mount.Destination) < 0)
        {
            throw new OciException($"mount {Printable.Shorten(mount.Destination)}: it lies inside /proc");
        }
    }

    private void Mask(IReadOnlyList<string> paths)
    {
        SafeFileHandle? empty = null;
        SafeFileHandle? nothing = null;
        try
        {
            for (int i = 0; i < paths.Count; i++)
            {
                using SafeFileHandle? target = MountPoints.TryOpen(root, paths[i]);
                if (target is null)
                {
                    continue;
                }

                if (!Descriptors.IsDirectory(target))
                {
                    nothing ??= OpenNull();
                    using SafeFileHandle file = Mounts.Clone(nothing, recursive: false, "/dev/null");
                    Mounts.SetAttributes(file, MountAttributes.ReadOnly, MountAttributes.NoDevices, recursive: false);
                    Mounts.Attach(file, target, paths[i]);
                }
                else if (empty is null)
                {
                    empty = Mounts.Create("tmpfs", "tmpfs", ["size=0k", "nr_inodes=2"], MountAttributes.ReadOnly);
                    Mounts.Attach(empty, target, paths[i]);
                }
                else
                {
                    using SafeFileHandle copy = Mounts.Clone(empty, recursive: false, "tmpfs");
                    Mounts.Attach(copy, target, paths[i]);
                }
            }
        }
        finally
        {
            empty?.Dispose();
            nothing?.Dispose();
        }
    }

    /// <summary>A null device that no image has had its hands on (CVE-2025-31133): ours, or else the host's.</summary>
    private SafeFileHandle OpenNull(bool write = false)
    {
        SafeFileHandle file = _devices is not null
            ? MountPoints.OpenOwn(_devices, "null", write)
            : MountPoints.OpenOwn(root.Handle, "dev/null", write);
        return Descriptors.IsCharacterDevice(file, 1, 3)
            ? file
            : throw new OciException("/dev/null of the container is not the null device");
    }
}
