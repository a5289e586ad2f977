using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Processes;

/// <summary>The namespaces of a container: new ones, and those that it joins.</summary>
internal sealed class ContainerNamespaces : IDisposable
{
    /// <summary>The kinds that a thread of the runtime joins before it makes the container's first process.</summary>
    private const NamespaceKinds Inherited =
        NamespaceKinds.Cgroup | NamespaceKinds.Uts | NamespaceKinds.Ipc | NamespaceKinds.Pid | NamespaceKinds.Network;

    private readonly Dictionary<NamespaceKinds, SafeFileHandle> _joined = [];

    private ContainerNamespaces()
    {
    }

    /// <summary>New ones.</summary>
    public NamespaceKinds New { get; private set; }

    /// <summary>New ones and joined ones.</summary>
    public NamespaceKinds All { get; private set; }

    /// <summary>The user namespace; null for the caller's own.</summary>
    public SafeFileHandle? User => _joined.GetValueOrDefault(NamespaceKinds.User);

    /// <summary>The mount namespace to join; null for a new one.</summary>
    public SafeFileHandle? Mount => _joined.GetValueOrDefault(NamespaceKinds.Mount);

    /// <summary>The PID namespace that is left to the last process, so that nobody in it sees one of ours; null for none.</summary>
    public SafeFileHandle? LastPid { get; private set; }

    /// <summary>How the first process is born.</summary>
    public LaunchNamespaces Birth => new()
    {
        HasNewPid = New.HasFlag(NamespaceKinds.Pid),
        Joined =
        [
            .. from pair in _joined
               where (pair.Key & Inherited) != NamespaceKinds.None && pair.Value != LastPid
               select (pair.Value, pair.Key),
        ],
        User = User,
        Time = _joined.GetValueOrDefault(NamespaceKinds.Time),
    };

    /// <summary>Opens the namespaces of a configuration; a new user namespace is made at once.</summary>
    /// <param name="linux">The configuration.</param>
    /// <exception cref="OciException">A kind is unknown or named twice, or a namespace cannot be opened or made.</exception>
    public static ContainerNamespaces Open(LinuxSpec linux)
    {
        ContainerNamespaces namespaces = new();
        try
        {
            for (int i = 0; i < linux.Namespaces?.Count; i++)
            {
                NamespaceSpec item = linux.Namespaces[i];
                NamespaceKinds kind = KindOf(item.Type);
                if (namespaces.All.HasFlag(kind))
                {
                    throw new OciException($"namespace {item.Type} is named twice");
                }

                namespaces.All |= kind;
                if (item.Path is { Length: > 0 } path)
                {
                    namespaces._joined.Add(kind, OpenFile(item.Type, path));
                }
                else if (kind == NamespaceKinds.User)
                {
                    namespaces._joined.Add(kind, UserNamespace.Create(Ranges(linux.UidMappings), Ranges(linux.GidMappings)));
                }
                else
                {
                    namespaces.New |= kind;
                }
            }

            return namespaces;
        }
        catch (ErrnoException e)
        {
            namespaces.Dispose();
            throw new OciException($"cannot make the user namespace: {e.Message}", e);
        }
        catch
        {
            namespaces.Dispose();
            throw;
        }
    }

    /// <summary>Opens those namespaces of a running process that are not this process's own.</summary>
    /// <param name="process">A process ID.</param>
    /// <exception cref="ErrnoException">There is no such process.</exception>
    public static ContainerNamespaces Of(int process)
    {
        ContainerNamespaces namespaces = new();
        foreach (NamespaceKinds kind in (ReadOnlySpan<NamespaceKinds>)
            [
                NamespaceKinds.Cgroup, NamespaceKinds.Uts, NamespaceKinds.Ipc, NamespaceKinds.Pid, NamespaceKinds.Network,
                NamespaceKinds.User, NamespaceKinds.Mount, NamespaceKinds.Time,
            ])
        {
            string name = Namespaces.FileOf(kind);
            string theirs = $"/proc/{process}/ns/{name}";
            if (!Namespaces.IsOwn(theirs, name))
            {
                namespaces._joined.Add(kind, Namespaces.Open(theirs));
                namespaces.All |= kind;
            }
        }

        // one that belongs to somebody else can only be entered from outside the user namespace, which is by birth
        if (namespaces._joined.TryGetValue(NamespaceKinds.Pid, out SafeFileHandle? pid)
            && (namespaces.User is null || Namespaces.BelongsTo(pid, namespaces.User)))
        {
            namespaces.LastPid = pid;
        }

        return namespaces;
    }

    /// <summary>The ranges of a mapping.</summary>
    public static IdRange[] Ranges(IReadOnlyList<IdMappingSpec>? mappings) =>
        [.. (mappings ?? []).Select(mapping => new IdRange(mapping.ContainerID, mapping.HostID, mapping.Size))];

    /// <summary>The kind that a word of the specification means.</summary>
    /// <exception cref="OciException">None.</exception>
    public static NamespaceKinds KindOf(string type) => type switch
    {
        "mount" => NamespaceKinds.Mount,
        "pid" => NamespaceKinds.Pid,
        "ipc" => NamespaceKinds.Ipc,
        "uts" => NamespaceKinds.Uts,
        "network" => NamespaceKinds.Network,
        "cgroup" => NamespaceKinds.Cgroup,
        "user" => NamespaceKinds.User,
        "time" => NamespaceKinds.Time,
        _ => throw new OciException($"unknown namespace type '{Printable.Shorten(type)}'"),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeFileHandle file in _joined.Values)
        {
            file.Dispose();
        }
    }

    private static SafeFileHandle OpenFile(string type, string path)
    {
        try
        {
            return Namespaces.Open(path);
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot join the {type} namespace {Printable.Shorten(path)}: {ErrnoException.Describe(e.Errno)}", e);
        }
    }
}
