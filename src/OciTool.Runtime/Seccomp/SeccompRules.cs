using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>The rules of one filter on their way into libseccomp.</summary>
internal sealed class SeccompRules(SeccompLibrary library, SeccompLibrary.Filter filter, uint defaultAction)
{
    internal void Add(SyscallRule rule)
    {
        uint action = SeccompWords.ActionOf(rule.Action, rule.ErrnoRet);
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
                Add(name, action, syscall, conditions);
                continue;
            }

            // libseccomp takes one condition an argument; runc reads several on one argument as "any of them"
            foreach (SeccompCondition condition in conditions)
            {
                Add(name, action, syscall, [condition]);
            }
        }
    }

    private void Add(string name, uint action, int syscall, ReadOnlySpan<SeccompCondition> conditions)
    {
        if (action == defaultAction)
        {
            return; // libseccomp refuses what changes nothing
        }

        try
        {
            filter.AddRule(action, syscall, conditions);
        }
        catch (ErrnoException e) when (e.Errno == Errno.EEXIST)
        {
            return; // the first of two rules for the same calls counts: containers-common's own profile has such pairs
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot compile the seccomp profile: rule for '{name}': {Printable.Shorten(e.Message)}", e);
        }
    }

    private static SeccompCondition ConditionOf(SyscallArgument argument) => new(
        argument.Index, SeccompWords.ComparisonOf(argument.Op), argument.Value, argument.ValueTwo ?? 0);
}
