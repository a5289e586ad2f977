using System.Buffers;
using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>What must be right in a filter whether or not its program is cached.</summary>
internal static class SeccompCheck
{
    private const int MaxNameLength = 64;
    private const int MaxArguments = 6;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>Refuses what the specification does not know.</summary>
    /// <returns>The flags for seccomp(2), and whether an agent has to be there.</returns>
    /// <exception cref="OciException">The filter is not valid.</exception>
    internal static (uint Flags, bool NeedsListener) Validate(SeccompSpec spec)
    {
        if (SeccompWords.ActionOf(spec.DefaultAction, spec.DefaultErrnoRet) == SeccompWords.Notify)
        {
            // it would hold up our own calls between the installation and the program's start, with nobody to answer
            throw SeccompWords.Invalid("SCMP_ACT_NOTIFY cannot be the default action");
        }

        foreach (string architecture in spec.Architectures ?? [])
        {
            if (!SeccompWords.Architectures.Contains(architecture))
            {
                throw SeccompWords.Invalid($"unknown architecture '{Printable.Shorten(architecture)}'");
            }
        }

        bool notifies = false;
        foreach (SyscallRule rule in spec.Syscalls ?? [])
        {
            notifies |= Validate(rule);
        }

        return (FlagsOf(spec, notifies), notifies);
    }

    private static uint FlagsOf(SeccompSpec spec, bool notifies)
    {
        uint flags = 0;
        foreach (string flag in spec.Flags ?? [])
        {
            flags |= SeccompWords.FlagOf(flag);
        }

        if (notifies)
        {
            return string.IsNullOrEmpty(spec.ListenerPath)
                ? throw SeccompWords.Invalid("SCMP_ACT_NOTIFY needs a listenerPath")
                : flags | SeccompWords.NewListener;
        }

        if (!string.IsNullOrEmpty(spec.ListenerMetadata) && string.IsNullOrEmpty(spec.ListenerPath))
        {
            throw SeccompWords.Invalid("listenerMetadata needs a listenerPath");
        }

        return (flags & SeccompWords.WaitKillable) == 0
            ? flags
            : throw SeccompWords.Invalid("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY");
    }

    private static bool Validate(SyscallRule rule)
    {
        uint action = SeccompWords.ActionOf(rule.Action, rule.ErrnoRet);
        if (rule.Names.Count == 0)
        {
            throw SeccompWords.Invalid("a rule without names");
        }

        foreach (string name in rule.Names)
        {
            if (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExcept(NameCharacters))
            {
                throw SeccompWords.Invalid($"'{Printable.Shorten(name)}' is no name of a system call");
            }

            // the start of a container writes to us after the filter is there, to say how far it is
            if (action == SeccompWords.Notify && name == "write")
            {
                throw SeccompWords.Invalid("SCMP_ACT_NOTIFY cannot be used for the write system call");
            }
        }

        foreach (SyscallArgument argument in rule.Args ?? [])
        {
            SeccompWords.ComparisonOf(argument.Op);
            if (argument.Index >= MaxArguments)
            {
                throw SeccompWords.Invalid($"there is no argument {argument.Index}");
            }
        }

        return action == SeccompWords.Notify;
    }
}
