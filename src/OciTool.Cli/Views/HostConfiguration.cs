using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>What a container may do on the host.</summary>
internal sealed record HostConfiguration
{
    /// <summary>What of the host is mounted in it.</summary>
    public string[] Binds { get; init; } = [];

    /// <summary>Who makes its cgroup.</summary>
    public string CgroupManager { get; init; } = "cgroupfs";

    /// <summary>Its cgroup namespace.</summary>
    public string CgroupMode { get; init; } = "private";

    /// <summary>The file that its ID was written to.</summary>
    public string ContainerIDFile { get; init; } = "";

    /// <summary>Where its output goes.</summary>
    public LogConfiguration LogConfig { get; init; } = new();

    /// <summary>Its network namespace.</summary>
    public string NetworkMode { get; init; } = "host";

    /// <summary>Its published ports.</summary>
    public Dictionary<string, string> PortBindings { get; init; } = [];

    /// <summary>When it is started again.</summary>
    public RestartPolicy RestartPolicy { get; init; } = new();

    /// <summary>Whether it is removed when it ends.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>Whether its image is, too.</summary>
    public bool AutoRemoveImage { get; init; }

    /// <summary>Its annotations.</summary>
    public Dictionary<string, string> Annotations { get; init; } = [];

    /// <summary>Empty.</summary>
    public string VolumeDriver { get; init; } = "";

    /// <summary>The containers whose volumes it shares.</summary>
    public string[]? VolumesFrom { get; init; }

    /// <summary>The capabilities that it has beyond the default.</summary>
    public string[] CapAdd { get; init; } = [];

    /// <summary>The default capabilities that it lacks.</summary>
    public string[] CapDrop { get; init; } = [];

    /// <summary>Its name servers.</summary>
    public string[] Dns { get; init; } = [];

    /// <summary>Its resolver options.</summary>
    public string[] DnsOptions { get; init; } = [];

    /// <summary>Its search domains.</summary>
    public string[] DnsSearch { get; init; } = [];

    /// <summary>Further entries of its hosts file.</summary>
    public string[] ExtraHosts { get; init; } = [];

    /// <summary>The hosts file that its own begins with.</summary>
    public string HostsFile { get; init; } = "";

    /// <summary>Its additional groups.</summary>
    public string[] GroupAdd { get; init; } = [];

    /// <summary>Its IPC namespace.</summary>
    public string IpcMode { get; init; } = "private";

    /// <summary>Empty.</summary>
    public string Cgroup { get; init; } = "";

    /// <summary>Whether it has a cgroup.</summary>
    public string Cgroups { get; init; } = "default";

    /// <summary>Always null.</summary>
    public string[]? Links { get; init; }

    /// <summary>How willingly the kernel kills it.</summary>
    public int OomScoreAdj { get; init; }

    /// <summary>Its PID namespace.</summary>
    public string PidMode { get; init; } = "private";

    /// <summary>Whether it is privileged.</summary>
    public bool Privileged { get; init; }

    /// <summary>Whether all ports are published.</summary>
    public bool PublishAllPorts { get; init; }

    /// <summary>Whether its root cannot be written.</summary>
    public bool ReadonlyRootfs { get; init; }

    /// <summary>Its security options.</summary>
    public string[] SecurityOpt { get; init; } = [];

    /// <summary>Its tmpfs mounts and their options.</summary>
    public Dictionary<string, string> Tmpfs { get; init; } = [];

    /// <summary>Its UTS namespace.</summary>
    public string UTSMode { get; init; } = "private";

    /// <summary>Its user namespace.</summary>
    public string UsernsMode { get; init; } = "";

    /// <summary>The size of /dev/shm in bytes.</summary>
    public long ShmSize { get; init; } = 65536000;

    /// <summary>Always <c>oci</c>.</summary>
    public string Runtime { get; init; } = "oci";

    /// <summary>Always 0 by 0.</summary>
    public int[] ConsoleSize { get; init; } = [0, 0];

    /// <summary>Empty.</summary>
    public string Isolation { get; init; } = "";

    /// <summary>Its weight for processors.</summary>
    public ulong CpuShares { get; init; }

    /// <summary>Its memory limit in bytes; 0 for none.</summary>
    public long Memory { get; init; }

    /// <summary>Its processors, in billionths; 0 for all.</summary>
    public long NanoCpus { get; init; }

    /// <summary>The cgroup that its own is in.</summary>
    public string CgroupParent { get; init; } = "";

    /// <summary>Always 0.</summary>
    public int BlkioWeight { get; init; }

    /// <summary>Always null.</summary>
    public string[]? BlkioWeightDevice { get; init; }

    /// <summary>Always null.</summary>
    public string[]? BlkioDeviceReadBps { get; init; }

    /// <summary>Always null.</summary>
    public string[]? BlkioDeviceWriteBps { get; init; }

    /// <summary>Always null.</summary>
    public string[]? BlkioDeviceReadIOps { get; init; }

    /// <summary>Always null.</summary>
    public string[]? BlkioDeviceWriteIOps { get; init; }

    /// <summary>The period of its quota in microseconds.</summary>
    public ulong CpuPeriod { get; init; }

    /// <summary>Its quota in microseconds.</summary>
    public long CpuQuota { get; init; }

    /// <summary>Always 0.</summary>
    public int CpuRealtimePeriod { get; init; }

    /// <summary>Always 0.</summary>
    public int CpuRealtimeRuntime { get; init; }

    /// <summary>The processors that it may use.</summary>
    public string CpusetCpus { get; init; } = "";

    /// <summary>The memory nodes that it may use.</summary>
    public string CpusetMems { get; init; } = "";

    /// <summary>Its further devices.</summary>
    public ContainerDevice[] Devices { get; init; } = [];

    /// <summary>Always 0.</summary>
    public int DiskQuota { get; init; }

    /// <summary>Always 0.</summary>
    public int KernelMemory { get; init; }

    /// <summary>Its soft memory limit in bytes.</summary>
    public long MemoryReservation { get; init; }

    /// <summary>Its limit for memory and swap in bytes.</summary>
    public long MemorySwap { get; init; }

    /// <summary>How willingly it swaps.</summary>
    public long MemorySwappiness { get; init; }

    /// <summary>Whether the kernel does not kill it for want of memory.</summary>
    public bool OomKillDisable { get; init; }

    /// <summary>Whether it has an init process.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Init { get; init; }

    /// <summary>How many processes it may have.</summary>
    public long PidsLimit { get; init; } = 2048;

    /// <summary>Its resource limits.</summary>
    public ResourceLimit[] Ulimits { get; init; } = [];

    /// <summary>Always 0.</summary>
    public int CpuCount { get; init; }

    /// <summary>Always 0.</summary>
    public int CpuPercent { get; init; }

    /// <summary>Always 0.</summary>
    public int IOMaximumIOps { get; init; }

    /// <summary>Always 0.</summary>
    public int IOMaximumBandwidth { get; init; }

    /// <summary>Always null.</summary>
    public Dictionary<string, string>? CgroupConf { get; init; }
}

/// <summary>Where a container's output goes.</summary>
internal sealed record LogConfiguration
{
    /// <summary>The log driver.</summary>
    public string Type { get; init; } = "k8s-file";

    /// <summary>Always null.</summary>
    public Dictionary<string, string>? Config { get; init; }

    /// <summary>The log file.</summary>
    public string Path { get; init; } = "";

    /// <summary>Empty.</summary>
    public string Tag { get; init; } = "";

    /// <summary>The largest size.</summary>
    public string Size { get; init; } = "0B";
}

/// <summary>When a container is started again.</summary>
internal sealed record RestartPolicy
{
    /// <summary>The policy.</summary>
    public string Name { get; init; } = "no";

    /// <summary>How often at most.</summary>
    public int MaximumRetryCount { get; init; }
}

/// <summary>A device of the host in a container.</summary>
internal sealed record ContainerDevice
{
    /// <summary>Its path on the host.</summary>
    public string PathOnHost { get; init; } = "";

    /// <summary>Its path in the container.</summary>
    public string PathInContainer { get; init; } = "";

    /// <summary>What may be done with it.</summary>
    public string CgroupPermissions { get; init; } = "";
}

/// <summary>A resource limit.</summary>
internal sealed record ResourceLimit
{
    /// <summary>Its name, for example <c>RLIMIT_NOFILE</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>The limit in force.</summary>
    public long Soft { get; init; }

    /// <summary>How far it may be raised.</summary>
    public long Hard { get; init; }
}
