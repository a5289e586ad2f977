using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>The namespaces that a child is born into; what is not named here it shares with this process.</summary>
public sealed record LaunchNamespaces
{
    /// <summary>A new PID namespace and nothing else.</summary>
    public static readonly LaunchNamespaces NewPid = new() { HasNewPid = true };

    /// <summary>Whether the child is the first process of a new PID namespace.</summary>
    public bool HasNewPid { get; init; }

    /// <summary>Namespaces to join, with their kinds; neither mount nor user nor time namespaces.</summary>
    public IReadOnlyList<(SafeFileHandle File, NamespaceKinds Kind)> Joined { get; init; } = [];

    /// <summary>The user namespace to join; the child is its root.</summary>
    public SafeFileHandle? User { get; init; }

    /// <summary>The time namespace to join.</summary>
    public SafeFileHandle? Time { get; init; }

    /// <summary>Whether the child becomes a child of this process's parent.</summary>
    public bool AsSibling { get; init; }
}

/// <summary>Starts this binary again, as the first process of a container.</summary>
/// <remarks>
/// The child runs C code from clone to execve (<see cref="ChildCalls"/>), in this process's memory, while this thread waits:
/// no page table is copied, and a garbage collection in this process cannot hang it. docs/adr/0001-the-launcher.md.
/// </remarks>
public static class Launcher
{
    /// <summary>The descriptor that the child finds the first of <c>passed</c> at; the others follow.</summary>
    public const int FirstPassed = 3;

    /// <summary>Starts the binary. Its signals are blocked: <see cref="Signals.RestoreDefaults"/> ends that.</summary>
    /// <param name="binary">What to execute.</param>
    /// <param name="arguments">Its arguments, without its name.</param>
    /// <param name="standard">The child's standard input, output and error; null for the same as here.</param>
    /// <param name="passed">What else the child gets, as descriptors 3, 4, …; nothing more is inherited.</param>
    /// <param name="namespaces">Where it is born.</param>
    /// <returns>The child.</returns>
    /// <exception cref="ErrnoException">The child cannot be made.</exception>
    public static ProcessHandle Start(
        OwnBinary binary,
        ReadOnlySpan<string> arguments,
        ReadOnlySpan<SafeFileHandle?> standard,
        ReadOnlySpan<SafeFileHandle> passed,
        LaunchNamespaces namespaces)
    {
        using ChildCalls calls = new();
        List<SafeFileHandle> copies = [];
        List<(SafeFileHandle File, NamespaceKinds Kind)> own = [];
        try
        {
            if (namespaces.Time is { } time)
            {
                calls.Add(Interop.Kernel.SYS_setns, Interop.Kernel.Descriptor(time), (nint)NamespaceKinds.Time);
            }

            if (namespaces.User is { } user)
            {
                AddEntering(calls, user);
            }

            for (int i = 0; i < standard.Length; i++)
            {
                if (standard[i] is { } stream)
                {
                    calls.Add(Interop.Kernel.SYS_dup3, Copy(stream, copies), i);
                }
            }

            for (int i = 0; i < passed.Length; i++)
            {
                calls.Add(Interop.Kernel.SYS_dup3, Copy(passed[i], copies), FirstPassed + i);
            }

            foreach ((SafeFileHandle file, NamespaceKinds kind) in namespaces.Joined)
            {
                own.Add((Namespaces.Open($"/proc/thread-self/ns/{Namespaces.FileOf(kind)}"), kind));
                Namespaces.Join(file, kind);
            }

            return Execute(calls, binary, arguments, namespaces);
        }
        finally
        {
            foreach ((SafeFileHandle file, NamespaceKinds kind) in own)
            {
                using (file)
                {
                    Namespaces.Join(file, kind);
                }
            }

            copies.ForEach(copy => copy.Dispose());
        }
    }

    private static unsafe ProcessHandle Execute(
        ChildCalls calls, OwnBinary binary, ReadOnlySpan<string> arguments, LaunchNamespaces namespaces)
    {
        // a time namespace cannot be entered by a process that shares its memory: then the page tables are copied
        int flags = ChildCalls.CLONE_VFORK
            | (namespaces.Time is null ? ChildCalls.CLONE_VM : 0)
            | (namespaces.HasNewPid ? (int)NamespaceKinds.Pid : 0)
            | (namespaces.AsSibling ? ChildCalls.CLONE_PARENT : 0);
        using NativeStrings argv = new(["oci", .. arguments]);
        using NativeStrings environment = new([]);
        fixed (byte* path = Interop.Kernel.Terminated(binary.Path))
        {
            calls.Add(Interop.Kernel.SYS_execve, (nint)path, (nint)argv.Pointer, (nint)environment.Pointer);
            return new ProcessHandle(calls.Start(flags, blocksSignals: true));
        }
    }

    // the child's capabilities are those of the namespace once it is in, and its user must be one that is mapped there
    private static void AddEntering(ChildCalls calls, SafeFileHandle user)
    {
        calls.Add(Interop.Kernel.SYS_setns, Interop.Kernel.Descriptor(user), (nint)NamespaceKinds.User);
        calls.Add(Interop.Kernel.SYS_setgroups, 0, 0);
        calls.Add(Interop.Kernel.SYS_setresgid, 0, 0, 0);
        calls.Add(Interop.Kernel.SYS_setresuid, 0, 0, 0);
    }

    private static int Copy(SafeFileHandle file, List<SafeFileHandle> copies)
    {
        SafeFileHandle copy = Descriptors.DuplicateHigh(file);
        copies.Add(copy);
        return (int)copy.DangerousGetHandle();
    }
}
