namespace OciTool.Linux;

/// <summary>A set of capabilities: bit n stands for the capability of number n.</summary>
/// <remarks>capabilities(7).</remarks>
public readonly record struct CapabilitySet(ulong Bits)
{
    /// <summary>CAP_SYS_ADMIN.</summary>
    public static readonly CapabilitySet SystemAdministration = new(1UL << 21);

    private static readonly string[] Names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>How many capabilities have a name.</summary>
    public static int Count => Names.Length;

    /// <summary>The name of a capability.</summary>
    /// <param name="number">Its number, below <see cref="Count"/>.</param>
    public static string NameOf(int number) => Names[number];

    /// <summary>Adds a capability by name.</summary>
    /// <param name="name">For example <c>CAP_CHOWN</c>.</param>
    /// <param name="result">This set with it.</param>
    /// <returns>False for a name that is none.</returns>
    public bool TryAdd(string name, out CapabilitySet result)
    {
        int number = Array.IndexOf(Names, name);
        result = number < 0 ? this : new(Bits | (1UL << number));
        return number >= 0;
    }

    /// <summary>What is in both sets.</summary>
    public static CapabilitySet operator &(CapabilitySet left, CapabilitySet right) => new(left.Bits & right.Bits);

    /// <summary>What is in one of the sets.</summary>
    public static CapabilitySet operator |(CapabilitySet left, CapabilitySet right) => new(left.Bits | right.Bits);

    /// <summary>What is in one of the sets.</summary>
    public static CapabilitySet BitwiseOr(CapabilitySet left, CapabilitySet right) => left | right;

    /// <summary>What is in both sets.</summary>
    public static CapabilitySet BitwiseAnd(CapabilitySet left, CapabilitySet right) => left & right;
}
