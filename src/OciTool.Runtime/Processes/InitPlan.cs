using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Processes;

/// <summary>What the init process has to do, as the main process tells it: decided, and free of names to look up.</summary>
internal sealed record InitPlan
{
    /// <summary>The longest plan that is read, in bytes.</summary>
    public const int MaxLength = 16 << 20;

    /// <summary>The flag of seccomp(2) that asks for a listener: <c>SECCOMP_FILTER_FLAG_NEW_LISTENER</c>.</summary>
    public const uint NewListener = 8;

    public required string Id { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    public IReadOnlyList<string> Environment { get; init; } = [];

    public string Directory { get; init; } = "/";

    /// <summary>How many descriptors follow the plan; the root's, or that of the mount namespace to join, is the first.</summary>
    public int DescriptorCount { get; init; }

    /// <summary>Whether the process joins a container that is there, instead of being the first of a new one.</summary>
    public bool Joins { get; init; }

    /// <summary>Which descriptors are files to write "0" to, to move into the container's groups.</summary>
    public IReadOnlyList<int> CgroupEntrances { get; init; } = [];

    /// <summary>Whether the main process moves this one into a group as well, and says when it is there.</summary>
    public bool IsMoved { get; init; }

    /// <summary>Namespaces to leave for new ones.</summary>
    public NamespaceKinds Namespaces { get; init; }

    /// <summary>Which descriptor is the mount namespace to join before the root is set up; -1 for none.</summary>
    public int MountNamespace { get; init; } = -1;

    /// <summary>Which descriptor is the PID namespace that only the command enters, in a process of its own; -1 for none.</summary>
    public int PidNamespace { get; init; } = -1;

    /// <summary>The lines of a time namespace's offsets; empty for none.</summary>
    public string TimeOffsets { get; init; } = "";

    /// <summary>Which descriptor is the gate at which the process waits before its command is executed; -1 for none.</summary>
    public int Gate { get; init; } = -1;

    /// <summary>Whether the container ends when the main process does.</summary>
    public bool DiesWithMain { get; init; }

    /// <summary>How many descriptors behind the standard streams the command gets.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>Whether the session keyring stays the caller's.</summary>
    public bool KeepsKeyring { get; init; }

    /// <summary>Whether the working directory is made where it is missing.</summary>
    public bool MakesDirectory { get; init; }

    /// <summary>Whether the main process is asked to run its hooks before the root changes.</summary>
    public bool HasMainHooks { get; init; }

    public IReadOnlyList<HookSpec> CreateContainerHooks { get; init; } = [];

    public IReadOnlyList<HookSpec> StartContainerHooks { get; init; } = [];

    /// <summary>What hooks find on their standard input.</summary>
    public byte[] HookState { get; init; } = [];

    public string? HostName { get; init; }

    public string? DomainName { get; init; }

    public IReadOnlyList<PlannedMount> Mounts { get; init; } = [];

    public IReadOnlyList<PlannedDevice> Devices { get; init; } = [];

    public IReadOnlyList<string> MaskedPaths { get; init; } = [];

    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    public bool ReadonlyRoot { get; init; }

    public MountPropagation RootPropagation { get; init; }

    public uint User { get; init; }

    public uint Group { get; init; }

    public IReadOnlyList<uint> Groups { get; init; } = [];

    /// <summary>Whether the groups stay as they are, because the user namespace that we are in lets nobody change them.</summary>
    public bool KeepsGroups { get; init; }

    public uint FileMask { get; init; } = 0x12; // 0022

    public IReadOnlyList<PlannedLimit> Limits { get; init; } = [];

    /// <summary>Whether the main process sets the limits, who may raise them.</summary>
    public bool LimitsByMain { get; init; }

    /// <summary>Whether a limit that cannot be set as it is wished is an error.</summary>
    public bool LimitsAreStrict { get; init; }

    /// <summary>ioprio_set(2); null to leave it.</summary>
    public int? InputOutputPriority { get; init; }

    public PlannedSchedule? Schedule { get; init; }

    /// <summary>personality(2); null to leave it.</summary>
    public int? Personality { get; init; }

    /// <summary>The processors to run on, a bit each; empty for all.</summary>
    public byte[] Processors { get; init; } = [];

    /// <summary>The file below /proc/thread-self/attr that takes the label of the command, and the label.</summary>
    public string? LabelFile { get; init; }

    public string? Label { get; init; }

    public PlannedCapabilities Capabilities { get; init; }

    public bool NoNewPrivileges { get; init; }

    public byte[] Filter { get; init; } = [];

    /// <summary>Flags of seccomp(2).</summary>
    public uint FilterFlags { get; init; }

    public bool Terminal { get; init; }

    public TerminalSize TerminalSize { get; init; }

    public bool EmptyInput { get; init; }

    /// <summary>Writes the plan for the other process.</summary>
    public byte[] ToBytes()
    {
        PlanWriter writer = new();
        writer.Write(Id);
        writer.Write(Arguments);
        writer.Write(Environment);
        writer.Write(Directory);
        writer.Write(DescriptorCount);
        writer.Write(Joins);
        writer.Write(CgroupEntrances, static (writer, index) => writer.Write(index));
        writer.Write(IsMoved);
        writer.Write((int)Namespaces);
        writer.Write(MountNamespace);
        writer.Write(PidNamespace);
        writer.Write(TimeOffsets);
        writer.Write(Gate);
        writer.Write(DiesWithMain);
        writer.Write(PreservedDescriptors);
        writer.Write(KeepsKeyring);
        writer.Write(MakesDirectory);
        writer.Write(HasMainHooks);
        writer.Write(CreateContainerHooks, WriteHook);
        writer.Write(StartContainerHooks, WriteHook);
        writer.Write(HookState);
        writer.Write(HostName);
        writer.Write(DomainName);
        writer.Write(Mounts, static (writer, mount) =>
        {
            writer.Write(mount.Destination);
            writer.Write(mount.Type);
            writer.Write(mount.Source);
            writer.Write(mount.Recursive);
            writer.Write((ulong)mount.Set);
            writer.Write((ulong)mount.Clear);
            writer.Write((ulong)mount.SetBelow);
            writer.Write((ulong)mount.ClearBelow);
            writer.Write(mount.SourceDescriptor);
            writer.Write(mount.ChangesMount);
            writer.Write((ulong)mount.Propagation);
            writer.Write(mount.RecursivePropagation);
            writer.Write(mount.Options);
        });
        writer.Write(Devices, static (writer, device) =>
        {
            writer.Write(device.Path);
            writer.Write(device.Type);
            writer.Write((int)device.Major);
            writer.Write((int)device.Minor);
            writer.Write((int)device.Mode);
            writer.Write((int)device.User);
            writer.Write((int)device.Group);
        });
        writer.Write(MaskedPaths);
        writer.Write(ReadonlyPaths);
        writer.Write(Parameters, static (writer, parameter) =>
        {
            writer.Write(parameter.Key);
            writer.Write(parameter.Value);
        });
        writer.Write(ReadonlyRoot);
        writer.Write((ulong)RootPropagation);
        writer.Write((int)User);
        writer.Write((int)Group);
        writer.Write(Groups, static (writer, group) => writer.Write((int)group));
        writer.Write(KeepsGroups);
        writer.Write((int)FileMask);
        writer.Write(Limits, static (writer, limit) =>
        {
            writer.Write(limit.Resource);
            writer.Write(limit.Soft);
            writer.Write(limit.Hard);
        });
        writer.Write(LimitsByMain);
        writer.Write(LimitsAreStrict);
        writer.WriteOptional(InputOutputPriority);
        writer.Write(Schedule is not null);
        writer.Write(Schedule?.ToBytes() ?? []);
        writer.WriteOptional(Personality);
        writer.Write(Processors);
        writer.Write(LabelFile);
        writer.Write(Label);
        writer.Write(Capabilities.Bounding.Bits);
        writer.Write(Capabilities.Effective.Bits);
        writer.Write(Capabilities.Permitted.Bits);
        writer.Write(Capabilities.Inheritable.Bits);
        writer.Write(Capabilities.Ambient.Bits);
        writer.Write(NoNewPrivileges);
        writer.Write(Filter);
        writer.Write((int)FilterFlags);
        writer.Write(Terminal);
        writer.Write((int)TerminalSize.Rows);
        writer.Write((int)TerminalSize.Columns);
        writer.Write(EmptyInput);
        return writer.ToArray();
    }

    /// <summary>Reads a plan.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a plan.</exception>
    public static InitPlan FromBytes(byte[] bytes)
    {
        PlanReader reader = new(bytes);
        InitPlan plan = new()
        {
            Id = reader.ReadString()!,
            Arguments = reader.ReadStrings(),
            Environment = reader.ReadStrings(),
            Directory = reader.ReadString()!,
            DescriptorCount = reader.ReadInt32(),
            Joins = reader.ReadBoolean(),
            CgroupEntrances = reader.ReadMany(static reader => reader.ReadInt32()),
            IsMoved = reader.ReadBoolean(),
            Namespaces = (NamespaceKinds)reader.ReadInt32(),
            MountNamespace = reader.ReadInt32(),
            PidNamespace = reader.ReadInt32(),
            TimeOffsets = reader.ReadString()!,
            Gate = reader.ReadInt32(),
            DiesWithMain = reader.ReadBoolean(),
            PreservedDescriptors = reader.ReadInt32(),
            KeepsKeyring = reader.ReadBoolean(),
            MakesDirectory = reader.ReadBoolean(),
            HasMainHooks = reader.ReadBoolean(),
            CreateContainerHooks = reader.ReadMany(ReadHook),
            StartContainerHooks = reader.ReadMany(ReadHook),
            HookState = reader.ReadBytes(),
            HostName = reader.ReadString(),
            DomainName = reader.ReadString(),
            Mounts = reader.ReadMany(static reader =>
                new PlannedMount(reader.ReadString()!, reader.ReadString()!, reader.ReadString()!)
                {
                    Recursive = reader.ReadBoolean(),
                    Set = (MountAttributes)reader.ReadUInt64(),
                    Clear = (MountAttributes)reader.ReadUInt64(),
                    SetBelow = (MountAttributes)reader.ReadUInt64(),
                    ClearBelow = (MountAttributes)reader.ReadUInt64(),
                    SourceDescriptor = reader.ReadInt32(),
                    ChangesMount = reader.ReadBoolean(),
                    Propagation = (MountPropagation)reader.ReadUInt64(),
                    RecursivePropagation = reader.ReadBoolean(),
                    Options = reader.ReadStrings(),
                }),
            Devices = reader.ReadMany(static reader => new PlannedDevice(
                reader.ReadString()!,
                reader.ReadString()!,
                (uint)reader.ReadInt32(),
                (uint)reader.ReadInt32(),
                (uint)reader.ReadInt32(),
                (uint)reader.ReadInt32(),
                (uint)reader.ReadInt32())),
            MaskedPaths = reader.ReadStrings(),
            ReadonlyPaths = reader.ReadStrings(),
            Parameters = reader.ReadMany(static reader =>
                new KeyValuePair<string, string>(reader.ReadString()!, reader.ReadString()!)),
            ReadonlyRoot = reader.ReadBoolean(),
            RootPropagation = (MountPropagation)reader.ReadUInt64(),
            User = (uint)reader.ReadInt32(),
            Group = (uint)reader.ReadInt32(),
            Groups = reader.ReadMany(static reader => (uint)reader.ReadInt32()),
            KeepsGroups = reader.ReadBoolean(),
            FileMask = (uint)reader.ReadInt32(),
            Limits = reader.ReadMany(static reader =>
                new PlannedLimit(reader.ReadInt32(), reader.ReadUInt64(), reader.ReadUInt64())),
            LimitsByMain = reader.ReadBoolean(),
            LimitsAreStrict = reader.ReadBoolean(),
            InputOutputPriority = reader.ReadOptionalInt32(),
            Schedule = PlannedSchedule.Read(reader),
            Personality = reader.ReadOptionalInt32(),
            Processors = reader.ReadBytes(),
            LabelFile = reader.ReadString(),
            Label = reader.ReadString(),
            Capabilities = new(
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64())),
            NoNewPrivileges = reader.ReadBoolean(),
            Filter = reader.ReadBytes(),
            FilterFlags = (uint)reader.ReadInt32(),
            Terminal = reader.ReadBoolean(),
            TerminalSize = new((ushort)reader.ReadInt32(), (ushort)reader.ReadInt32()),
            EmptyInput = reader.ReadBoolean(),
        };
        reader.ExpectEnd();
        return plan;
    }

    private static void WriteHook(PlanWriter writer, HookSpec hook)
    {
        writer.Write(hook.Path);
        writer.Write(hook.Args ?? []);
        writer.Write(hook.Env ?? []);
        writer.WriteOptional(hook.Timeout);
    }

    private static HookSpec ReadHook(PlanReader reader) => new(reader.ReadString()!)
    {
        Args = reader.ReadStrings(),
        Env = reader.ReadStrings(),
        Timeout = reader.ReadOptionalInt32(),
    };
}

/// <summary>A device node to make.</summary>
internal readonly record struct PlannedDevice(
    string Path, string Type, uint Major, uint Minor, uint Mode, uint User, uint Group);

/// <summary>A resource limit by its number, <c>RLIMIT_*</c>.</summary>
internal readonly record struct PlannedLimit(int Resource, ulong Soft, ulong Hard);

/// <summary>The five capability sets.</summary>
internal readonly record struct PlannedCapabilities(
    CapabilitySet Bounding,
    CapabilitySet Effective,
    CapabilitySet Permitted,
    CapabilitySet Inheritable,
    CapabilitySet Ambient);

/// <summary>How a process is scheduled: struct sched_attr of sched_setattr(2).</summary>
internal sealed record PlannedSchedule(
    int Policy, ulong Flags, int Nice, int Priority, ulong Runtime, ulong Deadline, ulong Period)
{
    public byte[] ToBytes()
    {
        PlanWriter writer = new();
        writer.Write(Policy);
        writer.Write(Flags);
        writer.Write(Nice);
        writer.Write(Priority);
        writer.Write(Runtime);
        writer.Write(Deadline);
        writer.Write(Period);
        return writer.ToArray();
    }

    public static PlannedSchedule? Read(PlanReader reader)
    {
        bool given = reader.ReadBoolean();
        PlanReader own = new(reader.ReadBytes());
        return given
            ? new(own.ReadInt32(), own.ReadUInt64(), own.ReadInt32(), own.ReadInt32(), own.ReadUInt64(), own.ReadUInt64(), own.ReadUInt64())
            : null;
    }
}
