using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A child process, by a descriptor: unlike a number, it never comes to mean another process.</summary>
/// <remarks>pidfd_open(2), Linux 5.3.</remarks>
public sealed class ProcessHandle : IDisposable
{
    private const nint P_PIDFD = 3;
    private const nint WEXITED = 4;
    private const int CLD_EXITED = 1;

    /// <summary>Takes hold of a child that has not been waited for.</summary>
    /// <exception cref="ErrnoException">There is no such process.</exception>
    public ProcessHandle(int id)
    {
        Id = id;
        Handle = Interop.Kernel.Opened(Interop.Kernel.Call(Interop.Kernel.SYS_pidfd_open, id), "pidfd_open", $"{id}");
    }

    private ProcessHandle(int id, SafeFileHandle handle) => (Id, Handle) = (id, handle);

    /// <summary>Takes a descriptor of a process that came from elsewhere.</summary>
    /// <param name="handle">The descriptor; it belongs to the result.</param>
    /// <exception cref="IOException">It is no descriptor of a process.</exception>
    public static ProcessHandle Of(SafeFileHandle handle)
    {
        foreach (string line in File.ReadLines($"/proc/self/fdinfo/{handle.DangerousGetHandle()}"))
        {
            if (line.StartsWith("Pid:", StringComparison.Ordinal) && int.TryParse(line.AsSpan(4), out int id) && id > 0)
            {
                return new(id, handle);
            }
        }

        throw new IOException("the descriptor stands for no process");
    }

    /// <summary>The process ID, as this process sees it.</summary>
    public int Id { get; }

    /// <summary>The descriptor: it is readable once the process has ended.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Sends a signal.</summary>
    /// <returns>False when the process has ended.</returns>
    public bool TrySignal(int signal) =>
        Interop.Kernel.Call(Interop.Kernel.SYS_pidfd_send_signal, Interop.Kernel.Descriptor(Handle), signal) == 0;

    /// <summary>Waits for the process to end, and lets the kernel forget it.</summary>
    /// <returns>Its exit status; 128 and the number of the signal when one ended it.</returns>
    /// <exception cref="ErrnoException">It has been waited for before.</exception>
    public unsafe int Wait()
    {
        int* information = stackalloc int[32]; // siginfo_t, 128 bytes: signo, errno, code, pad, pid, uid, status
        Interop.Kernel.Checked(
            Interop.Kernel.Call(
                Interop.Kernel.SYS_waitid, P_PIDFD, Interop.Kernel.Descriptor(Handle), (nint)information, WEXITED),
            "waitid", $"{Id}");
        return information[2] == CLD_EXITED ? information[6] : 128 + information[6];
    }

    /// <summary>Waits for the process to end, whether it is a child or not.</summary>
    /// <param name="milliseconds">How long.</param>
    /// <returns>False when the time is over.</returns>
    public bool WaitForEnd(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        Span<PollEntry> entry = [new PollEntry(Handle, PollEvents.Read)];
        while (!entry[0].Found.HasFlag(PollEvents.Read))
        {
            int left = (int)Math.Max(0, end - Environment.TickCount64);
            if (!Poller.Wait(entry, left) && left == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes a copy of one of its descriptors.</summary>
    /// <param name="number">The descriptor's number there.</param>
    /// <exception cref="ErrnoException">There is none, or the process may not be looked into; Linux 5.6.</exception>
    public SafeFileHandle Take(int number) => Interop.Kernel.Opened(
        Interop.Kernel.Call(Interop.Kernel.SYS_pidfd_getfd, Interop.Kernel.Descriptor(Handle), number), "pidfd_getfd", $"{number}");

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    /// <summary>Lets this process wait for its children, even where who started it had that switched off.</summary>
    public static void ExpectChildren() => Interop.Libc.Signal(Signals.Child, Interop.Libc.SIG_DFL);
}

/// <summary>Signal numbers that are the same on every processor that we run on, and what a process does about them.</summary>
public static class Signals
{
    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGUSR1.</summary>
    public const int User1 = 10;

    /// <summary>SIGUSR2.</summary>
    public const int User2 = 12;

    /// <summary>SIGPIPE.</summary>
    public const int ClosedPipe = 13;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    /// <summary>SIGCHLD.</summary>
    public const int Child = 17;

    /// <summary>SIGWINCH.</summary>
    public const int WindowChanged = 28;

    /// <summary>Makes a write to a closed pipe an error instead of the end of this process.</summary>
    public static void IgnoreClosedPipes() => Interop.Libc.Signal(ClosedPipe, Interop.Libc.SIG_IGN);

    /// <summary>Opens a descriptor that tells of signals, all of which this thread has blocked.</summary>
    /// <exception cref="ErrnoException">There are too many open files.</exception>
    public static unsafe SafeFileHandle OpenBlocked()
    {
        const nint SFD_CLOEXEC = 0x80000;
        ulong all = ulong.MaxValue;
        return Interop.Kernel.Opened(
            Interop.Kernel.Call(Interop.Kernel.SYS_signalfd4, -1, (nint)(&all), 8, SFD_CLOEXEC), "signalfd");
    }

    /// <summary>Takes a signal.</summary>
    /// <param name="signals">From <see cref="OpenBlocked"/>; waits when there is none.</param>
    /// <returns>The signal's number.</returns>
    public static int Read(SafeFileHandle signals)
    {
        Span<byte> information = stackalloc byte[128]; // struct signalfd_siginfo begins with the number
        return Descriptors.TryRead(signals, information) > 0 ? BitConverter.ToInt32(information) : 0;
    }

    /// <summary>Whether a signal ends a program that does nothing about it.</summary>
    /// <param name="signal">The signal's number.</param>
    public static bool Ends(int signal) => signal is not (0 or Child or 18 or 19 or 20 or 21 or 22 or 23 or WindowChanged); // CONT, STOP, TSTP, TTIN, TTOU, URG

    /// <summary>Gives every signal its default effect again, and lets it through: both stay as they are across execve.</summary>
    public static unsafe void RestoreDefaults()
    {
        for (int signal = 1; signal < 32; signal++)
        {
            Interop.Libc.Signal(signal, Interop.Libc.SIG_DFL);
        }

        ulong none = 0;
        Interop.Kernel.Call(Interop.Kernel.SYS_rt_sigprocmask, Interop.Kernel.SIG_SETMASK, (nint)(&none), 0, 8);
    }
}
