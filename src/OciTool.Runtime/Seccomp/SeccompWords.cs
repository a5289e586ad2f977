using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Seccomp;

/// <summary>The constants of the specification, and what each is for the kernel or libseccomp.</summary>
public static class SeccompWords
{
    /// <summary><c>SECCOMP_FILTER_FLAG_NEW_LISTENER</c>: seccomp(2) returns a descriptor for the agent.</summary>
    internal const uint NewListener = 1 << 3;

    /// <summary><c>SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV</c>, which the kernel refuses without a listener.</summary>
    internal const uint WaitKillable = 1 << 5;

    // SECCOMP_RET_* of linux/seccomp.h
    internal const uint Notify = 0x7fc00000;
    private const uint KillProcess = 0x80000000;
    private const uint KillThread = 0;
    private const uint Trap = 0x00030000;
    private const uint Error = 0x00050000;
    private const uint Trace = 0x7ff00000;
    private const uint Log = 0x7ffc0000;
    private const uint Allow = 0x7fff0000;

    // the kernel caps what a filter returns as an errno (MAX_ERRNO), and libseccomp takes only what is less
    private const uint MaxErrno = 4094;
    private const uint MaxData = 0xffff;

    /// <summary>Every action.</summary>
    public static IReadOnlyList<string> Actions { get; } =
    [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
    ];

    /// <summary>Every operator; the place in the list is libseccomp's number less one (<c>enum scmp_compare</c>).</summary>
    public static IReadOnlyList<string> Operators { get; } =
    [
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
    ];

    /// <summary>Every architecture.</summary>
    public static IReadOnlyList<string> Architectures { get; } =
    [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
        "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ];

    /// <summary>Every flag.</summary>
    public static IReadOnlyList<string> Flags { get; } =
    [
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ];

    /// <summary>An action as the kernel's <c>SECCOMP_RET_*</c> with its errno.</summary>
    /// <exception cref="OciException">There is no such action, or it takes no errno, or not this one.</exception>
    internal static uint ActionOf(string action, uint? errno)
    {
        return action switch
        {
            "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => WithoutErrno(KillThread),
            "SCMP_ACT_KILL_PROCESS" => WithoutErrno(KillProcess),
            "SCMP_ACT_TRAP" => WithoutErrno(Trap),
            "SCMP_ACT_ERRNO" => WithErrno(Error, MaxErrno),
            "SCMP_ACT_TRACE" => WithErrno(Trace, MaxData),
            "SCMP_ACT_LOG" => WithoutErrno(Log),
            "SCMP_ACT_ALLOW" => WithoutErrno(Allow),
            "SCMP_ACT_NOTIFY" => WithoutErrno(Notify),
            _ => throw Invalid($"unknown action '{Printable.Shorten(action)}'"),
        };

        uint WithoutErrno(uint value) => errno is null ? value : throw Invalid($"{action} takes no errno");

        uint WithErrno(uint value, uint most) => (errno ?? (uint)Errno.EPERM) is var data && data <= most
            ? value | data
            : throw Invalid($"errno {data} is larger than {most}");
    }

    /// <summary>An operator as libseccomp's number.</summary>
    internal static int ComparisonOf(string name)
    {
        for (int i = 0; i < Operators.Count; i++)
        {
            if (Operators[i] == name)
            {
                return i + 1;
            }
        }

        throw Invalid($"unknown operator '{Printable.Shorten(name)}'");
    }

    /// <summary>A flag as the kernel's bit.</summary>
    internal static uint FlagOf(string name) => name switch
    {
        // one thread installs the filter and then executes the program, which ends all others: there is nobody to wait for
        "SECCOMP_FILTER_FLAG_TSYNC" => 0,
        "SECCOMP_FILTER_FLAG_LOG" => 1 << 1,
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => 1 << 2,
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => WaitKillable,
        _ => throw Invalid($"unknown flag '{Printable.Shorten(name)}'"),
    };

    internal static OciException Invalid(string cause) => new($"invalid seccomp profile: {cause}");
}
