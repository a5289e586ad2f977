using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Finds what bind mounts of a bundle mount.</summary>
internal static class MountSources
{
    /// <summary>Completes the mounts of a plan.</summary>
    /// <param name="mounts">The mounts.</param>
    /// <param name="specs">The same as the configuration has them.</param>
    /// <param name="bundle">The bundle: relative sources are in it.</param>
    /// <param name="users">The container's user namespace, whose root may not reach every source; null for none.</param>
    /// <param name="descriptors">What goes to the init process.</param>
    /// <exception cref="OciException">A source is not there, or cannot be mapped.</exception>
    public static IReadOnlyList<PlannedMount> Prepare(
        IReadOnlyList<PlannedMount> mounts,
        IReadOnlyList<MountSpec> specs,
        Bundle bundle,
        SafeFileHandle? users,
        PlanDescriptors descriptors)
    {
        PlannedMount[] prepared = [.. mounts];
        for (int i = 0; i < prepared.Length; i++)
        {
            PlannedMount mount = prepared[i];
            if (!mount.Destination.StartsWith('/'))
            {
                mount = mount with { Destination = $"/{mount.Destination}" };
            }

            if (mount.Type == "bind")
            {
                mount = mount with { Source = Path.GetFullPath(mount.Source, bundle.Path) };
                bool mapped = specs[i].UidMappings is { Count: > 0 } || specs[i].Options?.Any(option => option is "idmap" or "ridmap") == true;
                if (mapped || users is not null)
                {
                    mount = mount with { SourceDescriptor = descriptors.AddOwned(Open(mount, mapped ? specs[i] : null, users)) };
                }
            }

            prepared[i] = mount;
        }

        return prepared;
    }

    private static SafeFileHandle Open(PlannedMount mount, MountSpec? mapping, SafeFileHandle? users)
    {
        try
        {
            SafeFileHandle source = Mounts.Clone(mount.Source, mount.Recursive);
            if (mapping is not null)
            {
                bool recursive = mapping.Options?.Contains("ridmap") ?? false;
                using SafeFileHandle? own = mapping.UidMappings is { Count: > 0 }
                    ? UserNamespace.Create(ContainerNamespaces.Ranges(mapping.UidMappings), ContainerNamespaces.Ranges(mapping.GidMappings))
                    : null;
                Mounts.MapOwners(source, own ?? users!, recursive);
            }

            return source;
        }
        catch (ErrnoException e)
        {
            throw new OciException($"mount {Printable.Shorten(mount.Destination)}: {e.Message}", e);
        }
    }
}
