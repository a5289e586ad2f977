using Microsoft.Extensions.Logging;
using OciTool.Images;
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

    /// <summary>The one image that a name stands for, by the rules of short names.</summary>
    /// <param name="name">What the user typed.</param>
    /// <exception cref="OciException">It is not a name, or registries.conf leaves a choice.</exception>
    public Reference Resolve(string name)
    {
        IReadOnlyList<Reference> candidates = ShortNames.Resolve(name, Context.Registries, choose: null).Candidates;
        return candidates is [var only]
            ? only
            : throw new OciException($"short-name \"{Printable.Shorten(name)}\" may be any of {string.Join(", ", candidates)}") { Hint = "write the whole name" };
    }

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
