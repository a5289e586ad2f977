using System.Text.Json;

namespace OciTool.Runtime.Spec;

/// <summary>Reads the documents of the runtime-spec; <see cref="RuntimeJson"/> writes them.</summary>
public static partial class RuntimeSpecReader
{
    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="JsonException">It is not one; the message says where.</exception>
    public static RuntimeSpec ReadConfig(ReadOnlyMemory<byte> document) => SpecNode.Read(document, Config);

    /// <summary>Reads the document of a process.</summary>
    /// <inheritdoc cref="ReadConfig"/>
    public static ProcessSpec ReadProcess(ReadOnlyMemory<byte> document) => SpecNode.Read(document, Process);

    /// <summary>Reads a document of limits.</summary>
    /// <inheritdoc cref="ReadConfig"/>
    public static ResourcesSpec ReadResources(ReadOnlyMemory<byte> document) => SpecNode.Read(document, Resources);

    /// <summary>Reads a system call filter.</summary>
    /// <inheritdoc cref="ReadConfig"/>
    public static SeccompSpec ReadSeccomp(ReadOnlyMemory<byte> document) => SpecNode.Read(document, Seccomp);

    /// <summary>The hooks of a container.</summary>
    internal static HooksSpec Hooks(SpecNode node) => new()
    {
        Prestart = node.Objects("prestart", Hook),
        CreateRuntime = node.Objects("createRuntime", Hook),
        CreateContainer = node.Objects("createContainer", Hook),
        StartContainer = node.Objects("startContainer", Hook),
        Poststart = node.Objects("poststart", Hook),
        Poststop = node.Objects("poststop", Hook),
    };

    private static RuntimeSpec Config(SpecNode node) => new(node.Text("ociVersion"))
    {
        Process = node.OptionalObject("process", Process),
        Root = node.OptionalObject("root", Root),
        Hostname = node.OptionalText("hostname"),
        Domainname = node.OptionalText("domainname"),
        Mounts = node.Objects("mounts", Mount),
        Hooks = node.OptionalObject("hooks", Hooks),
        Annotations = node.TextMap("annotations"),
        Linux = node.OptionalObject("linux", Linux),
    };

    private static RootSpec Root(SpecNode node) => new(node.Text("path")) { Readonly = node.OptionalBoolean("readonly") };

    private static HookSpec Hook(SpecNode node) => new(node.Text("path"))
    {
        Args = node.Texts("args"),
        Env = node.Texts("env"),
        Timeout = node.OptionalNumber<int>("timeout"),
    };

    private static MountSpec Mount(SpecNode node) => new(node.Text("destination"))
    {
        Type = node.OptionalText("type"),
        Source = node.OptionalText("source"),
        Options = node.Texts("options"),
        UidMappings = node.Objects("uidMappings", IdMapping),
        GidMappings = node.Objects("gidMappings", IdMapping),
    };

    private static IdMappingSpec IdMapping(SpecNode node) =>
        new(node.Number<uint>("containerID"), node.Number<uint>("hostID"), node.Number<uint>("size"));

    private static LinuxSpec Linux(SpecNode node) => new()
    {
        Namespaces = node.Objects("namespaces", Namespace),
        UidMappings = node.Objects("uidMappings", IdMapping),
        GidMappings = node.Objects("gidMappings", IdMapping),
        TimeOffsets = node.ObjectMap("timeOffsets", TimeOffset),
        Personality = node.OptionalObject("personality", Personality),
        IntelRdt = node.OptionalObject("intelRdt", static rdt => new IntelRdtSpec { ClosID = rdt.OptionalText("closID") }),
        NetDevices = node.ObjectMap("netDevices", static device => new NetDeviceSpec { Name = device.OptionalText("name") }),
        Devices = node.Objects("devices", Device),
        CgroupsPath = node.OptionalText("cgroupsPath"),
        Resources = node.OptionalObject("resources", Resources),
        Sysctl = node.TextMap("sysctl"),
        Seccomp = node.OptionalObject("seccomp", Seccomp),
        RootfsPropagation = node.OptionalText("rootfsPropagation"),
        MaskedPaths = node.Texts("maskedPaths"),
        ReadonlyPaths = node.Texts("readonlyPaths"),
        MountLabel = node.OptionalText("mountLabel"),
    };

    private static NamespaceSpec Namespace(SpecNode node) => new(node.Text("type")) { Path = node.OptionalText("path") };

    private static DeviceSpec Device(SpecNode node) => new(node.Text("path"), node.Text("type"))
    {
        Major = node.OptionalNumber<long>("major"),
        Minor = node.OptionalNumber<long>("minor"),
        FileMode = node.OptionalNumber<uint>("fileMode"),
        Uid = node.OptionalNumber<uint>("uid"),
        Gid = node.OptionalNumber<uint>("gid"),
    };

    private static TimeOffsetSpec TimeOffset(SpecNode node) => new()
    {
        Secs = node.OptionalNumber<long>("secs") ?? 0,
        Nanosecs = node.OptionalNumber<uint>("nanosecs") ?? 0,
    };

    private static PersonalitySpec Personality(SpecNode node) => new(node.Text("domain")) { Flags = node.Texts("flags") };

    private static SeccompSpec Seccomp(SpecNode node) => new(node.Text("defaultAction"))
    {
        DefaultErrnoRet = node.OptionalNumber<uint>("defaultErrnoRet"),
        Architectures = node.Texts("architectures"),
        Flags = node.Texts("flags"),
        ListenerPath = node.OptionalText("listenerPath"),
        ListenerMetadata = node.OptionalText("listenerMetadata"),
        Syscalls = node.Objects("syscalls", SyscallRule),
    };

    private static SyscallRule SyscallRule(SpecNode node) => new(node.Texts("names") ?? throw node.Missing("names"), node.Text("action"))
    {
        ErrnoRet = node.OptionalNumber<uint>("errnoRet"),
        Args = node.Objects("args", SyscallArgument),
    };

    private static SyscallArgument SyscallArgument(SpecNode node) =>
        new(node.Number<uint>("index"), node.Number<ulong>("value"), node.Text("op")) { ValueTwo = node.OptionalNumber<ulong>("valueTwo") };
}
