using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Finds out what this kernel does by asking it to, instead of believing its version.</summary>
public static partial class HostProbe
{
    private const int MillisecondsToLive = 5000;

    /// <summary>The architectures of which there is a program to try, GOARCH values.</summary>
    public static IReadOnlyCollection<string> Architectures => Programs.Keys;

    /// <summary>The size of a page of memory, in bytes.</summary>
    public static int PageSize => Environment.SystemPageSize;

    /// <summary>Executes a program of an architecture that does nothing but end.</summary>
    /// <param name="architecture">One of <see cref="Architectures"/>.</param>
    /// <returns><c>runs</c>; the name of the error that the kernel gave; or <c>signal N</c> or <c>status N</c> when it ran and ended otherwise.</returns>
    /// <remarks>It lies in memory only, and is the standard input of its process: an emulator can open it there.</remarks>
    public static string Execute(string architecture) => Execute(Programs[architecture]);

    /// <summary>Has a program of 32 bits ask for the time in 64, which <c>SystemCalls</c> cannot: their numbers mean something else to a process of 64 bits.</summary>
    /// <param name="architecture">A GOARCH value.</param>
    /// <returns><c>ok</c>, <c>ENOSYS</c> where the kernel lacks the call, <c>EPERM</c> where a filter forbids it; null where no such program runs.</returns>
    public static string? WideTime(string architecture)
    {
        if (!WideTimePrograms.TryGetValue(architecture, out TinyProgram? program))
        {
            return null;
        }

        string result = Execute(program);
        return result == "runs" ? "ok"
            : result.StartsWith("status ", StringComparison.Ordinal) && int.TryParse(result["status ".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int errno)
                ? ((Errno)errno).ToString() : null;
    }

    private static unsafe string Execute(TinyProgram tiny)
    {
        byte[] program = tiny.Build();
        using SafeFileHandle file = Memory.Create("probe");
        Descriptors.WriteAt(file, program, offset: 0, "memfd");
        Descriptors.Pipe(out SafeFileHandle failed, out SafeFileHandle failing);
        using (failed)
        using (failing)
        {
            using NativeStrings argv = new(["probe"]);
            using NativeStrings envp = new([]);
            using ChildCalls calls = new();
            using SafeFileHandle there = Descriptors.DuplicateHigh(file);
            using SafeFileHandle report = Descriptors.DuplicateHigh(failing);
            fixed (byte* path = "/proc/self/fd/0\0"u8)
            {
                calls.Add(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(there), 0);
                calls.Add(Interop.Kernel.SYS_close_range, 3, int.MaxValue, Descriptors.CLOSE_RANGE_CLOEXEC);
                calls.Add(Interop.Kernel.SYS_prctl, Credentials.PR_SET_PDEATHSIG, Signals.Kill);
                calls.Add(Interop.Kernel.SYS_execve, (nint)path, (nint)argv.Pointer, (nint)envp.Pointer);
                calls.Add(Interop.Kernel.SYS_write, Interop.Kernel.Descriptor(report), (nint)Interop.Libc.ErrnoLocation(), sizeof(int));
                using ProcessHandle process = new(calls.Start(ChildCalls.CLONE_VFORK, blocksSignals: false));
                if (!process.WaitForEnd(MillisecondsToLive))
                {
                    process.TrySignal(Signals.Kill);
                }

                int status = process.Wait();
                Span<PollEntry> entry = [new PollEntry(failed, PollEvents.Read)];
                int errno = 0;
                if (Poller.Wait(entry, timeout: 0) && entry[0].Found.HasFlag(PollEvents.Read))
                {
                    Descriptors.TryRead(failed, MemoryMarshal.AsBytes(new Span<int>(ref errno)));
                }

                return errno != 0 ? ((Errno)errno).ToString()
                    : status == 0 ? "runs"
                    : status > 128 ? $"signal {status - 128}" : $"status {status}";
            }
        }
    }

    /// <summary>Makes calls with arguments that no kernel accepts: the error tells whether the call is there, and allowed.</summary>
    /// <returns>By the call's name: <c>ok</c>, <c>ENOSYS</c> where the kernel lacks it, or <c>EPERM</c> where a filter forbids it.</returns>
    public static IReadOnlyDictionary<string, string> SystemCalls()
    {
        (string Name, nint Number, nint A, nint B, Errno Expected)[] calls =
        [
            ("cachestat", 451, -1, 0, Errno.EBADF),
            ("clone3", 435, 0, 0, Errno.EINVAL),
            ("close_range", 436, 1, 0, Errno.EINVAL),
            ("faccessat2", 439, -1, 0, Errno.EINVAL),
            ("fchmodat2", 452, -100, 0, Errno.EFAULT),
            ("futex_waitv", 449, 0, 0, Errno.EINVAL),
            ("mount_setattr", 442, -1, 0, Errno.EINVAL),
            ("openat2", 437, -1, 0, Errno.EINVAL),
            ("statx", Interop.Libc.IsArm64 ? 291 : 332, -100, 0, Errno.EFAULT),
        ];
        Dictionary<string, string> answers = new(StringComparer.Ordinal);
        foreach ((string name, nint number, nint a, nint b, Errno expected) in calls)
        {
            // flags of all ones: none of them takes those
            nint result = Interop.Kernel.CallOnce(number, a, b, 0, name is "fchmodat2" or "statx" ? 0 : 0x7fffffff, 0);
            Errno errno = result >= 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
            answers[name] = errno is Errno.ENOSYS or Errno.EPERM && errno != expected ? errno.ToString() : "ok";
        }

        return answers;
    }

    /// <summary>Tries to make a user namespace, which ends at once.</summary>
    /// <returns><c>ok</c>, or the name of the error.</returns>
    public static string UserNamespaces()
    {
        try
        {
            using ChildCalls calls = new();
            using ProcessHandle process = new(calls.Start((int)NamespaceKinds.User, blocksSignals: true));
            process.Wait();
            return "ok";
        }
        catch (ErrnoException e)
        {
            return e.Errno.ToString();
        }
    }
}
