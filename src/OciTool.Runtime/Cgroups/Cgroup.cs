using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>A container's control groups: one directory with cgroup v2, one a controller with v1.</summary>
/// <remarks>
/// A host may offer any of v1, v2, a hybrid or none, read-only or not. What is missing is left out, for a container
/// is confined by more than this; but a limit that is in force is never weaker than it was asked for.
/// </remarks>
public sealed class Cgroup
{
    private const string Parent = "oci";

    // rmdir fails until the kernel has reaped the last process: it has been killed, so it is a matter of milliseconds
    private static readonly TimeSpan ReapTimeout = TimeSpan.FromSeconds(2);

    private readonly List<string> _directories;

    private Cgroup(List<string> directories, string? unified)
    {
        _directories = directories;
        UnifiedDirectory = unified;
    }

    /// <summary>The directories, each with a <c>cgroup.procs</c>.</summary>
    public IReadOnlyList<string> Directories => _directories;

    /// <summary>The directory of cgroup v2; null on a host with v1.</summary>
    public string? UnifiedDirectory { get; }

    /// <summary>Makes a container's groups on this host and sets its limits.</summary>
    /// <param name="containerId">The container's ID.</param>
    /// <param name="resources">The limits.</param>
    /// <param name="warning">What was asked for and is not in force, or null.</param>
    /// <returns>Null where no group can be made.</returns>
    public static Cgroup? Create(string containerId, ResourcesSpec? resources, out string? warning) =>
        Create(CgroupMounts.Read(), containerId, resources, out warning);

    /// <summary>Makes a container's groups below given mounts and sets its limits.</summary>
    /// <param name="mounts">Where the groups of the host are.</param>
    /// <param name="containerId">The container's ID.</param>
    /// <param name="resources">The limits.</param>
    /// <param name="warning">What was asked for and is not in force, or null.</param>
    /// <returns>Null where no group can be made.</returns>
    /// <exception cref="OciException">The ID cannot be a directory's name.</exception>
    public static Cgroup? Create(CgroupMounts mounts, string containerId, ResourcesSpec? resources, out string? warning)
    {
        CheckName(containerId);
        List<string> directories = [];
        bool pids = false;
        if (mounts.IsUnified)
        {
            if (TryMakeDirectory(mounts.V2!, containerId, "+pids") is { } directory)
            {
                directories.Add(directory);
                pids = TrySetPids(directory, resources);
            }
        }
        else
        {
            if (mounts.V1.TryGetValue("pids", out string? pidsMount)
                && resources?.Pids is not null && TryMakeDirectory(pidsMount, containerId, control: null) is { } directory)
            {
                directories.Add(directory);
                pids = TrySetPids(directory, resources);
            }

            if (mounts.V1.TryGetValue("devices", out string? devicesMount) && Restricts(resources?.Devices)
                && TryMakeDirectory(devicesMount, containerId, control: null) is { } devices)
            {
                directories.Add(devices);
                TrySetDevices(devices, resources!.Devices!);
            }
        }

        warning = pids || resources?.Pids is null
            ? null
            : $"the limit of {resources.Pids.Limit} processes is not in force: no writable pids controller";
        return directories.Count > 0 ? new(directories, mounts.IsUnified ? directories[0] : null) : null;
    }

    /// <summary>The files of the groups for <see cref="Enter"/>.</summary>
    /// <remarks>
    /// With cgroup v1 a thread moves alone, which takes 0.2 ms: for a whole process the kernel waits for a grace period, 5
    /// to 50 ms. The one thread is enough where it will call execve, which ends the others. cgroup v2 moves processes only.
    /// </remarks>
    internal IReadOnlyList<string> EntranceFiles =>
        _directories.ConvertAll(directory => Path.Join(directory, UnifiedDirectory is null ? "tasks" : "cgroup.procs"));

    /// <summary>Opens the groups' entrances: whoever writes "0" to all of them is in.</summary>
    public IReadOnlyList<SafeFileHandle> OpenEntrances() =>
        [.. EntranceFiles.Select(file => File.OpenHandle(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))];

    /// <summary>Moves the caller into a group: the thread with cgroup v1, the process with v2.</summary>
    /// <param name="entranceFile">One of <see cref="EntranceFiles"/>.</param>
    /// <exception cref="IOException">The group refuses it.</exception>
    internal static void Enter(string entranceFile) => Write(entranceFile, "0");

    /// <summary>Removes the groups of a container whose runner was killed before it could.</summary>
    /// <param name="containerId">The container's ID.</param>
    /// <exception cref="OciException">The ID cannot be a directory's name.</exception>
    public static void DeleteRemains(string containerId)
    {
        CheckName(containerId);
        CgroupMounts mounts = CgroupMounts.Read();
        foreach (string mount in mounts.IsUnified ? [mounts.V2!] : mounts.V1.Values.Distinct())
        {
            TryRemove(Path.Join(mount, Parent, containerId));
        }
    }

    /// <summary>Removes the groups of a container whose processes have been killed.</summary>
    /// <returns>False if a directory is still busy: a process is stuck in the kernel.</returns>
    public bool Delete()
    {
        bool removed = true;
        foreach (string directory in _directories)
        {
            removed &= TryRemove(directory);
        }

        return removed;
    }

    private static bool TryRemove(string directory)
    {
        TimeSpan waited = TimeSpan.Zero;
        for (TimeSpan delay = TimeSpan.FromMilliseconds(0.2); ; delay *= 2)
        {
            try
            {
                Directory.Delete(directory);
                return true;
            }
            catch (DirectoryNotFoundException)
            {
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (waited > ReapTimeout)
                {
                    return false;
                }
            }

            Thread.Sleep(delay);
            waited += delay;
        }
    }

    private static void CheckName(string name)
    {
        bool valid = name.Length is > 0 and <= 200 && name[0] != '.';
        foreach (char c in name)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '.' or '-';
        }

        if (!valid)
        {
            throw new OciException($"invalid container ID '{Printable.Shorten(name)}'");
        }
    }

    private static string? TryMakeDirectory(string mount, string name, string? control)
    {
        string parent = Path.Join(mount, Parent);
        string directory = Path.Join(parent, name);
        try
        {
            Directory.CreateDirectory(parent);
            if (control is not null)
            {
                // a controller reaches a group only through all its ancestors
                TryWrite(Path.Join(mount, "cgroup.subtree_control"), control);
                TryWrite(Path.Join(parent, "cgroup.subtree_control"), control);
            }

            Directory.CreateDirectory(directory);
            return directory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // read-only, or not ours
        }
    }

    private static bool TrySetPids(string directory, ResourcesSpec? resources) =>
        resources?.Pids is { } pids && TryWrite(
            Path.Join(directory, "pids.max"),
            pids.Limit > 0 ? pids.Limit.ToString(CultureInfo.InvariantCulture) : "max");

    private static bool Restricts(IReadOnlyList<DeviceRule>? rules)
    {
        foreach (DeviceRule rule in rules ?? [])
        {
            if (!rule.Allow)
            {
                return true;
            }
        }

        return false;
    }

    private static void TrySetDevices(string directory, IReadOnlyList<DeviceRule> rules)
    {
        foreach (DeviceRule rule in rules)
        {
            // a group above may allow less: what it refuses stays denied, which is not weaker
            TryWrite(Path.Join(directory, rule.Allow ? "devices.allow" : "devices.deny"), Describe(rule));
        }
    }

    private static string Describe(DeviceRule rule) => rule.Type is null or "a"
        ? "a"
        : $"{rule.Type} {Number(rule.Major)}:{Number(rule.Minor)} {rule.Access}";

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "*";

    private static bool TryWrite(string path, string text)
    {
        try
        {
            Write(path, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Write(string path, string text)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(text), fileOffset: 0);
    }
}
