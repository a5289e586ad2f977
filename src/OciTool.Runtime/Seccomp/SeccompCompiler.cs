using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>Compiles a system call filter to the program that the kernel runs.</summary>
public static class SeccompCompiler
{
    private const int InstructionSize = 8;

    // the kernel takes no longer program (BPF_MAXINSNS)
    private const int MaxInstructions = 4096;

    /// <summary>Compiles the filter of a config.json, as runc does (runtime-spec, config-linux.md, "Seccomp").</summary>
    /// <remarks>
    /// Calls that are newer than all that the filter names give ENOSYS where they would give EPERM (<see cref="NewerCalls"/>).
    /// Names of calls that libseccomp does not know are ignored: the default action is theirs.
    /// </remarks>
    /// <param name="spec">The filter.</param>
    /// <param name="cacheDirectory">A directory that only we can write to, made when absent; null for no cache.</param>
    /// <returns>The program, and how to install it.</returns>
    /// <exception cref="OciException">The filter is not valid, or libseccomp is not installed and no program is cached.</exception>
    public static SeccompFilter Compile(SeccompSpec spec, string? cacheDirectory)
    {
        (uint flags, bool needsListener) = SeccompCheck.Validate(spec);
        byte[]? key = cacheDirectory is null ? null : SeccompKey.OfSpec(spec);
        byte[]? program = key is null ? null : SeccompCache.TryRead(cacheDirectory!, key);
        if (program is null)
        {
            program = Compile(spec, unknownIsNoSuchCall: true);
            if (key is not null)
            {
                SeccompCache.Write(cacheDirectory!, key, program);
            }
        }

        return new(program, flags, needsListener);
    }

    /// <summary>Compiles a profile of containers-common, which says itself what becomes of calls that it does not name.</summary>
    /// <param name="profile">The profile for one container.</param>
    /// <returns>An array of <c>struct sock_filter</c>.</returns>
    /// <exception cref="OciException">libseccomp is not installed, or the profile is not valid or needs an agent.</exception>
    public static byte[] Compile(SeccompSpec profile)
    {
        // no agent is waiting for the containers of our own command line
        return SeccompCheck.Validate(profile).NeedsListener
            ? throw SeccompWords.Invalid("action 'SCMP_ACT_NOTIFY' is not supported here")
            : Compile(profile, unknownIsNoSuchCall: false);
    }

    private static byte[] Compile(SeccompSpec spec, bool unknownIsNoSuchCall)
    {
        SeccompLibrary library = SeccompLibrary.TryLoad() ?? throw new OciException(
            "cannot compile the seccomp profile: libseccomp.so.2 is not installed")
        {
            Hint = "install libseccomp, or run without a system call filter: --security-opt seccomp=unconfined",
        };

        try
        {
            uint defaultAction = SeccompWords.ActionOf(spec.DefaultAction, spec.DefaultErrnoRet);
            using SeccompLibrary.Filter filter = library.Create(defaultAction);
            List<uint> architectures = AddArchitectures(library, filter, spec.Architectures ?? []);
            SeccompRules rules = new(library, filter, defaultAction);
            foreach (SyscallRule rule in spec.Syscalls ?? [])
            {
                rules.Add(rule);
            }

            byte[] program = filter.Export();
            return Checked(unknownIsNoSuchCall ? NewerCalls.Answer(library, architectures, spec, program) : program);
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot compile the seccomp profile: {Printable.Shorten(e.Message)}", e);
        }
    }

    /// <summary>Adds the architectures to the machine's own.</summary>
    /// <remarks>
    /// The own one is always judged, as in runc: the specification's example leaves it out. One that cannot be added is
    /// newer than the library or of the other byte order; no call of it is allowed, for a filter kills who calls by
    /// an architecture that it does not have.
    /// </remarks>
    private static List<uint> AddArchitectures(
        SeccompLibrary library, SeccompLibrary.Filter filter, IReadOnlyList<string> names)
    {
        List<uint> added = [library.NativeArchitecture];
        foreach (string name in names)
        {
            if (library.FindArchitecture(name["SCMP_ARCH_".Length..].ToLowerInvariant()) is { } token
                && filter.TryAddArchitecture(token)
                && !added.Contains(token))
            {
                added.Add(token);
            }
        }

        return added;
    }

    private static byte[] Checked(byte[] program) => program.Length / InstructionSize <= MaxInstructions
        ? program
        : throw new OciException(
            $"cannot compile the seccomp profile: it has {program.Length / InstructionSize} instructions, the kernel takes {MaxInstructions}");
}
