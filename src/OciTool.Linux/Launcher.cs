using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Starts this binary again, as the first process of a new PID namespace.</summary>
/// <remarks>
/// The child is made by posix_spawn(3), which is C code from clone (CLONE_VM, CLONE_VFORK, on a stack of its own) to
/// execve: it never runs a line of managed code, so a garbage collection in this process cannot hang it. Why not
/// clone(2) itself, with measurements: docs/adr/0001-the-launcher.md.
/// </remarks>
public static class Launcher
{
    /// <summary>The descriptor that the child finds the first of <c>passed</c> at; the others follow.</summary>
    public const int FirstPassed = 3;

    private const nint CLONE_NEWPID = 0x20000000;

    /// <summary>Starts the binary.</summary>
    /// <param name="binary">What to execute.</param>
    /// <param name="arguments">Its arguments, without its name.</param>
    /// <param name="standard">The child's standard input, output and error; null for the same as here.</param>
    /// <param name="passed">What else the child gets, as descriptors 3, 4, …; nothing more is inherited.</param>
    /// <returns>The child.</returns>
    /// <exception cref="ErrnoException">The child cannot be made.</exception>
    public static ProcessHandle Start(
        OwnBinary binary,
        ReadOnlySpan<string> arguments,
        ReadOnlySpan<SafeFileHandle?> standard,
        ReadOnlySpan<SafeFileHandle> passed)
    {
        List<SafeFileHandle> copies = [];
        try
        {
            Span<(int From, int To)> moves = stackalloc (int, int)[standard.Length + passed.Length];
            int count = 0;
            for (int i = 0; i < standard.Length; i++)
            {
                if (standard[i] is { } stream)
                {
                    moves[count++] = (Copy(stream, copies), i);
                }
            }

            for (int i = 0; i < passed.Length; i++)
            {
                moves[count++] = (Copy(passed[i], copies), FirstPassed + i);
            }

            // the namespace is this thread's for as long as the call takes: only its children would be in the new one
            using SafeFileHandle own = Interop.Kernel.Opened(
                Interop.Kernel.Call(Interop.Kernel.SYS_pidfd_open, Environment.ProcessId), "pidfd_open");
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_unshare, CLONE_NEWPID), "unshare", "pid namespace");
            try
            {
                return new ProcessHandle(Spawn(binary.Path, arguments, moves[..count]));
            }
            finally
            {
                Interop.Kernel.Checked(
                    Interop.Kernel.Call(Interop.Kernel.SYS_setns, Interop.Kernel.Descriptor(own), CLONE_NEWPID),
                    "setns", "pid namespace");
            }
        }
        finally
        {
            copies.ForEach(copy => copy.Dispose());
        }
    }

    private static int Copy(SafeFileHandle file, List<SafeFileHandle> copies)
    {
        SafeFileHandle copy = Descriptors.DuplicateHigh(file);
        copies.Add(copy);
        return (int)copy.DangerousGetHandle();
    }

    private static unsafe int Spawn(string path, ReadOnlySpan<string> arguments, ReadOnlySpan<(int From, int To)> moves)
    {
        byte* attributes = stackalloc byte[Interop.Libc.PosixSpawnAttributesSize];
        byte* actions = stackalloc byte[Interop.Libc.PosixSpawnActionsSize];
        byte* signals = stackalloc byte[Interop.Libc.SignalSetSize];
        Check(Interop.Libc.PosixSpawnAttributesInit(attributes));
        Check(Interop.Libc.PosixSpawnActionsInit(actions));
        try
        {
            Check(Interop.Libc.FillSignalSet(signals));
            Check(Interop.Libc.PosixSpawnAttributesSetDefault(attributes, signals));
            Check(Interop.Libc.EmptySignalSet(signals));
            Check(Interop.Libc.PosixSpawnAttributesSetMask(attributes, signals));
            Check(Interop.Libc.PosixSpawnAttributesSetFlags(
                attributes, Interop.Libc.POSIX_SPAWN_SETSIGDEF | Interop.Libc.POSIX_SPAWN_SETSIGMASK));
            foreach ((int from, int to) in moves)
            {
                Check(Interop.Libc.PosixSpawnActionsAddDuplicate(actions, from, to));
            }

            using NativeStrings argv = new(["oci", .. arguments]);
            using NativeStrings environment = new([]);
            fixed (byte* pathBytes = Interop.Kernel.Terminated(path))
            {
                Check(Interop.Libc.PosixSpawn(out int pid, pathBytes, actions, attributes, argv.Pointer, environment.Pointer));
                return pid;
            }
        }
        finally
        {
            _ = Interop.Libc.PosixSpawnActionsDestroy(actions);
            _ = Interop.Libc.PosixSpawnAttributesDestroy(attributes);
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new ErrnoException("posix_spawn", null, (Errno)error);
        }
    }
}
