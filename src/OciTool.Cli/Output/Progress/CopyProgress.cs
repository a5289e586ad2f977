using OciTool.Images;

namespace OciTool.Cli.Output.Progress;

/// <summary>Tells people, or a program, how a copy goes on. Disposing it gives the terminal back.</summary>
internal abstract class CopyProgress : ICopyProgress, IDisposable
{
    /// <summary>The values of <c>--progress</c>.</summary>
    public static readonly string[] Modes = ["auto", "plain", "json", "none"];

    /// <summary>Chooses the display.</summary>
    /// <param name="mode">One of <see cref="Modes"/>; <c>auto</c> draws on a terminal and is plain elsewhere.</param>
    /// <param name="error">Where to: the standard error.</param>
    /// <param name="isTerminal">Whether that is a terminal.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="UsageException">The mode is unknown.</exception>
    public static CopyProgress Create(string mode, TextWriter error, bool isTerminal, TimeProvider time) => mode switch
    {
        "auto" => isTerminal && Environment.GetEnvironmentVariable("TERM") != "dumb" ? new LiveProgress(error) : new PlainProgress(error, time),
        "plain" => new PlainProgress(error, time),
        "json" => new JsonProgress(error, time),
        "none" => new SilentProgress(error),
        _ => throw new UsageException($"invalid value for progress: \"{Printable.Escape(mode)}\": choose from: {string.Join(", ", Modes)}"),
    };

    /// <summary>An image is about to be asked for.</summary>
    /// <param name="reference">Its full name.</param>
    public abstract void Begin(string reference);

    /// <inheritdoc/>
    public abstract void Resolved(Manifest manifest);

    /// <inheritdoc/>
    public abstract void Started(Descriptor blob, long offset);

    /// <inheritdoc/>
    public abstract void Skipped(Descriptor blob);

    /// <inheritdoc/>
    public abstract void Advanced(Descriptor blob, int bytes);

    /// <inheritdoc/>
    public abstract void Finished(Descriptor blob);

    /// <inheritdoc/>
    public abstract void Warn(string message);

    /// <summary>Says what is being done besides copying.</summary>
    /// <param name="message">One line; text from outside is escaped in it.</param>
    public abstract void Note(string message);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what was taken.</summary>
    /// <param name="disposing">Always true: nothing here has a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Says nothing but warnings.</summary>
internal sealed class SilentProgress(TextWriter error) : CopyProgress
{
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public override void Begin(string reference)
    {
    }

    /// <inheritdoc/>
    public override void Resolved(Manifest manifest)
    {
    }

    /// <inheritdoc/>
    public override void Started(Descriptor blob, long offset)
    {
    }

    /// <inheritdoc/>
    public override void Skipped(Descriptor blob)
    {
    }

    /// <inheritdoc/>
    public override void Advanced(Descriptor blob, int bytes)
    {
    }

    /// <inheritdoc/>
    public override void Finished(Descriptor blob)
    {
    }

    /// <inheritdoc/>
    public override void Warn(string message)
    {
        lock (_gate)
        {
            error.Write($"Warning: {message}\n");
        }
    }

    /// <inheritdoc/>
    public override void Note(string message)
    {
    }
}
