namespace OciTool.Runtime.Spec;

/// <summary>A system call filter (runtime-spec, config-linux.md, "Seccomp").</summary>
/// <param name="DefaultAction">What happens to calls that no rule names.</param>
public sealed record SeccompSpec(string DefaultAction)
{
    /// <summary>The errno of the default action, where that is <c>SCMP_ACT_ERRNO</c> or <c>SCMP_ACT_TRACE</c>.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>The architectures whose calls are filtered besides the machine's own, for example <c>SCMP_ARCH_X86</c>.</summary>
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>Flags for seccomp(2).</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>The socket of the agent that decides on calls whose action is <c>SCMP_ACT_NOTIFY</c>.</summary>
    public string? ListenerPath { get; init; }

    /// <summary>A text for that agent, which is passed on as it is.</summary>
    public string? ListenerMetadata { get; init; }

    /// <summary>The rules.</summary>
    public IReadOnlyList<SyscallRule>? Syscalls { get; init; }
}

/// <summary>A rule of a system call filter.</summary>
/// <param name="Names">The calls, at least one.</param>
/// <param name="Action">What happens to them.</param>
public sealed record SyscallRule(IReadOnlyList<string> Names, string Action)
{
    /// <summary>The errno, where the action is <c>SCMP_ACT_ERRNO</c> or <c>SCMP_ACT_TRACE</c>.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>Conditions on arguments, all of which must hold; any of them where two are on one argument, as in runc.</summary>
    public IReadOnlyList<SyscallArgument>? Args { get; init; }
}

/// <summary>A condition on an argument of a system call.</summary>
/// <param name="Index">The argument, from 0.</param>
/// <param name="Value">The value to compare with, or the mask.</param>
/// <param name="Op">For example <c>SCMP_CMP_EQ</c>.</param>
public sealed record SyscallArgument(uint Index, ulong Value, string Op)
{
    /// <summary>The value to compare with behind a mask.</summary>
    public ulong? ValueTwo { get; init; }
}
