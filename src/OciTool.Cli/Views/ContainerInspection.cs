using System.Text.Json.Serialization;
using OciTool.Cli.Output;

namespace OciTool.Cli.Views;

/// <summary>A container as <c>inspect</c> prints it.</summary>
internal sealed record ContainerInspection
{
    /// <summary>Its ID.</summary>
    public string Id { get; init; } = "";

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; init; } = GoTime.Zero;

    /// <summary>The program that it runs.</summary>
    public string Path { get; init; } = "";

    /// <summary>The arguments of that.</summary>
    public string[] Args { get; init; } = [];

    /// <summary>How it is.</summary>
    public ContainerState State { get; init; } = new();

    /// <summary>The ID of its image.</summary>
    public string Image { get; init; } = "";

    /// <summary>The digest of its image's manifest.</summary>
    public string ImageDigest { get; init; } = "";

    /// <summary>The name of its image.</summary>
    public string ImageName { get; init; } = "";

    /// <summary>Its root directory, when it has no image.</summary>
    public string Rootfs { get; init; } = "";

    /// <summary>Always empty.</summary>
    public string Pod { get; init; } = "";

    /// <summary>Its resolv.conf on the host.</summary>
    public string ResolvConfPath { get; init; } = "";

    /// <summary>Its hostname file on the host.</summary>
    public string HostnamePath { get; init; } = "";

    /// <summary>Its hosts file on the host.</summary>
    public string HostsPath { get; init; } = "";

    /// <summary>Its directory in the store.</summary>
    public string StaticDir { get; init; } = "";

    /// <summary>Its config.json.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? OCIConfigPath { get; init; }

    /// <summary>The runtime that runs it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? OCIRuntime { get; init; }

    /// <summary>Always empty: there is no conmon.</summary>
    public string ConmonPidFile { get; init; } = "";

    /// <summary>The file that its process ID was written to.</summary>
    public string PidFile { get; init; } = "";

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>How often it was started again.</summary>
    public int RestartCount { get; init; }

    /// <summary>The kind of its snapshot.</summary>
    public string Driver { get; init; } = "overlay";

    /// <summary>The SELinux label of its files.</summary>
    public string MountLabel { get; init; } = "";

    /// <summary>The SELinux label of its processes.</summary>
    public string ProcessLabel { get; init; } = "";

    /// <summary>Its AppArmor profile.</summary>
    public string AppArmorProfile { get; init; } = "";

    /// <summary>Its effective capabilities.</summary>
    public string[] EffectiveCaps { get; init; } = [];

    /// <summary>The capabilities that it can get.</summary>
    public string[] BoundingCaps { get; init; } = [];

    /// <summary>The commands that were started in it later.</summary>
    public string[] ExecIDs { get; init; } = [];

    /// <summary>How its files are stored.</summary>
    public GraphDriver GraphDriver { get; init; } = new();

    /// <summary>What the user mounted in it.</summary>
    public ContainerMount[] Mounts { get; init; } = [];

    /// <summary>The containers that it needs.</summary>
    public string[] Dependencies { get; init; } = [];

    /// <summary>Its addresses.</summary>
    public NetworkSettings NetworkSettings { get; init; } = new();

    /// <summary>Always empty.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Always false.</summary>
    public bool IsInfra { get; init; }

    /// <summary>Always false.</summary>
    public bool IsService { get; init; }

    /// <summary>Always <c>invalid</c>: there are no pods.</summary>
    public string KubeExitCodePropagation { get; init; } = "invalid";

    /// <summary>Always 0: locks have no numbers.</summary>
    [JsonPropertyName("lockNumber")]
    public int LockNumber { get; init; }

    /// <summary>What it runs as.</summary>
    public ContainerConfiguration Config { get; init; } = new();

    /// <summary>What it may do on the host.</summary>
    public HostConfiguration HostConfig { get; init; } = new();

    /// <summary>Whether it keeps the image's hosts file.</summary>
    public bool UseImageHosts { get; init; }

    /// <summary>Whether it keeps the image's hostname file.</summary>
    public bool UseImageHostname { get; init; }
}

/// <summary>How a container is.</summary>
internal sealed record ContainerState
{
    /// <summary>The version of the runtime-spec.</summary>
    public string OciVersion { get; init; } = "1.2.0";

    /// <summary><c>created</c>, <c>running</c>, <c>exited</c> and so on.</summary>
    public string Status { get; init; } = "";

    /// <summary>Whether it runs.</summary>
    public bool Running { get; init; }

    /// <summary>Whether it is frozen.</summary>
    public bool Paused { get; init; }

    /// <summary>Whether it is started again.</summary>
    public bool Restarting { get; init; }

    /// <summary>Whether it was killed for want of memory.</summary>
    public bool OOMKilled { get; init; }

    /// <summary>Always false.</summary>
    public bool Dead { get; init; }

    /// <summary>Its first process; 0 when it does not run.</summary>
    public int Pid { get; init; }

    /// <summary>Its monitor; 0 for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ConmonPid { get; init; }

    /// <summary>The status that it ended with.</summary>
    public int ExitCode { get; init; }

    /// <summary>Why it could not start.</summary>
    public string Error { get; init; } = "";

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartedAt { get; init; } = GoTime.Zero;

    /// <summary>When it ended.</summary>
    public DateTimeOffset FinishedAt { get; init; } = GoTime.Zero;

    /// <summary>Its cgroup.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? CgroupPath { get; init; }

    /// <summary>Never.</summary>
    public DateTimeOffset CheckpointedAt { get; init; } = GoTime.Zero;

    /// <summary>Never.</summary>
    public DateTimeOffset RestoredAt { get; init; } = GoTime.Zero;
}

/// <summary>Something mounted in a container.</summary>
internal sealed record ContainerMount
{
    /// <summary><c>bind</c>, <c>volume</c> or <c>tmpfs</c>.</summary>
    public string Type { get; init; } = "";

    /// <summary>The volume's name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? Name { get; init; }

    /// <summary>What is mounted.</summary>
    public string Source { get; init; } = "";

    /// <summary>Where.</summary>
    public string Destination { get; init; } = "";

    /// <summary>The volume's driver.</summary>
    public string Driver { get; init; } = "";

    /// <summary>Always empty.</summary>
    public string Mode { get; init; } = "";

    /// <summary>Further mount options.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>Whether it can be written.</summary>
    public bool RW { get; init; }

    /// <summary>How mounts under it spread.</summary>
    public string Propagation { get; init; } = "";
}

/// <summary>The addresses of a container.</summary>
internal sealed record NetworkSettings
{
    /// <summary>Empty.</summary>
    public string EndpointID { get; init; } = "";

    /// <summary>Its gateway.</summary>
    public string Gateway { get; init; } = "";

    /// <summary>Its address.</summary>
    public string IPAddress { get; init; } = "";

    /// <summary>The length of its network's prefix.</summary>
    public int IPPrefixLen { get; init; }

    /// <summary>Its IPv6 gateway.</summary>
    public string IPv6Gateway { get; init; } = "";

    /// <summary>Its IPv6 address.</summary>
    public string GlobalIPv6Address { get; init; } = "";

    /// <summary>The length of its IPv6 network's prefix.</summary>
    public int GlobalIPv6PrefixLen { get; init; }

    /// <summary>Its hardware address.</summary>
    public string MacAddress { get; init; } = "";

    /// <summary>Empty.</summary>
    public string Bridge { get; init; } = "";

    /// <summary>Empty.</summary>
    public string SandboxID { get; init; } = "";

    /// <summary>Always false.</summary>
    public bool HairpinMode { get; init; }

    /// <summary>Empty.</summary>
    public string LinkLocalIPv6Address { get; init; } = "";

    /// <summary>Always 0.</summary>
    public int LinkLocalIPv6PrefixLen { get; init; }

    /// <summary>Its published ports.</summary>
    public Dictionary<string, string> Ports { get; init; } = [];

    /// <summary>Its network namespace.</summary>
    public string SandboxKey { get; init; } = "";
}
