
namespace OciTool.Runtime.Spec;

/// <summary>A container's <c>config.json</c>.</summary>
/// <param name="OciVersion">The version of the runtime-spec that the document follows.</param>
/// <remarks>OCI runtime-spec v1.2, config.md and config-linux.md; the names below are its own.</remarks>
public sealed record RuntimeSpec(string OciVersion)
{
    /// <summary>The version that we write.</summary>
    public const string Version = "1.2.0";

    /// <summary>The process to start.</summary>
    public ProcessSpec? Process { get; init; }

    /// <summary>The root file system.</summary>
    public RootSpec? Root { get; init; }

    /// <summary>The host name in the container's UTS namespace.</summary>
    public string? Hostname { get; init; }

    /// <summary>The NIS domain name in the container's UTS namespace.</summary>
    public string? Domainname { get; init; }

    /// <summary>Mounts beyond the root, in the order in which they are made.</summary>
    public IReadOnlyList<MountSpec>? Mounts { get; init; }

    /// <summary>Programs of the host that are run at points of the container's life.</summary>
    public HooksSpec? Hooks { get; init; }

    /// <summary>Arbitrary metadata.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>What only Linux has.</summary>
    public LinuxSpec? Linux { get; init; }
}

/// <summary>The root file system.</summary>
/// <param name="Path">Absolute, or relative to the bundle.</param>
public sealed record RootSpec(string Path)
{
    /// <summary>Whether it is mounted read-only.</summary>
    public bool? Readonly { get; init; }
}
