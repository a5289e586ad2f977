using System.Runtime.InteropServices;

namespace OciTool.Cli;

/// <summary>Cancels the running verb on the first SIGINT, SIGTERM or SIGHUP; the second one ends the process as usual.</summary>
internal sealed class SignalCancellation : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _signal;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>The number of the signal that came, or 0.</summary>
    public int Signal => _signal;

    /// <summary>Starts to listen; before that signals act as usual, and nothing has been paid for them.</summary>
    public void Listen()
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Cancel(context, 2)));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Cancel(context, 15)));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Cancel(context, 1)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Cancel(PosixSignalContext context, int signal)
    {
        if (Interlocked.CompareExchange(ref _signal, signal, 0) == 0)
        {
            context.Cancel = true;
            _source.Cancel();
        }
    }
}
