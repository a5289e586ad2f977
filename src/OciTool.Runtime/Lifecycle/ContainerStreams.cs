using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Where the standard streams of a container's process come from: the caller's own, a socket's, or pumped by this process.</summary>
internal sealed class ContainerStreams : IDisposable
{
    private static readonly byte[] TerminalName = Encoding.ASCII.GetBytes("/dev/ptmx");

    private readonly StandardStreams? _joined;
    private readonly string? _consoleSocket;
    private readonly bool _attends;
    private SignalForwarder? _signals;
    private SafeFileHandle? _terminal;

    private ContainerStreams(StandardStreams? joined, string? consoleSocket, bool attends) =>
        (_joined, _consoleSocket, _attends) = (joined, consoleSocket, attends);

    /// <summary>What the child gets as its descriptors 0, 1 and 2; null for our own.</summary>
    public ReadOnlySpan<SafeFileHandle?> ChildEnds => _joined is null ? [] : _joined.ChildEnds;

    /// <summary>The caller's own; nobody of us stays in between.</summary>
    /// <param name="consoleSocket">Where our side of a terminal goes; null for none.</param>
    public static ContainerStreams Inherited(string? consoleSocket) => new(null, consoleSocket, attends: false);

    /// <summary>Those of a process that this one waits for.</summary>
    /// <param name="terminal">Whether it gets a terminal.</param>
    /// <param name="consoleSocket">Where our side of the terminal goes; null to pass on what it shows.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the result")]
    public static ContainerStreams Attended(bool terminal, string? consoleSocket) => consoleSocket is null
        ? new(new StandardStreams(interactive: true, terminal), null, attends: true)
        : new(null, consoleSocket, attends: true);

    /// <summary>The status of a caller that was told to end before the command ran; 0 when it was not.</summary>
    public int InterruptedStatus => _signals?.Interrupted is > 0 and var signal ? 128 + signal : 0;

    /// <summary>Forwards signals from now on, if this process waits for the command.</summary>
    /// <param name="init">The command's process to be.</param>
    public void Forward(InitLink init) =>
        _signals = _attends ? new SignalForwarder(init, _joined is null ? null : _joined.FollowSize) : null;

    /// <summary>The size that a new terminal gets.</summary>
    /// <param name="size">What the configuration wishes.</param>
    public TerminalSize SizeOr(ConsoleSize? size) =>
        size is not null ? new((ushort)size.Height, (ushort)size.Width) : _joined?.Size ?? default;

    /// <summary>Lets go of what only the child needs.</summary>
    public void CloseChildEnds() => _joined?.CloseChildEnds();

    /// <summary>Takes our side of the container's terminal.</summary>
    /// <exception cref="OciException">Nobody listens at the socket.</exception>
    public void Take(SafeFileHandle terminal)
    {
        if (_consoleSocket is null)
        {
            _terminal = terminal;
            return;
        }

        using (terminal)
        {
            try
            {
                using ControlSocket socket = ControlSocket.Connect(_consoleSocket);
                socket.Send(TerminalName, terminal);
            }
            catch (ErrnoException e)
            {
                throw new OciException($"console socket: {e.Message}", e);
            }
        }
    }

    /// <summary>Copies the streams until the process has ended.</summary>
    /// <returns>Its status.</returns>
    public int Attend(InitLink init)
    {
        if (InterruptedStatus is not 0 and var status)
        {
            init.End();
            return status;
        }

        _signals?.CommandRuns();
        if (_terminal is not null)
        {
            _joined?.Join(_terminal);
            _terminal = null;
        }

        _joined?.CopyUntilEnd(init.Process);
        return init.Wait();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signals?.Dispose();
        _terminal?.Dispose();
        _joined?.Dispose();
    }
}
