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
    /// <param name="hasUsers">Whether the container has a user namespace, whose root may not reach every source.</param>
    /// <param name="descriptors">What goes to the init process.</param>
    /// <exception cref="OciException">A source is not there, or cannot be mapped.</exception>
    public static IReadOnlyList<PlannedMount> Prepare(
        IReadOnlyList<PlannedMount> mounts,
        IReadOnlyList<MountSpec> specs,
        Bundle bundle,
        bool hasUsers,
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
                bool mapped = specs[i].UidMappings is { Count: > 0 };
                if (mapped || hasUsers)
                {
                    mount = mount with { SourceDescriptor = descriptors.AddOwned(Open(mount, mapped ? specs[i] : null)) };
                }
            }

            prepared[i] = mount;
        }

        return prepared;
    }

    private static SafeFileHandle Open(PlannedMount mount, MountSpec? mapping)
    {
        try
        {
            SafeFileHandle source = Mounts.Clone(mount.Source, mount.Recursive);
            if (mapping is not null)
            {
                using SafeFileHandle users = UserNamespace.Create(
                    ContainerNamespaces.Ranges(mapping.UidMappings), ContainerNamespaces.Ranges(mapping.GidMappings));
                Mounts.MapOwners(source, users, mapping.Options?.Contains("ridmap") ?? false);
            }

            return source;
        }
        catch (ErrnoException e)
        {
            throw new OciException($"mount {Printable.Shorten(mount.Destination)}: {e.Message}", e);
        }
    }
}
