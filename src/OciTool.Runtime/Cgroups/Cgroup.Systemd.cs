using OciTool.Images;
using OciTool.Runtime.Cgroups.Systemd;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>Groups that systemd makes.</summary>
public sealed partial class Cgroup
{
    /// <summary>Makes a scope around a process, and the groups that systemd does not make itself.</summary>
    /// <param name="mounts">Where the groups of the host are.</param>
    /// <param name="request">Where, and which limits.</param>
    /// <param name="files">The files of the groups.</param>
    /// <param name="bus">The path of the message bus's socket.</param>
    internal static Cgroup? CreateScope(CgroupMounts mounts, CgroupRequest request, IKernelFiles files, string bus)
    {
        SystemdScope scope = SystemdScope.Parse(request.Path, request.ContainerId);
        ResourcesSpec resources = request.Resources ?? new();
        List<SystemdProperty> properties = SystemdLimits.Of(resources, mounts.IsUnified);
        properties.AddRange(SystemdLimits.Of(DeviceRules.Parse(resources.Devices ?? [], withDefaults: true)));
        string path = scope.Start(bus, request.ContainerId, request.Pid, properties);
        try
        {
            return Create(mounts, request, CgroupPath.Parse(path, request.ContainerId), scope.Unit, files, out _);
        }
        catch
        {
            scope.Stop(bus);
            throw;
        }
    }

    internal void UpdateScope(ResourcesSpec resources, string bus)
    {
        List<SystemdProperty> properties = SystemdLimits.Of(resources, IsUnified);
        if (resources.Devices is { } devices)
        {
            properties.AddRange(SystemdLimits.Of(DeviceRules.Parse(devices, withDefaults: true)));
        }

        new SystemdScope(Slice: null, _unit!).Update(bus, properties);
    }

    private void StopScope()
    {
        try
        {
            new SystemdScope(Slice: null, _unit!).Stop(SystemdScope.FindBus());
        }
        catch (OciException)
        {
            // a scope ends by itself when its last process does, and its groups are removed in any case
        }
    }
}
