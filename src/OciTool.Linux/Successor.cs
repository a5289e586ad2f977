using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>How a <see cref="Successor"/> differs from the process that makes it.</summary>
public sealed record SuccessorRequest
{
    /// <summary>How many descriptors, from 0 on, it keeps.</summary>
    public required int Descriptors { get; init; }

    /// <summary>Whether its standard input is the terminal of its session.</summary>
    public bool AdoptsTerminal { get; init; }

    /// <summary>A system call filter to install; empty for none.</summary>
    public byte[] Filter { get; init; } = [];

    /// <summary>Flags of seccomp(2) for it.</summary>
    public uint FilterFlags { get; init; }

    /// <summary>Its three old capability sets, taken on once the filter is installed; null for those of its maker.</summary>
    public (CapabilitySet Effective, CapabilitySet Permitted, CapabilitySet Inheritable)? Capabilities { get; init; }
}

/// <summary>The process that executes a command in place of this one, in a PID namespace that this one is not seen in.</summary>
/// <remarks>
/// Who may trace the processes of that namespace reaches whatever one of them has, from the moment of its birth. So this process
/// joins everything else first and stays outside, and its successor has nothing that is not the container's: a copy of
/// this process's memory, the command's descriptors, and a few system calls to make (<see cref="ChildCalls"/>).
/// docs/adr/0017-exec-stays-outside-until-the-last-process.md.
/// </remarks>
public sealed class Successor : IDisposable
{
    private const nint TIOCSCTTY = 0x540e;
    private const int OwnDescriptors = 3; // behind those that the command gets, until it is executed

    private readonly SafeFileHandle _results;
    private readonly SafeFileHandle _gate;

    private Successor(SafeFileHandle results, SafeFileHandle gate, ProcessHandle process) =>
        (_results, _gate, Process) = (results, gate, process);

    /// <summary>The process: a child of this process's parent.</summary>
    public ProcessHandle Process { get; }

    /// <summary>The number of the listener that a successor's filter gives it, with <c>SECCOMP_FILTER_FLAG_NEW_LISTENER</c>.</summary>
    /// <param name="descriptors">How many descriptors it keeps.</param>
    public static int ListenerOf(int descriptors) => descriptors + OwnDescriptors;

    /// <summary>
    /// Makes the process. It waits for <see cref="Execute"/>. From here on this thread has no descriptors but those that the process keeps,
    /// the one behind them, which is the socket of its maker, and the result's.
    /// </summary>
    /// <param name="path">What it executes.</param>
    /// <param name="arguments">Its arguments, with its name first.</param>
    /// <param name="environment">Its environment.</param>
    /// <param name="request">How it differs from this process.</param>
    /// <exception cref="ErrnoException">It cannot be made, or a call before the last has failed.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "they belong to the result, and are disposed after a failure")]
    public static Successor Start(
        string path, ReadOnlySpan<string> arguments, ReadOnlySpan<string> environment, SuccessorRequest request)
    {
        // the process is born with all that is open here, in sight of the container: the runtime's own descriptors stay with its other
        // threads. It remembers their numbers, which nothing else may have: so the pipes get high ones
        Descriptors.KeepBelow(request.Descriptors + 1);
        Descriptors.HighPipe(out SafeFileHandle results, out SafeFileHandle resultsThere);
        Descriptors.HighPipe(out SafeFileHandle gateThere, out SafeFileHandle gate);
        ProcessHandle? process = null;
        try
        {
            using (resultsThere)
            using (gateThere)
            {
                process = Clone(path, arguments, environment, request, [resultsThere, gateThere, gate]);
            }

            // it says what its last failed call has left in errno: nothing, or it must not go on
            if ((ReadResult(results) ?? Errno.ESRCH) is var failed and not Errno.None)
            {
                process.TrySignal(Signals.Kill);
                throw new ErrnoException("clone", request.Filter.Length > 0 ? "a process with a filter" : "a process", failed);
            }

            return new Successor(results, gate, process);
        }
        catch
        {
            process?.Dispose();
            results.Dispose();
            gate.Dispose();
            throw;
        }
    }

    /// <summary>Lets the process execute the command.</summary>
    /// <returns>Why it could not; <see cref="Errno.None"/> when it could.</returns>
    /// <exception cref="ErrnoException">The process is gone.</exception>
    public Errno Execute()
    {
        Descriptors.Write(_gate, [1], "gate");
        return ReadResult(_results) ?? Errno.None;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Process.Dispose();
        _results.Dispose();
        _gate.Dispose();
    }

    private static unsafe ProcessHandle Clone(
        string path,
        ReadOnlySpan<string> arguments,
        ReadOnlySpan<string> environment,
        SuccessorRequest request,
        ReadOnlySpan<SafeFileHandle> own)
    {
        using ChildCalls calls = new();
        using NativeStrings argv = new(arguments);
        using NativeStrings envp = new(environment);
        nint error = (nint)Interop.Libc.ErrnoLocation();
        byte key = 0;
        SafeFileHandle[] copies = new SafeFileHandle[OwnDescriptors];
        try
        {
            calls.Add(Interop.Kernel.SYS_setsid);
            if (request.AdoptsTerminal)
            {
                calls.Add(Interop.Kernel.SYS_ioctl, 0, TIOCSCTTY, 0);
            }

            // both ends of the gate: if this process dies, the other one waits there instead of going on by itself
            int first = request.Descriptors;
            for (int i = 0; i < copies.Length; i++)
            {
                copies[i] = Descriptors.DuplicateHigh(own[i]);
                calls.Add(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(copies[i]), first + i, (nint)Interop.Libc.O_CLOEXEC);
            }

            calls.Add(Interop.Kernel.SYS_close_range, first + copies.Length, int.MaxValue);
            fixed (byte* program = Interop.Kernel.Terminated(path))
            fixed (byte* instructions = request.Filter)
            {
                Credentials.FilterProgram filter = new((ushort)(request.Filter.Length / 8), (nint)instructions);
                if (request.Filter.Length > 0)
                {
                    calls.Add(Interop.Kernel.SYS_seccomp, Credentials.SECCOMP_SET_MODE_FILTER, (nint)request.FilterFlags, (nint)(&filter));
                }

                Credentials.CapabilityRequest capabilities = default;
                if (request.Capabilities is var (effective, permitted, inheritable))
                {
                    capabilities = new(effective, permitted, inheritable);
                    calls.Add(Interop.Kernel.SYS_capset, (nint)(&capabilities), (nint)capabilities.Data);
                }

                calls.Add(Interop.Kernel.SYS_write, first, error, sizeof(int));
                calls.Add(Interop.Kernel.SYS_read, first + 1, (nint)(&key), 1);
                calls.Add(Interop.Kernel.SYS_execve, (nint)program, (nint)argv.Pointer, (nint)envp.Pointer);
                calls.Add(Interop.Kernel.SYS_write, first, error, sizeof(int));
                return new ProcessHandle(calls.Start(ChildCalls.CLONE_PARENT, blocksSignals: false)); // its memory is a copy, so nothing here need stay
            }
        }
        finally
        {
            foreach (SafeFileHandle? copy in copies)
            {
                copy?.Dispose();
            }
        }
    }

    private static Errno? ReadResult(SafeFileHandle results)
    {
        Span<byte> errno = stackalloc byte[sizeof(int)];
        int length;
        do
        {
            length = Descriptors.TryRead(results, errno);
        }
        while (length == -(int)Errno.EINTR);
        return length == sizeof(int) ? (Errno)MemoryMarshal.Read<int>(errno) : null;
    }
}
