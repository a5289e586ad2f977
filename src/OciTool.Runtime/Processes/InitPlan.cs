using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>What the init process has to do, as the main process tells it: decided, and free of names to look up.</summary>
internal sealed record InitPlan
{
    /// <summary>The longest plan that is read, in bytes.</summary>
    public const int MaxLength = 16 << 20;

    public required string Id { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    public IReadOnlyList<string> Environment { get; init; } = [];

    public string Directory { get; init; } = "/";

    /// <summary>The files to write "0" to, to move into the container's groups.</summary>
    public IReadOnlyList<string> CgroupFiles { get; init; } = [];

    public NamespaceKinds Namespaces { get; init; }

    public string? HostName { get; init; }

    public string? DomainName { get; init; }

    public IReadOnlyList<PlannedMount> Mounts { get; init; } = [];

    public IReadOnlyList<PlannedDevice> Devices { get; init; } = [];

    public IReadOnlyList<string> MaskedPaths { get; init; } = [];

    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    public bool ReadonlyRoot { get; init; }

    public MountPropagation RootPropagation { get; init; } = MountPropagation.Slave;

    public uint User { get; init; }

    public uint Group { get; init; }

    public IReadOnlyList<uint> Groups { get; init; } = [];

    public uint FileMask { get; init; } = 0x12; // 0022

    public IReadOnlyList<PlannedLimit> Limits { get; init; } = [];

    public PlannedCapabilities Capabilities { get; init; }

    public bool NoNewPrivileges { get; init; }

    public byte[] Filter { get; init; } = [];

    public int? OomScoreAdjustment { get; init; }

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
        writer.Write(CgroupFiles);
        writer.Write((int)Namespaces);
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
        writer.Write((int)FileMask);
        writer.Write(Limits, static (writer, limit) =>
        {
            writer.Write(limit.Resource);
            writer.Write(limit.Soft);
            writer.Write(limit.Hard);
        });
        writer.Write(Capabilities.Bounding.Bits);
        writer.Write(Capabilities.Effective.Bits);
        writer.Write(Capabilities.Permitted.Bits);
        writer.Write(Capabilities.Inheritable.Bits);
        writer.Write(Capabilities.Ambient.Bits);
        writer.Write(NoNewPrivileges);
        writer.Write(Filter);
        writer.Write(OomScoreAdjustment is not null);
        writer.Write(OomScoreAdjustment ?? 0);
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
            CgroupFiles = reader.ReadStrings(),
            Namespaces = (NamespaceKinds)reader.ReadInt32(),
            HostName = reader.ReadString(),
            DomainName = reader.ReadString(),
            Mounts = reader.ReadMany(static reader =>
                new PlannedMount(reader.ReadString()!, reader.ReadString()!, reader.ReadString()!)
                {
                    Recursive = reader.ReadBoolean(),
                    Set = (MountAttributes)reader.ReadUInt64(),
                    Clear = (MountAttributes)reader.ReadUInt64(),
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
            FileMask = (uint)reader.ReadInt32(),
            Limits = reader.ReadMany(static reader =>
                new PlannedLimit(reader.ReadInt32(), reader.ReadUInt64(), reader.ReadUInt64())),
            Capabilities = new(
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64()),
                new(reader.ReadUInt64())),
            NoNewPrivileges = reader.ReadBoolean(),
            Filter = reader.ReadBytes(),
            OomScoreAdjustment = reader.ReadOptionalInt32(),
            Terminal = reader.ReadBoolean(),
            TerminalSize = new((ushort)reader.ReadInt32(), (ushort)reader.ReadInt32()),
            EmptyInput = reader.ReadBoolean(),
        };
        reader.ExpectEnd();
        return plan;
    }
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
