using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups.Systemd;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>A container's control groups: one directory with cgroup v2, one a hierarchy with v1.</summary>
/// <remarks>
/// A host may offer any of v1, v2, a hybrid or none, read-only or not. What is missing is left out, for a container
/// is confined by more than this; but a limit that is in force is never weaker than it was asked for.
/// </remarks>
public sealed partial class Cgroup
{
    private readonly IReadOnlyList<CgroupDirectory> _directories;
    private readonly IKernelFiles _files;

    private readonly string? _unit;

    private Cgroup(CgroupRecord record, IKernelFiles files) =>
        (_directories, _unit, _files) = (record.Directories, record.SystemdUnit, files);

    /// <summary>The directories, each with a <c>cgroup.procs</c>.</summary>
    public IReadOnlyList<string> Directories
    {
        get
        {
            string[] paths = new string[_directories.Count];
            for (int i = 0; i < paths.Length; i++)
            {
                paths[i] = _directories[i].Path;
            }

            return paths;
        }
    }

    /// <summary>The directory of cgroup v2 where that has all controllers; null on a host with v1.</summary>
    public string? UnifiedDirectory => IsUnified ? _directories[0].Path : null;

    /// <summary>What <see cref="Open(CgroupRecord)"/> finds these groups by.</summary>
    public CgroupRecord Record => new(_directories) { SystemdUnit = _unit };

    private bool IsUnified => _directories.Count == 1 && _directories[0].IsUnified;

    /// <summary>Makes a container's groups on this host and sets its limits.</summary>
    /// <param name="request">Where, and which limits.</param>
    /// <returns>Null where no group can be made, and no limit asks for one.</returns>
    /// <exception cref="OciException">A limit cannot be set; the message says which file took which value not, and why.</exception>
    public static Cgroup? Create(CgroupRequest request) => Create(request, out _);

    /// <summary>Makes a container's groups on this host and sets its limits.</summary>
    /// <param name="request">Where, and which limits.</param>
    /// <param name="warnings">What was asked for with <see cref="CgroupRequest.BestEffort"/> and is not in force.</param>
    /// <returns>Null where no group can be made, and no limit asks for one.</returns>
    /// <exception cref="OciException">A limit cannot be set; the message says which file took which value not, and why.</exception>
    public static Cgroup? Create(CgroupRequest request, out IReadOnlyList<string> warnings) =>
        Create(CgroupMounts.Read(), request, HostFiles.Instance, out warnings);

    /// <summary>Makes a container's groups on this host and sets its limits as far as possible.</summary>
    /// <param name="containerId">The container's ID.</param>
    /// <param name="resources">The limits.</param>
    /// <param name="warning">What was asked for and is not in force, or null.</param>
    /// <returns>Null where no group can be made.</returns>
    public static Cgroup? Create(string containerId, ResourcesSpec? resources, out string? warning) =>
        Create(CgroupMounts.Read(), containerId, resources, out warning);

    /// <summary>Makes a container's groups below given mounts and sets its limits as far as possible.</summary>
    /// <param name="mounts">Where the groups of the host are.</param>
    /// <param name="containerId">The container's ID.</param>
    /// <param name="resources">The limits.</param>
    /// <param name="warning">What was asked for and is not in force, or null.</param>
    /// <returns>Null where no group can be made.</returns>
    /// <exception cref="OciException">The ID cannot be a directory's name.</exception>
    public static Cgroup? Create(CgroupMounts mounts, string containerId, ResourcesSpec? resources, out string? warning)
    {
        CgroupRequest request = new(containerId) { Resources = resources, BestEffort = true };
        Cgroup? made = Create(mounts, request, HostFiles.Instance, out IReadOnlyList<string> warnings);
        warning = warnings.Count > 0 ? string.Join("; ", warnings) : null;
        return made;
    }

    /// <summary>Takes hold of groups that were made before.</summary>
    /// <param name="record">What was saved of them.</param>
    public static Cgroup Open(CgroupRecord record) => new(record, HostFiles.Instance);

    internal static Cgroup Open(CgroupRecord record, IKernelFiles files) => new(record, files);

    internal static Cgroup? Create(
        CgroupMounts mounts, CgroupRequest request, IKernelFiles files, out IReadOnlyList<string> warnings)
    {
        if (request.Systemd)
        {
            warnings = [];
            return CreateScope(mounts, request, files, SystemdScope.FindBus());
        }

        return Create(mounts, request, CgroupPath.Parse(request.Path, request.ContainerId), unit: null, files, out warnings);
    }

    private static Cgroup? Create(
        CgroupMounts mounts,
        CgroupRequest request,
        CgroupPath path,
        string? unit,
        IKernelFiles files,
        out IReadOnlyList<string> warnings)
    {
        List<string>? missing = request.BestEffort ? [] : null;
        CgroupTree tree = new(files);
        try
        {
            List<CgroupDirectory> directories = MakeDirectories(mounts, path, request, tree);
            Cgroup made = new(new CgroupRecord(directories) { SystemdUnit = unit }, files);
            if (!request.BestEffort && unit is null)
            {
                made.CheckUnused(tree);
            }

            made.SetLimits(request, tree, missing);
            warnings = missing ?? [];
            return directories.Count > 0 ? made : null;
        }
        catch
        {
            tree.Undo();
            throw;
        }
    }

    /// <summary>Changes limits; what is null stays as it is.</summary>
    /// <param name="resources">The limits.</param>
    /// <exception cref="OciException">One cannot be set; those before it are.</exception>
    public void Update(ResourcesSpec resources)
    {
        if (_unit is not null)
        {
            UpdateScope(resources, SystemdScope.FindBus());
        }

        new CgroupLimits(_directories, _files).Apply(resources);
        if (resources.Devices is not null)
        {
            CgroupDevices.Apply(
                _directories, DeviceRules.Parse(resources.Devices, withDefaults: true), _files, isNew: false, warnings: null);
        }
    }

    /// <summary>Removes the groups of a container whose runner was killed before it could.</summary>
    /// <param name="containerId">The container's ID.</param>
    /// <exception cref="OciException">The ID cannot be a directory's name.</exception>
    public static void DeleteRemains(string containerId)
    {
        string path = string.Join('/', CgroupPath.Parse(path: null, containerId).Segments);
        CgroupMounts mounts = CgroupMounts.Read();
        if (mounts.V2 is not null)
        {
            CgroupRemoval.TryRemove($"{mounts.V2}/{path}");
        }

        foreach (string mount in mounts.V1.Values)
        {
            CgroupRemoval.TryRemove($"{mount}/{path}");
        }
    }

    /// <summary>Removes the groups of a container whose processes have been killed, and those below them.</summary>
    /// <returns>False if a directory is still busy: a process is stuck in the kernel, or was not killed.</returns>
    public bool Delete()
    {
        if (_unit is not null)
        {
            StopScope();
        }

        bool removed = true;
        foreach (CgroupDirectory directory in _directories)
        {
            removed &= CgroupRemoval.TryRemove(directory.Path);
        }

        return removed;
    }

    private static List<CgroupDirectory> MakeDirectories(
        CgroupMounts mounts, CgroupPath path, CgroupRequest request, CgroupTree tree)
    {
        List<CgroupDirectory> directories = [];
        ProcessGroups? own = path.IsAbsolute ? null : ProcessGroups.Of(pid: 0);
        if (mounts.IsUnified)
        {
            List<string>? controllers = request.BestEffort ? NeededControllers(request.Resources) : null;
            string mount = mounts.V2!;
            IReadOnlyList<string> segments = own is null ? path.Segments : SegmentsBeside(mounts, own, path);
            if (tree.MakeV2(mount, segments, controllers) is { } directory)
            {
                directories.Add(new(directory, []));
            }

            return directories;
        }

        foreach ((string mount, List<string> controllers) in ByMountPoint(mounts))
        {
            if (request.BestEffort && !controllers.Exists(name => IsNeeded(name, request.Resources)))
            {
                continue;
            }

            string? ownPath = own?.PathOf(controllers[0]);
            string top = ownPath is null ? mount : mounts.DirectoryOf(mount, ownPath);
            if (tree.MakeV1(top, path.Segments, isCpuset: controllers.Contains("cpuset")) is { } directory)
            {
                directories.Add(new(directory, controllers));
            }
        }

        // systemd's own hierarchy on a hybrid host: it has no controllers, but events, and kills a group as one
        if (mounts.V2 is { } hybrid && !request.BestEffort)
        {
            string top = own?.PathOf("") is { } ownPath ? mounts.DirectoryOf(hybrid, ownPath) : hybrid;
            if (tree.MakeV1(top, path.Segments, isCpuset: false) is { } directory)
            {
                directories.Add(new(directory, []));
            }
        }

        return directories;
    }

    // A group of v2 with processes in it cannot pass controllers down: not the caller's own, but the one above
    private static List<string> SegmentsBeside(CgroupMounts mounts, ProcessGroups own, CgroupPath path)
    {
        string directory = mounts.DirectoryOf(mounts.V2!, own.PathOf("") ?? "/");
        List<string> segments = [.. directory[mounts.V2!.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries)];
        if (segments.Count > 0)
        {
            segments.RemoveAt(segments.Count - 1);
        }

        segments.AddRange(path.Segments);
        return segments;
    }

    private static Dictionary<string, List<string>> ByMountPoint(CgroupMounts mounts)
    {
        Dictionary<string, List<string>> controllers = [];
        foreach ((string controller, string mount) in mounts.V1)
        {
            if (controllers.TryGetValue(mount, out List<string>? others))
            {
                others.Add(controller);
            }
            else
            {
                controllers[mount] = [controller];
            }
        }

        return controllers;
    }

    private static List<string> NeededControllers(ResourcesSpec? resources)
    {
        List<string> needed = [];
        foreach (string controller in (string[])["cpu", "cpuset", "io", "memory", "hugetlb", "pids", "rdma"])
        {
            if (IsNeeded(controller, resources))
            {
                needed.Add(controller);
            }
        }

        return needed;
    }

    private static bool IsNeeded(string controller, ResourcesSpec? resources) => controller switch
    {
        "pids" => resources?.Pids is not null,
        "memory" => resources?.Memory is not null,
        "cpu" => resources?.Cpu is not null,
        "cpuset" => resources?.Cpu is { Cpus: not null } or { Mems: not null },
        "blkio" or "io" => resources?.BlockIO is not null,
        "hugetlb" => resources?.HugepageLimits is { Count: > 0 },
        "net_cls" or "net_prio" => resources?.Network is not null,
        "rdma" => resources?.Rdma is { Count: > 0 },
        "devices" => Restricts(resources?.Devices),
        _ => false,
    };

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

    // a group that another container is in would share its limits, and its end
    private void CheckUnused(CgroupTree tree)
    {
        foreach (CgroupDirectory directory in _directories)
        {
            if (tree.IsNew(directory.Path))
            {
                continue;
            }

            List<int> processes = [];
            CgroupProcesses.Read(_files, directory.Path, processes);
            if (processes.Count > 0)
            {
                throw new OciException(
                    $"container's cgroup is not empty: {processes.Count} process(es) found in '{Printable.Shorten(directory.Path)}'");
            }

            if ((directory.IsUnified || directory.Has("freezer")) && CgroupFreezer.IsFrozen(_files, directory))
            {
                throw new OciException($"container's cgroup unexpectedly frozen: '{Printable.Shorten(directory.Path)}'");
            }
        }
    }

    private void SetLimits(CgroupRequest request, CgroupTree tree, List<string>? warnings)
    {
        if (request.Resources is not null)
        {
            CgroupLimits limits = new(_directories, _files, warnings) { ControllerFailure = tree.ControllerFailure };
            limits.Apply(request.Resources);
        }

        IReadOnlyList<DeviceRule>? rules = request.Resources?.Devices;
        if (request.BestEffort && !Restricts(rules))
        {
            return;
        }

        // rules that nobody has written are no limit that was asked for
        List<string>? ignored = rules is null ? [] : warnings;
        bool isNew = _directories.Count > 0 && tree.IsNew(_directories[0].Path);
        CgroupDevices.Apply(
            _directories, DeviceRules.Parse(rules ?? [], withDefaults: !request.BestEffort), _files, isNew, ignored);
    }
}
