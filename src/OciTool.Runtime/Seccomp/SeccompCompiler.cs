using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>Compiles a system call filter to the program that the kernel runs.</summary>
public static class SeccompCompiler
{
    // SECCOMP_RET_* of linux/seccomp.h
    private const uint KillProcess = 0x80000000;
    private const uint KillThread = 0;
    private const uint Trap = 0x00030000;
    private const uint Error = 0x00050000;
    private const uint Trace = 0x7ff00000;
    private const uint Log = 0x7ffc0000;
    private const uint Allow = 0x7fff0000;

    /// <summary>Compiles a filter with libseccomp.</summary>
    /// <param name="profile">The filter.</param>
    /// <returns>An array of <c>struct sock_filter</c>.</returns>
    /// <exception cref="OciException">libseccomp is not installed, or refuses the filter.</exception>
    public static byte[] Compile(SeccompSpec profile)
    {
        SeccompLibrary library = SeccompLibrary.TryLoad() ?? throw new OciException(
            "cannot compile the seccomp profile: libseccomp.so.2 is not installed")
        {
            Hint = "install libseccomp, or run without a system call filter: --security-opt seccomp=unconfined",
        };

        uint defaultAction = ActionOf(profile.DefaultAction, profile.DefaultErrnoRet);
        try
        {
            using SeccompLibrary.Filter filter = library.Create(defaultAction);
            List<string> architectures = [];
            foreach (string architecture in profile.Architectures ?? [])
            {
                architectures.Add(WithoutPrefix(architecture, "SCMP_ARCH_"));
            }

            filter.SetArchitectures(architectures);
            foreach (SyscallRule rule in profile.Syscalls ?? [])
            {
                uint action = ActionOf(rule.Action, rule.ErrnoRet);
                if (action != defaultAction)
                {
                    AddRules(library, filter, rule, action);
                }
            }

            return filter.Export();
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot compile the seccomp profile: {Printable.Shorten(e.Message)}", e);
        }
    }

    private static void AddRules(SeccompLibrary library, SeccompLibrary.Filter filter, SyscallRule rule, uint action)
    {
        SeccompCondition[] conditions = [.. (rule.Args ?? []).Select(ConditionOf)];
        bool alternatives = conditions.DistinctBy(condition => condition.Index).Count() != conditions.Length;
        foreach (string name in rule.Names)
        {
            if (library.FindSyscall(name) is not { } syscall)
            {
                continue; // newer than the library: the default action, which for a sound profile refuses it
            }

            if (!alternatives)
            {
                AddRule(filter, action, syscall, conditions);
                continue;
            }

            // libseccomp takes one condition an argument; runc reads several on one argument as "any of them"
            foreach (SeccompCondition condition in conditions)
            {
                AddRule(filter, action, syscall, [condition]);
            }
        }
    }

    private static void AddRule(
        SeccompLibrary.Filter filter, uint action, int syscall, ReadOnlySpan<SeccompCondition> conditions)
    {
        try
        {
            filter.AddRule(action, syscall, conditions);
        }
        catch (ErrnoException e) when (e.Errno == Errno.EEXIST)
        {
            return; // said twice
        }
    }

    private static SeccompCondition ConditionOf(SyscallArgument argument)
    {
        int comparison = WithoutPrefix(argument.Op, "SCMP_CMP_") switch
        {
            "ne" => 1,
            "lt" => 2,
            "le" => 3,
            "eq" => 4,
            "ge" => 5,
            "gt" => 6,
            "masked_eq" => 7,
            _ => throw new OciException($"invalid seccomp profile: unknown operator '{Printable.Shorten(argument.Op)}'"),
        };
        return argument.Index <= 5
            ? new(argument.Index, comparison, argument.Value, argument.ValueTwo ?? 0)
            : throw new OciException($"invalid seccomp profile: there is no argument {argument.Index}");
    }

    private static uint ActionOf(string action, uint? errno) => action switch
    {
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => KillThread,
        "SCMP_ACT_KILL_PROCESS" => KillProcess,
        "SCMP_ACT_TRAP" => Trap,
        "SCMP_ACT_ERRNO" => Error | ((errno ?? (uint)Errno.EPERM) & 0xffff),
        "SCMP_ACT_TRACE" => Trace | ((errno ?? (uint)Errno.EPERM) & 0xffff),
        "SCMP_ACT_LOG" => Log,
        "SCMP_ACT_ALLOW" => Allow,
        _ => throw new OciException($"invalid seccomp profile: action '{Printable.Shorten(action)}' is not supported"),
    };

    private static string WithoutPrefix(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
            ? name[prefix.Length..].ToLowerInvariant()
            : throw new OciException($"invalid seccomp profile: '{Printable.Shorten(name)}' does not start with {prefix}");
}
