using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>What the init process said before its end of the socket was closed, by execve or by its end.</summary>
/// <param name="Failure">Why the command does not run; null when it does.</param>
/// <param name="Terminal">Our side of the container's terminal.</param>
internal readonly record struct StartReport(ContainerStartException? Failure, SafeFileHandle? Terminal)
{
    private const int LongestReport = 64 * 1024;

    /// <summary>Listens until the socket is closed.</summary>
    /// <param name="control">The socket.</param>
    /// <param name="init">The init process; it is killed when it hangs.</param>
    /// <param name="timeout">How long it may be silent, in milliseconds.</param>
    public static StartReport Receive(ControlSocket control, ProcessHandle init, int timeout)
    {
        byte[] buffer = new byte[LongestReport];
        int length = 0;
        SafeFileHandle? terminal = null;
        PollEntry[] entries = new PollEntry[1];
        while (length < buffer.Length)
        {
            entries[0] = new(control.Handle, PollEvents.Read);
            if (!Poller.Wait(entries, timeout))
            {
                string step = NameOf(init);
                init.TrySignal(Signals.Kill);
                return new(new("watchdog", $"nothing happened for {timeout / 1000} s, in step '{step}'", Errno.ETIMEDOUT), terminal);
            }

            if (entries[0].Found == PollEvents.None)
            {
                continue; // a signal
            }

            int received = Receive(control, buffer.AsSpan(length), ref terminal);
            if (received == 0)
            {
                break;
            }

            length += received;
        }

        return new(Parse(buffer.AsSpan(0, length), init), terminal);
    }

    /// <summary>The failure of an init process that ended without a word.</summary>
    public static ContainerStartException Died(ProcessHandle init)
    {
        string step = NameOf(init);
        return new("init", $"the first process ended before the command ran{(step.Length == 0 ? "" : $", in step '{step}'")}", Errno.None);
    }

    private static int Receive(ControlSocket control, Span<byte> buffer, ref SafeFileHandle? terminal)
    {
        try
        {
            int received = control.Receive(buffer, out SafeFileHandle? descriptor);
            terminal = descriptor ?? terminal;
            return received;
        }
        catch (ErrnoException e) when (e.Errno == Errno.ECONNRESET)
        {
            return 0; // it ended without having read all that we sent
        }
    }

    private static ContainerStartException? Parse(ReadOnlySpan<byte> report, ProcessHandle init)
    {
        bool executing = false;
        for (int i = 0; i < report.Length; i++)
        {
            switch (report[i])
            {
                case InitProcess.TerminalMessage:
                    break;
                case InitProcess.ExecutingMessage:
                    executing = true;
                    break;
                default:
                    PlanReader reader = new(report[(i + 1)..].ToArray());
                    Errno errno = (Errno)reader.ReadInt32();
                    return new(reader.ReadString() ?? "", reader.ReadString() ?? "", errno);
            }
        }

        return executing ? null : Died(init);
    }

    // the init process names itself after what it is doing
    private static string NameOf(ProcessHandle init)
    {
        try
        {
            return Printable.Escape(File.ReadAllText($"/proc/{init.Id}/comm").TrimEnd('\n'));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
