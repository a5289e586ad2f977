using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>What <c>info</c> prints.</summary>
internal sealed record SystemInformation
{
    /// <summary>The machine.</summary>
    [JsonPropertyName("host")]
    public HostInformation Host { get; init; } = new();

    /// <summary>The store.</summary>
    [JsonPropertyName("store")]
    public StoreInformation Store { get; init; } = new();

    /// <summary>The search list of short names.</summary>
    [JsonPropertyName("registries")]
    public Dictionary<string, string[]> Registries { get; init; } = [];

    /// <summary>This tool.</summary>
    [JsonPropertyName("version")]
    public VersionInformation Version { get; init; } = new();
}

/// <summary>The machine that containers run on.</summary>
internal sealed record HostInformation
{
    /// <summary>Its processor architecture, as Go calls it.</summary>
    [JsonPropertyName("arch")]
    public string Arch { get; init; } = "";

    /// <summary>Who makes cgroups.</summary>
    [JsonPropertyName("cgroupManager")]
    public string CgroupManager { get; init; } = "cgroupfs";

    /// <summary><c>v1</c> or <c>v2</c>.</summary>
    [JsonPropertyName("cgroupVersion")]
    public string CgroupsVersion { get; init; } = "";

    /// <summary>The controllers that can be used.</summary>
    [JsonPropertyName("cgroupControllers")]
    public string[] CgroupControllers { get; init; } = [];

    /// <summary>How many processors it has.</summary>
    [JsonPropertyName("cpus")]
    public int Cpus { get; init; }

    /// <summary>The distribution.</summary>
    [JsonPropertyName("distribution")]
    public DistributionInformation Distribution { get; init; } = new();

    /// <summary>Where events go: nowhere.</summary>
    [JsonPropertyName("eventLogger")]
    public string EventLogger { get; init; } = "none";

    /// <summary>Its name.</summary>
    [JsonPropertyName("hostname")]
    public string Hostname { get; init; } = "";

    /// <summary>The kernel's release.</summary>
    [JsonPropertyName("kernel")]
    public string Kernel { get; init; } = "";

    /// <summary>Where output of containers goes.</summary>
    [JsonPropertyName("logDriver")]
    public string LogDriver { get; init; } = "k8s-file";

    /// <summary>Free memory in bytes.</summary>
    [JsonPropertyName("memFree")]
    public long MemFree { get; init; }

    /// <summary>Memory in bytes.</summary>
    [JsonPropertyName("memTotal")]
    public long MemTotal { get; init; }

    /// <summary>Who makes networks.</summary>
    [JsonPropertyName("networkBackend")]
    public string NetworkBackend { get; init; } = "none";

    /// <summary>The runtime: this tool itself.</summary>
    [JsonPropertyName("ociRuntime")]
    public RuntimeDescription OCIRuntime { get; init; } = new();

    /// <summary>The operating system.</summary>
    [JsonPropertyName("os")]
    public string OS { get; init; } = "linux";

    /// <summary>What protects the host.</summary>
    [JsonPropertyName("security")]
    public SecurityInformation Security { get; init; } = new();

    /// <summary>Always false.</summary>
    [JsonPropertyName("serviceIsRemote")]
    public bool ServiceIsRemote { get; init; }

    /// <summary>Free swap in bytes.</summary>
    [JsonPropertyName("swapFree")]
    public long SwapFree { get; init; }

    /// <summary>Swap in bytes.</summary>
    [JsonPropertyName("swapTotal")]
    public long SwapTotal { get; init; }

    /// <summary>How long it has been up, as <c>0h 42m 25.00s</c>.</summary>
    [JsonPropertyName("uptime")]
    public string Uptime { get; init; } = "";

    /// <summary>The level of its processor, for example <c>v3</c>.</summary>
    [JsonPropertyName("variant")]
    public string Variant { get; init; } = "";
}

/// <summary>The distribution of the host.</summary>
internal sealed record DistributionInformation
{
    /// <summary>Its ID.</summary>
    [JsonPropertyName("distribution")]
    public string Distribution { get; init; } = "";

    /// <summary>Its variant.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>Its version.</summary>
    [JsonPropertyName("version")]
    public string Version { get; init; } = "";

    /// <summary>Its code name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("codename")]
    public string? Codename { get; init; }
}

/// <summary>The runtime.</summary>
internal sealed record RuntimeDescription
{
    /// <summary>Its name.</summary>
    [JsonPropertyName("name")]
    public string Name { get; init; } = "oci";

    /// <summary>Its file.</summary>
    [JsonPropertyName("path")]
    public string Path { get; init; } = "";

    /// <summary>Its version.</summary>
    [JsonPropertyName("version")]
    public string Version { get; init; } = "";
}

/// <summary>What protects the host from containers.</summary>
internal sealed record SecurityInformation
{
    /// <summary>Whether AppArmor is on.</summary>
    [JsonPropertyName("apparmorEnabled")]
    public bool AppArmorEnabled { get; init; }

    /// <summary>The default capabilities, parted by commas.</summary>
    [JsonPropertyName("capabilities")]
    public string DefaultCapabilities { get; init; } = "";

    /// <summary>Whether we run without root.</summary>
    [JsonPropertyName("rootless")]
    public bool Rootless { get; init; }

    /// <summary>Whether seccomp is used.</summary>
    [JsonPropertyName("seccompEnabled")]
    public bool SECCOMPEnabled { get; init; }

    /// <summary>The profile; empty for the built-in one.</summary>
    [JsonPropertyName("seccompProfilePath")]
    public string SECCOMPProfilePath { get; init; } = "";

    /// <summary>Whether SELinux is on.</summary>
    [JsonPropertyName("selinuxEnabled")]
    public bool SELinuxEnabled { get; init; }
}

/// <summary>The store of images and containers.</summary>
internal sealed record StoreInformation
{
    /// <summary>How many containers there are.</summary>
    [JsonPropertyName("containerStore")]
    public ContainerCounts ContainerStore { get; init; } = new();

    /// <summary>The kind of snapshots.</summary>
    [JsonPropertyName("graphDriverName")]
    public string GraphDriverName { get; init; } = "overlay";

    /// <summary>Options of that.</summary>
    [JsonPropertyName("graphOptions")]
    public Dictionary<string, string> GraphOptions { get; init; } = [];

    /// <summary>The store's directory.</summary>
    [JsonPropertyName("graphRoot")]
    public string GraphRoot { get; init; } = "";

    /// <summary>The size of its file system in bytes.</summary>
    [JsonPropertyName("graphRootAllocated")]
    public long GraphRootAllocated { get; init; }

    /// <summary>What of that is used.</summary>
    [JsonPropertyName("graphRootUsed")]
    public long GraphRootUsed { get; init; }

    /// <summary>What the file system can do.</summary>
    [JsonPropertyName("graphStatus")]
    public Dictionary<string, string> GraphStatus { get; init; } = [];

    /// <summary>How many images there are.</summary>
    [JsonPropertyName("imageStore")]
    public ImageCounts ImageStore { get; init; } = new();

    /// <summary>The directory of run-time state.</summary>
    [JsonPropertyName("runRoot")]
    public string RunRoot { get; init; } = "";
}

/// <summary>How many containers there are.</summary>
internal sealed record ContainerCounts
{
    /// <summary>All.</summary>
    [JsonPropertyName("number")]
    public int Number { get; init; }

    /// <summary>Frozen ones.</summary>
    [JsonPropertyName("paused")]
    public int Paused { get; init; }

    /// <summary>Running ones.</summary>
    [JsonPropertyName("running")]
    public int Running { get; init; }

    /// <summary>Ended ones.</summary>
    [JsonPropertyName("stopped")]
    public int Stopped { get; init; }
}

/// <summary>How many images there are.</summary>
internal sealed record ImageCounts
{
    /// <summary>All.</summary>
    [JsonPropertyName("number")]
    public int Number { get; init; }
}
