using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Where a container's network interfaces come from.</summary>
public enum NetworkMode
{
    /// <summary>It uses the host's.</summary>
    Host,

    /// <summary>It has a loopback interface only.</summary>
    None,
}

/// <summary>What the user asked of a container beyond what its image says.</summary>
public sealed record RunOptions
{
    /// <summary>The words behind the image; empty for the image's own command.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary><c>--entrypoint</c>: null for the image's, empty to clear it. See <see cref="ContainerCommand.ParseEntrypoint"/>.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary><c>--env</c>: <c>NAME=value</c>, or <c>NAME</c> and <c>NAME*</c> to take from this process's environment.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary><c>--env-file</c>: paths of the host.</summary>
    public IReadOnlyList<string> EnvFiles { get; init; } = [];

    /// <summary><c>--user</c>: <c>user[:group]</c>; null for the image's.</summary>
    public string? User { get; init; }

    /// <summary><c>--group-add</c>: names or numbers.</summary>
    public IReadOnlyList<string> GroupAdd { get; init; } = [];

    /// <summary><c>--workdir</c>; null for the image's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary><c>--hostname</c>.</summary>
    public string? Hostname { get; init; }

    /// <summary><c>--tty</c>.</summary>
    public bool Terminal { get; init; }

    /// <summary><c>--interactive</c>.</summary>
    public bool Interactive { get; init; }

    /// <summary><c>--read-only</c>.</summary>
    public bool ReadOnly { get; init; }

    /// <summary><c>--privileged</c>.</summary>
    public bool Privileged { get; init; }

    /// <summary><c>--security-opt no-new-privileges</c>.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary><c>--security-opt seccomp=…</c>: a path, <c>unconfined</c>, or null for the default.</summary>
    public string? SeccompProfile { get; init; }

    /// <summary><c>--cap-add</c>: names with or without <c>CAP_</c>, or <c>ALL</c>.</summary>
    public IReadOnlyList<string> CapAdd { get; init; } = [];

    /// <summary><c>--cap-drop</c>: names with or without <c>CAP_</c>, or <c>ALL</c>.</summary>
    public IReadOnlyList<string> CapDrop { get; init; } = [];

    /// <summary><c>--network</c>.</summary>
    public NetworkMode Network { get; init; }

    /// <summary><c>--volume</c>.</summary>
    public IReadOnlyList<VolumeMount> Volumes { get; init; } = [];

    /// <summary><c>--tmpfs</c>.</summary>
    public IReadOnlyList<TmpfsMount> Tmpfs { get; init; } = [];

    /// <summary><c>--init</c>: the runner puts its own reaper in front of the command.</summary>
    public bool Init { get; init; }

    /// <summary><c>--ulimit</c>. See <see cref="Ulimit.Parse"/>.</summary>
    public IReadOnlyList<RlimitSpec> Ulimits { get; init; } = [];

    /// <summary><c>--annotation</c>.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary><c>--add-host</c>: <c>name:address</c>.</summary>
    public IReadOnlyList<string> AddHosts { get; init; } = [];
}
