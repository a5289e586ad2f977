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

    /// <summary>Properties that are switched on here and at all mounts below.</summary>
    public MountAttributes SetBelow { get; init; }

    /// <summary>Properties that are switched off here and at all mounts below.</summary>
    public MountAttributes ClearBelow { get; init; }

    /// <summary>How it propagates.</summary>
    public MountPropagation Propagation { get; init; } = MountPropagation.Private;

    /// <summary>Whether the mounts below propagate so too.</summary>
    public bool RecursivePropagation { get; init; } = true;

    /// <summary>Whether it changes the mount that is there, instead of being one.</summary>
    public bool ChangesMount { get; init; }

    /// <summary>Options of the file system itself.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Which of the passed descriptors is the source, already cloned; -1 where it is found by its path.</summary>
    public int SourceDescriptor { get; init; } = -1;

    /// <summary>Translates a mount.</summary>
    /// <param name="mount">The mount.</param>
    /// <exception cref="OciException">It has no type, or an option that is not known.</exception>
    public static PlannedMount From(MountSpec mount)
    {
        bool bind = mount.Type is "bind" or null;
        bool recursive = false;
        Properties here = default;
        Properties below = default;
        MountPropagation propagation = MountPropagation.Private;
        bool recursivePropagation = true;
        bool changesMount = false;
        List<string> options = [];
        for (int i = 0; i < mount.Options?.Count; i++)
        {
            string option = mount.Options[i];
            if (here.TryApply(option) || (option.Length > 1 && option[0] == 'r' && below.TryApply(option[1..])))
            {
                continue;
            }

            if (PropagationOf(option, out bool all) is { } wanted)
            {
                (propagation, recursivePropagation) = (wanted, all);
            }
            else if (option == "remount")
            {
                changesMount = true;
            }
            else if (option is "bind" or "rbind")
            {
                bind = true;
                recursive |= option == "rbind";
            }
            else if (!IsDefault(option) && option is not ("idmap" or "ridmap")) // of those the mappings tell
            {
                options.Add(option);
            }
        }

        if (bind && options.Find(option => !IsOfFileSystem(option)) is { } unknown)
        {
            throw new OciException(
                $"mount {Printable.Shorten(mount.Destination)}: unknown option '{Printable.Shorten(unknown)}'");
        }

        return new(mount.Destination, bind ? "bind" : mount.Type!, mount.Source ?? mount.Type ?? "none")
        {
            Recursive = recursive,
            Set = here.Set,
            Clear = here.Clear,
            SetBelow = below.Set,
            ClearBelow = below.Clear,
            Propagation = propagation,
            RecursivePropagation = recursivePropagation,
            ChangesMount = changesMount,
            Options = bind ? [] : options,
        };
    }

    // what the kernel does anyway; of iversion the file systems that have it know themselves
    private static bool IsDefault(string option) => option is
        "defaults" or "iversion" or "silent" or "newinstance" or "async" or "loud" or "nomand" or "norelatime" or "nostrictatime"
        or "noiversion" or "nolazytime" or "symfollow" or "rsymfollow";

    // a bound directory keeps the options of the file system that it is on
    private static bool IsOfFileSystem(string option) => option is
        "sync" or "dirsync" or "lazytime" or "mand" or "acl" or "noacl";

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

    /// <summary>Properties by the words of fstab(5); the last word on a property wins.</summary>
    private struct Properties
    {
        internal MountAttributes Set;
        internal MountAttributes Clear;

        internal bool TryApply(string option)
        {
            if (option == "rw")
            {
                Set &= ~MountAttributes.ReadOnly; // not cleared: a bind mount of what is read-only on the host stays so
            }
            else if (On(option) is { } on)
            {
                Set |= on;
                Clear |= (on & MountAttributes.AccessTimeMask) == MountAttributes.None
                    ? MountAttributes.None
                    : MountAttributes.AccessTimeMask;
            }
            else if (Off(option) is { } off)
            {
                Set &= ~off;
                Clear |= off;
            }
            else
            {
                return false;
            }

            return true;
        }

        private static MountAttributes? On(string option) => option switch
        {
            "ro" => MountAttributes.ReadOnly,
            "nosuid" => MountAttributes.NoSuid,
            "nodev" => MountAttributes.NoDevices,
            "noexec" => MountAttributes.NoExecute,
            "noatime" => MountAttributes.NoAccessTime,
            "strictatime" => MountAttributes.StrictAccessTime,
            "nodiratime" => MountAttributes.NoDirectoryAccessTime,
            "nosymfollow" => MountAttributes.NoSymbolicLinks,
            _ => null,
        };

        private static MountAttributes? Off(string option) => option switch
        {
            "suid" => MountAttributes.NoSuid,
            "dev" => MountAttributes.NoDevices,
            "exec" => MountAttributes.NoExecute,
            "diratime" => MountAttributes.NoDirectoryAccessTime,
            "atime" or "relatime" => MountAttributes.AccessTimeMask,
            _ => null,
        };
    }
}
