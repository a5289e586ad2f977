using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Which capabilities a container gets.</summary>
public static class ContainerCapabilities
{
    // in the order of linux/capability.h: the index is the number
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ];

    // the eleven that containers have by default (containers-common)
    private const ulong DefaultSet = 0x800405fb;

    private const ulong All = (1UL << 41) - 1;

    /// <summary>The bit of <c>CAP_SYS_RESOURCE</c>.</summary>
    internal const ulong SysResource = 1UL << 24;

    /// <summary>The names of the capabilities that containers have by default.</summary>
    public static IReadOnlyList<string> Default => ToNames(DefaultSet);

    /// <summary>The five sets.</summary>
    /// <param name="options">The user's flags.</param>
    /// <param name="uid">Whom the container runs as.</param>
    /// <param name="held">What this process has to give: the rest is left out.</param>
    /// <param name="warnings">Told of an added capability that this process lacks.</param>
    /// <exception cref="OciException">A name is unknown, or both added and dropped.</exception>
    internal static CapabilitiesSpec Resolve(RunOptions options, uint uid, ulong held, List<string> warnings)
    {
        ulong added = Parse(options.CapAdd, out bool addAll);
        ulong dropped = Parse(options.CapDrop, out bool dropAll);
        if ((added & dropped) != 0 && !addAll && !dropAll)
        {
            throw new OciException(
                $"capability \"{ToNames(added & dropped)[0]}\" cannot be dropped and added");
        }

        ulong bounding = addAll ? All & ~dropped
            : dropAll ? added
            : ((options.Privileged ? All : DefaultSet) | added) & ~dropped;
        if (!addAll && (added & ~held) != 0)
        {
            warnings.Add($"{string.Join(", ", ToNames(added & ~held))}: this process does not have it to give: left out");
        }

        bounding &= held;
        List<string> bound = ToNames(bounding);
        if (uid == 0)
        {
            // inheritable and ambient stay empty: a program must not pass them on by files' own sets (CVE-2022-24769)
            return new() { Bounding = bound, Effective = bound, Inheritable = [], Permitted = bound, Ambient = [] };
        }

        List<string> asked = ToNames((addAll ? 0 : added) & bounding);
        return new() { Bounding = bound, Effective = asked, Inheritable = asked, Permitted = asked, Ambient = asked };
    }

    private static ulong Parse(IReadOnlyList<string> names, out bool all)
    {
        all = false;
        ulong bits = 0;
        foreach (string name in names)
        {
            string upper = name.ToUpperInvariant();
            if (upper == "ALL")
            {
                all = true;
                continue;
            }

            int number = Array.IndexOf(Names, upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper[4..] : upper);
            bits |= number >= 0 ? 1UL << number : throw new OciException(
                $"\"{(upper.StartsWith("CAP_", StringComparison.Ordinal) ? "" : "CAP_")}{Printable.Shorten(upper)}\": unknown capability");
        }

        return bits;
    }

    private static List<string> ToNames(ulong bits)
    {
        List<string> names = [];
        for (int number = 0; number < Names.Length; number++)
        {
            if ((bits >> number & 1) != 0)
            {
                names.Add("CAP_" + Names[number]);
            }
        }

        return names;
    }
}
