using System.Runtime.InteropServices;

namespace OciTool.Cli;

/// <summary>Cancels the running verb on the first SIGINT, SIGTERM or SIGHUP; the second one ends the process as usual.</summary>
/// <remarks>
/// A verb that is in the kernel then, where a slow disk is synced for example, is not waited for longer than
/// <see cref="Grace"/>: a store stands being left like this, and people do not.
/// </remarks>
internal sealed class SignalCancellation : IDisposable
{
    private const PosixSignal FileSizeLimit = (PosixSignal)25; // SIGXFSZ
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(800);

    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Timer? _end;
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
        _registrations.Add(PosixSignalRegistration.Create(FileSizeLimit, context => context.Cancel = true)); // the write that met it fails
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _end?.Dispose();
        _source.Dispose();
    }

    private void Cancel(PosixSignalContext context, int signal)
    {
        if (Interlocked.CompareExchange(ref _signal, signal, 0) == 0)
        {
            context.Cancel = true;
#pragma warning disable RS0030 // the verb has been asked to end, and did not: nothing else is left to do
            _end = new Timer(_ => Environment.Exit(ExitCode.SignalBase + signal), state: null, Grace, Timeout.InfiniteTimeSpan);
#pragma warning restore RS0030
            _source.Cancel();
        }
    }
}
