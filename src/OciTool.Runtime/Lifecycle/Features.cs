using System.Text.Json.Serialization;
using OciTool.Linux;
using OciTool.Runtime.Seccomp;

namespace OciTool.Runtime.Lifecycle;

/// <summary>What a runtime can do.</summary>
/// <remarks>OCI runtime-spec v1.2, features.md.</remarks>
public sealed record Features(string OciVersionMin, string OciVersionMax)
{
    /// <summary>The kinds of hooks.</summary>
    public IReadOnlyList<string>? Hooks { get; init; }

    /// <summary>The options of mounts.</summary>
    public IReadOnlyList<string>? MountOptions { get; init; }

    /// <summary>What only Linux has.</summary>
    public LinuxFeatures? Linux { get; init; }

    /// <summary>Annotations that change what the runtime does.</summary>
    public IReadOnlyList<string>? PotentiallyUnsafeConfigAnnotations { get; init; }

    /// <summary>What this runtime can do on this host.</summary>
    public static Features OfThisRuntime() => new("1.0.0", Spec.RuntimeSpec.Version)
    {
        Hooks = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        MountOptions =
        [
            "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "idmap", "iversion", "lazytime", "loud",
            "noatime", "nodev", "nodiratime", "noexec", "noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid",
            "nosymfollow", "private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "rexec", "ridmap", "rnoatime", "rnodev",
            "rnodiratime", "rnoexec", "rnosuid", "rnosymfollow", "ro", "rprivate", "rrelatime", "rro", "rrw", "rshared", "rslave",
            "rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid",
            "symfollow", "sync", "tmpcopyup", "unbindable",
        ],
        Linux = new()
        {
            Namespaces = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            Capabilities = [.. Enumerable.Range(0, CapabilitySet.Count).Select(CapabilitySet.NameOf)],
            Cgroup = new(V1: true, V2: true, Systemd: false, SystemdUser: false, Rdma: true),
            Seccomp = new(true)
            {
                Actions =
                [
                    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                    "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
                ],
                Operators =
                [
                    "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
                ],
                Archs =
                [
                    "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
                    "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
                    "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32",
                    "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
                ],
            },
            Apparmor = new(true),
            Selinux = new(true),
            IntelRdt = new(false),
            MountExtensions = new(new(true)),
        },
    };
}

/// <summary>What a runtime can do on Linux.</summary>
public sealed record LinuxFeatures
{
    /// <summary>The kinds of namespaces.</summary>
    public IReadOnlyList<string>? Namespaces { get; init; }

    /// <summary>The names of capabilities.</summary>
    public IReadOnlyList<string>? Capabilities { get; init; }

    /// <summary>Control groups.</summary>
    public CgroupFeatures? Cgroup { get; init; }

    /// <summary>System call filters.</summary>
    public SeccompFeatures? Seccomp { get; init; }

    /// <summary>AppArmor.</summary>
    public Feature? Apparmor { get; init; }

    /// <summary>SELinux.</summary>
    public Feature? Selinux { get; init; }

    /// <summary>Intel's resource director.</summary>
    public Feature? IntelRdt { get; init; }

    /// <summary>Kinds of mounts.</summary>
    public MountFeatures? MountExtensions { get; init; }
}

/// <summary>Control groups.</summary>
public sealed record CgroupFeatures(bool V1, bool V2, bool Systemd, bool SystemdUser, bool Rdma);

/// <summary>Something that is there or not.</summary>
public sealed record Feature(bool Enabled);

/// <summary>Kinds of mounts.</summary>
public sealed record MountFeatures(Feature Idmap);

/// <summary>System call filters.</summary>
public sealed record SeccompFeatures(bool Enabled)
{
    /// <summary>The actions.</summary>
    public IReadOnlyList<string>? Actions { get; init; }

    /// <summary>The comparisons.</summary>
    public IReadOnlyList<string>? Operators { get; init; }

    /// <summary>The architectures.</summary>
    public IReadOnlyList<string>? Archs { get; init; }
}

/// <summary>Writes features without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Features))]
public sealed partial class FeaturesJson : JsonSerializerContext;
