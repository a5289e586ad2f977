using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>Sends the signals that this process gets to the container's first process.</summary>
/// <remarks>
/// As with podman, a first process that has no handler for a signal does not see it: that is the kernel's rule for
/// process 1 of a PID namespace.
/// </remarks>
internal sealed class SignalForwarder : IDisposable
{
    private static readonly PosixSignal[] Forwarded =
    [
        PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM,
        (PosixSignal)Signals.User1, (PosixSignal)Signals.User2,
    ];

    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly InitLink _init;
    private volatile int _interrupted;
    private volatile bool _running;

    /// <summary>Starts forwarding.</summary>
    /// <param name="init">The container's first process.</param>
    /// <param name="windowChanged">Called when the size of our terminal has changed; null where that does not matter.</param>
    public SignalForwarder(InitLink init, Action? windowChanged)
    {
        _init = init;
        foreach (PosixSignal signal in Forwarded)
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, Forward));
        }

        if (windowChanged is not null)
        {
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)Signals.WindowChanged, _ => windowChanged()));
        }
    }

    /// <summary>The signal that ended the container before its command ran, or 0.</summary>
    public int Interrupted => _interrupted;

    /// <summary>From now on signals are the command's own business.</summary>
    public void CommandRuns() => _running = true;

    /// <inheritdoc/>
    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void Forward(PosixSignalContext context)
    {
        context.Cancel = true;
        int signal = Number(context.Signal);
        if (_running || _init.HasExecuted)
        {
            _init.Process.TrySignal(signal);
            return;
        }

        // our init process has no handlers, so the kernel would drop it: the user wants the container gone
        _interrupted = signal;
        _init.Process.TrySignal(Signals.Kill);
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        PosixSignal.SIGTERM => 15,
        _ => (int)signal,
    };
}
