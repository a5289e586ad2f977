using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>What a container runs as.</summary>
internal sealed record ContainerConfiguration
{
    /// <summary>Its host name.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>Its domain name.</summary>
    public string Domainname { get; init; } = "";

    /// <summary>Its user.</summary>
    public string User { get; init; } = "";

    /// <summary>Always false.</summary>
    public bool AttachStdin { get; init; }

    /// <summary>Always false.</summary>
    public bool AttachStdout { get; init; }

    /// <summary>Always false.</summary>
    public bool AttachStderr { get; init; }

    /// <summary>Whether it has a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Whether its standard input stays open.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Always false.</summary>
    public bool StdinOnce { get; init; }

    /// <summary>Its environment.</summary>
    public string[] Env { get; init; } = [];

    /// <summary>Its command, without the entry point.</summary>
    public string[] Cmd { get; init; } = [];

    /// <summary>The name of its image.</summary>
    public string Image { get; init; } = "";

    /// <summary>The image's data directories.</summary>
    public Dictionary<string, EmptyObject>? Volumes { get; init; }

    /// <summary>Its working directory.</summary>
    public string WorkingDir { get; init; } = "";

    /// <summary>Its entry point.</summary>
    public string[]? Entrypoint { get; init; }

    /// <summary>Always null.</summary>
    public string[]? OnBuild { get; init; }

    /// <summary>Its labels.</summary>
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>Its annotations.</summary>
    public Dictionary<string, string>? Annotations { get; init; }

    /// <summary>The signal that asks it to stop.</summary>
    public string StopSignal { get; init; } = "SIGTERM";

    /// <summary>Always <c>none</c>.</summary>
    public string HealthcheckOnFailureAction { get; init; } = "none";

    /// <summary>The command line that made it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? CreateCommand { get; init; }

    /// <summary>Its time zone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? Timezone { get; init; }

    /// <summary>Its umask.</summary>
    public string Umask { get; init; } = "0022";

    /// <summary>After how many seconds it is killed; 0 for never.</summary>
    public int Timeout { get; init; }

    /// <summary>After how many seconds a stop becomes a kill.</summary>
    public int StopTimeout { get; init; } = 10;

    /// <summary>Whether its user is added to its passwd file.</summary>
    public bool Passwd { get; init; } = true;

    /// <summary>Always <c>container</c>.</summary>
    [JsonPropertyName("sdNotifyMode")]
    public string SdNotifyMode { get; init; } = "container";
}
