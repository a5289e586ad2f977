using Microsoft.Extensions.Logging;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>A verb's conversation with registries in which nothing is copied.</summary>
internal sealed class RegistrySession : IDisposable
{
    private readonly ILoggerFactory _loggers;

    /// <summary>Prepares it; no request is sent yet.</summary>
    /// <param name="global">The options of every verb.</param>
    /// <param name="options">How to talk to registries.</param>
    /// <param name="error">Where warnings go.</param>
    public RegistrySession(GlobalOptions global, RegistryOptions options, TextWriter error)
    {
        _loggers = Logs.Create(global.LogLevel);
        Context = new RegistryContext(options, _loggers, TimeProvider.System, message => error.Write($"Warning: {message}\n"));
    }

    /// <summary>What connections are opened with.</summary>
    public RegistryContext Context { get; }

    /// <summary>Runs a conversation from a verb that is synchronous otherwise; signals cancel it.</summary>
    /// <param name="talk">The conversation.</param>
    /// <typeparam name="T">What comes of it.</typeparam>
    /// <exception cref="InterruptedException">A signal ended it.</exception>
    public static T Wait<T>(Func<CancellationToken, Task<T>> talk)
    {
        using SignalCancellation signals = new();
        signals.Listen();
        try
        {
            return talk(signals.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (signals.Signal > 0)
        {
            throw new InterruptedException(signals.Signal);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _loggers.Dispose();
}
