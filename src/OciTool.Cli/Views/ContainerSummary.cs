using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>A container as <c>ps --format json</c> prints it.</summary>
internal sealed record ContainerSummary
{
    /// <summary>Whether it is removed when it ends.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>Its command line.</summary>
    public string[] Command { get; init; } = [];

    /// <summary>How long ago it was made, in words.</summary>
    public string CreatedAt { get; init; } = "";

    /// <summary>The file that its ID was written to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? CIDFile { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool Exited { get; init; }

    /// <summary>When it ended, in seconds since 1970; the default means never.</summary>
    public long ExitedAt { get; init; } = -62135596800;

    /// <summary>The status that it ended with.</summary>
    public int ExitCode { get; init; }

    /// <summary>Its ID.</summary>
    public string Id { get; init; } = "";

    /// <summary>The name of its image.</summary>
    public string Image { get; init; } = "";

    /// <summary>The ID of its image.</summary>
    public string ImageID { get; init; } = "";

    /// <summary>Always false: there are no pods.</summary>
    public bool IsInfra { get; init; }

    /// <summary>Its labels.</summary>
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>Where something is mounted in it.</summary>
    public string[] Mounts { get; init; } = [];

    /// <summary>Its name.</summary>
    public string[] Names { get; init; } = [];

    /// <summary>Its namespaces, when they are asked for.</summary>
    public Dictionary<string, string> Namespaces { get; init; } = [];

    /// <summary>Its networks.</summary>
    public string[] Networks { get; init; } = [];

    /// <summary>Its first process; 0 when it does not run.</summary>
    public int Pid { get; init; }

    /// <summary>Always empty.</summary>
    public string Pod { get; init; } = "";

    /// <summary>Always empty.</summary>
    public string PodName { get; init; } = "";

    /// <summary>Its published ports.</summary>
    public PublishedPort[]? Ports { get; init; }

    /// <summary>How often it was started again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Restarts { get; init; }

    /// <summary>Its size, when it is asked for.</summary>
    public ContainerSize? Size { get; init; }

    /// <summary>When it was started, in seconds since 1970; the default means never.</summary>
    public long StartedAt { get; init; } = -62135596800;

    /// <summary>Its state, for example <c>exited</c>.</summary>
    public string State { get; init; } = "";

    /// <summary>Its state in words, for example <c>Exited (0) 2 hours ago</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>When it was made, in seconds since 1970.</summary>
    public long Created { get; init; }
}

/// <summary>A port of the host that leads into a container.</summary>
internal sealed record PublishedPort
{
    /// <summary>The host's address.</summary>
    [JsonPropertyName("host_ip")]
    public string HostIp { get; init; } = "";

    /// <summary>The container's port.</summary>
    [JsonPropertyName("container_port")]
    public int ContainerPort { get; init; }

    /// <summary>The host's port.</summary>
    [JsonPropertyName("host_port")]
    public int HostPort { get; init; }

    /// <summary>How many ports in a row.</summary>
    [JsonPropertyName("range")]
    public int Range { get; init; }

    /// <summary><c>tcp</c> or <c>udp</c>.</summary>
    [JsonPropertyName("protocol")]
    public string Protocol { get; init; } = "";
}

/// <summary>How much a container holds, in bytes.</summary>
internal sealed record ContainerSize
{
    /// <summary>Image and changes.</summary>
    [JsonPropertyName("rootFsSize")]
    public long RootFsSize { get; init; }

    /// <summary>Changes.</summary>
    [JsonPropertyName("rwSize")]
    public long RwSize { get; init; }
}
