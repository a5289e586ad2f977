namespace OciTool.Runtime.Spec;

/// <summary>The container's process.</summary>
/// <param name="Cwd">The working directory; absolute.</param>
/// <param name="User">Whom it runs as.</param>
public sealed record ProcessSpec(string Cwd, UserSpec User)
{
    /// <summary>Whether it gets a terminal.</summary>
    public bool? Terminal { get; init; }

    /// <summary>The terminal's size, in characters.</summary>
    public ConsoleSize? ConsoleSize { get; init; }

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>The environment, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The five capability sets, by names such as <c>CAP_CHOWN</c>.</summary>
    public CapabilitiesSpec? Capabilities { get; init; }

    /// <summary>Resource limits.</summary>
    public IReadOnlyList<RlimitSpec>? Rlimits { get; init; }

    /// <summary>Whether execve may no longer grant privileges.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <summary>Adjusts what the kernel kills first when memory runs out.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>The AppArmor profile.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>The SELinux label.</summary>
    public string? SelinuxLabel { get; init; }
}

/// <summary>A terminal's size, in characters.</summary>
public sealed record ConsoleSize(uint Height, uint Width);

/// <summary>Whom a process runs as.</summary>
/// <param name="Uid">The user ID inside the container.</param>
/// <param name="Gid">The group ID inside the container.</param>
public sealed record UserSpec(uint Uid, uint Gid)
{
    /// <summary>The file mode creation mask.</summary>
    public uint? Umask { get; init; }

    /// <summary>Additional groups.</summary>
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
}

/// <summary>The capability sets of a process.</summary>
public sealed record CapabilitiesSpec
{
    /// <summary>The most that it may ever have.</summary>
    public IReadOnlyList<string>? Bounding { get; init; }

    /// <summary>What it has.</summary>
    public IReadOnlyList<string>? Effective { get; init; }

    /// <summary>What files may pass on.</summary>
    public IReadOnlyList<string>? Inheritable { get; init; }

    /// <summary>What it may make effective.</summary>
    public IReadOnlyList<string>? Permitted { get; init; }

    /// <summary>What survives execve of an ordinary file.</summary>
    public IReadOnlyList<string>? Ambient { get; init; }
}

/// <summary>A resource limit.</summary>
/// <param name="Type">For example <c>RLIMIT_NOFILE</c>.</param>
/// <param name="Soft">The limit in force.</param>
/// <param name="Hard">The ceiling of the soft limit.</param>
public sealed record RlimitSpec(string Type, ulong Soft, ulong Hard);
