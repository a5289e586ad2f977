using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A program that is run beside a container, such as a hook: it is told what to do on its standard input.</summary>
/// <remarks>Made like a container's first process (<see cref="ChildCalls"/>), so that the init process can do it too.</remarks>
public sealed class ProgramProcess : IDisposable
{
    private const int LongestOutput = 4096;

    private readonly ProcessHandle _process;
    private readonly SafeFileHandle _output;

    private ProgramProcess(ProcessHandle process, SafeFileHandle output) => (_process, _output) = (process, output);

    /// <summary>Starts a program.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="arguments">Its arguments, with its name first.</param>
    /// <param name="environment">Its whole environment.</param>
    /// <param name="input">What it finds on its standard input.</param>
    /// <exception cref="ErrnoException">It cannot be executed.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "both belong to the result")]
    public static unsafe ProgramProcess Start(
        string path, ReadOnlySpan<string> arguments, ReadOnlySpan<string> environment, ReadOnlySpan<byte> input)
    {
        SafeFileHandle output = Memory.Create("hook");
        try
        {
            using SafeFileHandle given = Memory.Create("state");
            Descriptors.WriteAt(given, input, offset: 0, "memfd");
            Descriptors.Pipe(out SafeFileHandle failed, out SafeFileHandle failing);
            using (failed)
            using (failing)
            {
                using NativeStrings argv = new(arguments);
                using NativeStrings envp = new(environment);
                using ChildCalls calls = new();
                byte mark = 1;
                byte* normal = stackalloc byte[32]; // struct sigaction of the kernel: SIG_DFL, no flags
                new Span<byte>(normal, 32).Clear();
                using SafeFileHandle from = Descriptors.DuplicateHigh(given);
                using SafeFileHandle to = Descriptors.DuplicateHigh(output);
                using SafeFileHandle report = Descriptors.DuplicateHigh(failing);
                fixed (byte* pathBytes = Interop.Kernel.Terminated(path))
                {
                    calls.Add(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(from), 0);
                    calls.Add(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(to), 1);
                    calls.Add(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(to), 2);
                    calls.Add(Interop.Kernel.SYS_close_range, 3, int.MaxValue, Descriptors.CLOSE_RANGE_CLOEXEC);
                    calls.Add(Interop.Kernel.SYS_rt_sigaction, Signals.ClosedPipe, (nint)normal, 0, 8); // .NET ignores it, and so would the program
                    calls.Add(Interop.Kernel.SYS_execve, (nint)pathBytes, (nint)argv.Pointer, (nint)envp.Pointer);
                    calls.Add(Interop.Kernel.SYS_write, Interop.Kernel.Descriptor(report), (nint)(&mark), 1);
                    ProcessHandle process = new(calls.Start(ChildCalls.CLONE_VFORK, blocksSignals: false));
                    Span<PollEntry> entry = [new PollEntry(failed, PollEvents.Read)];
                    if (Poller.Wait(entry, timeout: 0) && entry[0].Found.HasFlag(PollEvents.Read))
                    {
                        process.Wait();
                        process.Dispose();
                        throw new ErrnoException("exec", path, ReasonOf(path));
                    }

                    return new ProgramProcess(process, output);
                }
            }
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>Waits for it to end.</summary>
    /// <param name="timeout">How long, in milliseconds; -1 for ever.</param>
    /// <returns>Its exit status, 128 and the number of a signal; null when it was killed because its time was over.</returns>
    public int? Wait(int timeout)
    {
        if (timeout >= 0 && !_process.WaitForEnd(timeout))
        {
            _process.TrySignal(Signals.Kill);
            _process.Wait();
            return null;
        }

        return _process.Wait();
    }

    /// <summary>The beginning of what it has printed, to either stream.</summary>
    public string ReadOutput()
    {
        byte[] buffer = new byte[LongestOutput];
        int length = RandomAccess.Read(_output, buffer, fileOffset: 0);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        _output.Dispose();
    }

    private static Errno ReasonOf(string path) => Executables.Find([path]) switch
    {
        (_, Errno.None) => Errno.ENOEXEC,
        (_, var reason) => reason,
    };
}
