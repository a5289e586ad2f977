using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Processes;

/// <summary>A mount of the spec in the terms of the kernel: what the words of its options stand for.</summary>
/// <param name="Destination">Where, inside the container.</param>
/// <param name="Type">The file system's type, or <c>bind</c>.</param>
/// <param name="Source">What is mounted.</param>
internal sealed record PlannedMount(string Destination, string Type, string Source)
{
    /// <summary>Whether what is mounted below a bound directory comes along.</summary>
    public bool Recursive { get; init; }

    /// <summary>Properties that are switched on.</summary>
    public MountAttributes Set { get; init; }

    /// <summary>Properties that are switched off.</summary>
    public MountAttributes Clear { get; init; }

    /// <summary>How it propagates.</summary>
    public MountPropagation Propagation { get; init; } = MountPropagation.Private;

    /// <summary>Whether the mounts below propagate so too.</summary>
    public bool RecursivePropagation { get; init; } = true;

    /// <summary>Options of the file system itself.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Translates a mount of the spec.</summary>
    /// <exception cref="OciException">A bind mount has an option that no bind mount has.</exception>
    public static PlannedMount From(MountSpec mount)
    {
        bool bind = mount.Type is "bind" or null;
        bool recursive = false;
        MountAttributes set = MountAttributes.None;
        MountAttributes clear = MountAttributes.None;
        MountPropagation propagation = MountPropagation.Private;
        bool recursivePropagation = true;
        List<string> options = [];
        for (int i = 0; i < mount.Options?.Count; i++)
        {
            string option = mount.Options[i];
            if (Attribute(option) is { } attribute)
            {
                set |= attribute;
                clear |= (attribute & MountAttributes.AccessTimeMask) == MountAttributes.None
                    ? MountAttributes.None
                    : MountAttributes.AccessTimeMask;
            }
            else if (Cleared(option) is { } cleared)
            {
                set &= ~cleared;
                clear |= cleared;
            }
            else if (PropagationOf(option, out bool all) is { } wanted)
            {
                (propagation, recursivePropagation) = (wanted, all);
            }
            else if (option is "bind" or "rbind")
            {
                bind = true;
                recursive |= option == "rbind";
            }
            else if (option is not ("rw" or "defaults" or "newinstance" or "async")) // what the kernel does anyway
            {
                options.Add(option);
            }
        }

        if (bind && options.Count > 0)
        {
            throw new OciException(
                $"mount {Printable.Shorten(mount.Destination)}: unknown option '{Printable.Shorten(options[0])}'");
        }

        return new(mount.Destination, bind ? "bind" : mount.Type!, mount.Source ?? mount.Type ?? "none")
        {
            Recursive = recursive,
            Set = set,
            Clear = clear,
            Propagation = propagation,
            RecursivePropagation = recursivePropagation,
            Options = options,
        };
    }

    private static MountAttributes? Attribute(string option) => option switch
    {
        "ro" or "rro" => MountAttributes.ReadOnly,
        "nosuid" or "rnosuid" => MountAttributes.NoSuid,
        "nodev" or "rnodev" => MountAttributes.NoDevices,
        "noexec" or "rnoexec" => MountAttributes.NoExecute,
        "noatime" or "rnoatime" => MountAttributes.NoAccessTime,
        "strictatime" or "rstrictatime" => MountAttributes.StrictAccessTime,
        "nodiratime" or "rnodiratime" => MountAttributes.NoDirectoryAccessTime,
        "nosymfollow" or "rnosymfollow" => MountAttributes.NoSymbolicLinks,
        _ => null,
    };

    // "rw" is not here: a bind mount of what is read-only on the host stays so
    private static MountAttributes? Cleared(string option) => option switch
    {
        "suid" => MountAttributes.NoSuid,
        "dev" => MountAttributes.NoDevices,
        "exec" => MountAttributes.NoExecute,
        "diratime" => MountAttributes.NoDirectoryAccessTime,
        "atime" or "relatime" => MountAttributes.AccessTimeMask,
        _ => null,
    };

    private static MountPropagation? PropagationOf(string option, out bool recursive)
    {
        recursive = option.StartsWith('r');
        return option switch
        {
            "private" or "rprivate" => MountPropagation.Private,
            "slave" or "rslave" => MountPropagation.Slave,
            "shared" or "rshared" => MountPropagation.Shared,
            "unbindable" or "runbindable" => MountPropagation.Unbindable,
            _ => null,
        };
    }
}
