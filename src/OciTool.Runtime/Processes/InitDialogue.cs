using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>What the init process says until its end of the socket is closed, by execve or by its end, and what is answered.</summary>
/// <param name="control">The socket.</param>
/// <param name="init">The init process; it is killed when it hangs.</param>
/// <param name="timeout">How long it may be silent, in milliseconds.</param>
internal sealed class InitDialogue(ControlSocket control, ProcessHandle init, int timeout)
{
    private const int LongestReport = 64 * 1024;

    private readonly Queue<SafeFileHandle> _descriptors = [];

    /// <summary>Takes our side of the container's terminal.</summary>
    public Action<SafeFileHandle>? Terminal { get; init; }

    /// <summary>Takes the listener of its system call filter.</summary>
    public Action<SafeFileHandle>? Listener { get; init; }

    /// <summary>Runs the hooks that belong before the change of the root.</summary>
    public Action? Hooks { get; init; }

    /// <summary>Takes the process that will execute the command, where that is another one than the init process.</summary>
    public Action<SafeFileHandle>? Successor { get; init; }

    /// <summary>Waits until the process is in its control group.</summary>
    public Action? Group { get; init; }

    /// <summary>Sets the limits of the process.</summary>
    public Action? Limits { get; init; }

    /// <summary>Listens until the command runs, or until the process waits at its gate.</summary>
    /// <exception cref="ContainerStartException">The process has failed, or hangs.</exception>
    public void Listen()
    {
        byte[] buffer = new byte[LongestReport];
        bool executing = false;
        try
        {
            while (Receive(buffer) is var length and > 0)
            {
                for (int i = 0; i < length; i++)
                {
                    switch ((InitMessage)buffer[i])
                    {
                        case InitMessage.Executing:
                            executing = true;
                            break;
                        case InitMessage.Ready:
                            return;
                        case InitMessage.Failed:
                            throw Failure(buffer, i + 1, length);
                        default:
                            Answer((InitMessage)buffer[i]);
                            break;
                    }
                }
            }

            if (!executing)
            {
                throw Died(init);
            }
        }
        finally
        {
            while (_descriptors.TryDequeue(out SafeFileHandle? descriptor))
            {
                descriptor.Dispose();
            }
        }
    }

    /// <summary>The failure of an init process that ended without a word.</summary>
    public static ContainerStartException Died(ProcessHandle init)
    {
        string step = NameOf(init);
        return new("init", $"the first process ended before the command ran{(step.Length == 0 ? "" : $", in step '{step}'")}", Errno.None);
    }

    private void Answer(InitMessage message)
    {
        switch (message)
        {
            case InitMessage.Terminal:
                Give(Terminal, message);
                return; // it does not wait
            case InitMessage.Listener:
                Give(Listener, message);
                break;
            case InitMessage.Successor:
                Give(Successor, message);
                break;
            case InitMessage.Group:
                Group?.Invoke();
                break;
            case InitMessage.Hooks:
                Hooks?.Invoke();
                break;
            case InitMessage.Limits:
                Limits?.Invoke();
                break;
            default:
                throw Misunderstood(message);
        }

        control.Send([(byte)InitMessage.Go]);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "who takes a descriptor closes it")]
    private void Give(Action<SafeFileHandle>? taker, InitMessage message)
    {
        if (!_descriptors.TryDequeue(out SafeFileHandle? descriptor))
        {
            throw Misunderstood(message);
        }

        (taker ?? (static file => file.Dispose()))(descriptor);
    }

    private static ContainerStartException Misunderstood(InitMessage message) =>
        new("init", $"it said what nobody understands: {message}", Errno.EBADMSG);

    private int Receive(Span<byte> buffer)
    {
        PollEntry[] entries = [new(control.Handle, PollEvents.Read)];
        while (true)
        {
            if (!Poller.Wait(entries, timeout))
            {
                string step = NameOf(init);
                init.TrySignal(Signals.Kill);
                throw new ContainerStartException(
                    "watchdog", $"nothing happened for {timeout / 1000} s, in step '{step}'", Errno.ETIMEDOUT);
            }

            if (entries[0].Found == PollEvents.None)
            {
                continue; // a signal
            }

            try
            {
                List<SafeFileHandle> came = [];
                int received = control.Receive(buffer, came);
                came.ForEach(_descriptors.Enqueue);
                return received;
            }
            catch (ErrnoException e) when (e.Errno == Errno.ECONNRESET)
            {
                return 0; // it ended without having read all that we sent
            }
        }
    }

    private ContainerStartException Failure(byte[] buffer, int start, int length)
    {
        while (length < buffer.Length && Receive(buffer.AsSpan(length)) is var more and > 0)
        {
            length += more;
        }

        PlanReader reader = new(buffer[start..length]);
        Errno errno = (Errno)reader.ReadInt32();
        return new(reader.ReadString() ?? "", reader.ReadString() ?? "", errno);
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
