using System.Collections.Concurrent;
using OciTool.Images;
using Spectre.Console;

namespace OciTool.Cli.Output.Progress;

/// <summary>A live line for each layer: bytes, rate and remaining time. Nothing is loaded before the first line is drawn.</summary>
internal sealed class LiveProgress(TextWriter error) : CopyProgress
{
    private const string ShowCursor = "\e[?25h";

    private readonly ConcurrentDictionary<Digest, ProgressTask> _lines = new();
    private readonly HashSet<Digest> _configs = []; // complete before the first blob
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private IAnsiConsole? _console;
    private ProgressContext? _context;
    private Task? _drawing;

    /// <inheritdoc/>
    public override void Begin(string reference) => error.Write($"Trying to pull {reference}...\n");

    /// <inheritdoc/>
    public override void Resolved(Manifest manifest) => _configs.Add(manifest.Config.Digest);

    /// <inheritdoc/>
    public override void Started(Descriptor blob, long offset)
    {
        ProgressTask line = LineOf(blob);
        line.Increment(offset);
    }

    /// <inheritdoc/>
    public override void Skipped(Descriptor blob)
    {
        if (!_configs.Contains(blob.Digest))
        {
            Print($"Copying blob {blob.Digest.Short} skipped: already exists");
        }
    }

    /// <inheritdoc/>
    public override void Advanced(Descriptor blob, int bytes)
    {
        if (_lines.TryGetValue(blob.Digest, out ProgressTask? line))
        {
            line.Increment(bytes);
        }
    }

    /// <inheritdoc/>
    public override void Finished(Descriptor blob)
    {
        if (_lines.TryGetValue(blob.Digest, out ProgressTask? line))
        {
            line.Value = line.MaxValue;
            line.StopTask();
        }
    }

    /// <inheritdoc/>
    public override void Warn(string message) => Print($"Warning: {message}");

    /// <inheritdoc/>
    public override void Note(string message) => Print(message);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (_drawing is null)
        {
            return;
        }

        AppDomain.CurrentDomain.ProcessExit -= RestoreCursor;
        _done.TrySetResult();
        try
        {
            _drawing.GetAwaiter().GetResult();
        }
        finally
        {
            error.Write(ShowCursor);
        }
    }

    private void RestoreCursor(object? sender, EventArgs e) => error.Write(ShowCursor);

    private ProgressTask LineOf(Descriptor blob) => _lines.GetOrAdd(blob.Digest, digest =>
    {
        string kind = _configs.Contains(digest) ? "config" : "blob";
        return Draw().AddTask($"Copying {kind} {digest.Short}", new ProgressTaskSettings { MaxValue = Math.Max(blob.Size, 1) });
    });

    private void Print(string line)
    {
        lock (_gate)
        {
            if (_console is null)
            {
                error.Write($"{line}\n");
            }
            else
            {
                _console.WriteLine(line); // above the live lines
            }
        }
    }

    private ProgressContext Draw()
    {
        lock (_gate)
        {
            if (_context is not null)
            {
                return _context;
            }

            AppDomain.CurrentDomain.ProcessExit += RestoreCursor; // when a signal ends us before this is disposed
            _console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(error),
                Ansi = AnsiSupport.Yes,
                Interactive = InteractionSupport.Yes,
            });
            TaskCompletionSource<ProgressContext> started = new();
            _drawing = _console.Progress()
                .AutoClear(false)
                .HideCompleted(false)
                .Columns(
                    new TaskDescriptionColumn { Alignment = Justify.Left },
                    new ProgressBarColumn { Width = 20 },
                    new DownloadedColumn(),
                    new TransferSpeedColumn(),
                    new RemainingTimeColumn())
                .StartAsync(context =>
                {
                    started.SetResult(context);
                    return _done.Task;
                });
            return _context = started.Task.GetAwaiter().GetResult();
        }
    }
}
