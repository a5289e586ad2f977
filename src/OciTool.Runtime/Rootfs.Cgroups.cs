using Microsoft.Win32.SafeHandles;
using OciTool.Linux;
using OciTool.Runtime.Processes;

namespace OciTool.Runtime;

/// <summary>What is in /sys/fs/cgroup.</summary>
internal sealed partial class Rootfs
{
    private const string HostCgroups = "/sys/fs/cgroup";

    /// <summary>Shows the container its cgroups, in the form that the host has them; nothing where it has none.</summary>
    private void MountCgroup(PlannedMount mount)
    {
        if (!Directory.Exists(HostCgroups))
        {
            return;
        }

        using SafeFileHandle? target = MountPoints.TryOpen(root, mount.Destination);
        if (target is null)
        {
            return; // no sysfs, or one without cgroups
        }

        if (MountPoints.IsCgroup2(HostCgroups))
        {
            MountUnified(mount, target);
        }
        else
        {
            MountHierarchies(mount, target);
        }
    }

    private void MountUnified(PlannedMount mount, SafeFileHandle target)
    {
        // a new mount shows the root of the cgroup namespace; without one, the host's tree comes as it is
        using SafeFileHandle made = plan.Namespaces.HasFlag(NamespaceKinds.Cgroup)
            ? Mounts.Create("cgroup2", "cgroup", [], mount.Set)
            : Mounts.Clone(HostCgroups, recursive: false);
        Mounts.SetAttributes(made, mount.Set, MountAttributes.None, recursive: false);
        Mounts.Attach(made, target, mount.Destination);
    }

    // v1 and hybrid: a tmpfs with a directory for each hierarchy, bound where this process is in it
    private void MountHierarchies(PlannedMount mount, SafeFileHandle target)
    {
        using SafeFileHandle directory = Mounts.Create("tmpfs", "tmpfs", ["mode=755"], mount.Set & ~MountAttributes.ReadOnly);
        Mounts.Attach(directory, target, mount.Destination);
        foreach (string host in Directory.GetDirectories(HostCgroups))
        {
            string name = Path.GetFileName(host);
            if (PathIn(HostCgroupPaths, name) is not { } path || MountPoints.MakeDirectory(directory, name, 0x1ed) != Errno.None)
            {
                continue;
            }

            using SafeFileHandle hierarchy = Mounts.Clone(host + path, recursive: false);
            Mounts.SetPropagation(hierarchy, MountPropagation.Private);
            Mounts.SetAttributes(hierarchy, mount.Set, MountAttributes.None, recursive: false);
            using SafeFileHandle place = MountPoints.OpenOwn(directory, name, write: false);
            Mounts.Attach(hierarchy, place, $"{mount.Destination}/{name}");
        }

        if (mount.Set.HasFlag(MountAttributes.ReadOnly))
        {
            Mounts.SetAttributes(directory, MountAttributes.ReadOnly, MountAttributes.None, recursive: false);
        }
    }

    /// <summary>Where a process is in the hierarchy of a directory below /sys/fs/cgroup.</summary>
    /// <param name="lines">The lines of /proc/PID/cgroup: <c>4:cpu,cpuacct:/path</c>, <c>1:name=systemd:/path</c>, <c>0::/path</c>.</param>
    /// <param name="name">The directory's name.</param>
    internal static string? PathIn(string[] lines, string name)
    {
        foreach (string line in lines)
        {
            int first = line.IndexOf(':', StringComparison.Ordinal);
            int second = first < 0 ? -1 : line.IndexOf(':', first + 1);
            if (second < 0)
            {
                continue;
            }

            string controllers = line[(first + 1)..second];
            if (controllers == name || controllers == $"name={name}" || (controllers.Length == 0 && name == "unified"))
            {
                string path = line[(second + 1)..];
                return path.Contains("..", StringComparison.Ordinal) ? "" : path == "/" ? "" : path;
            }
        }

        return null;
    }
}
