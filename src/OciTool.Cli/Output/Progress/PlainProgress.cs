using OciTool.Images;

namespace OciTool.Cli.Output.Progress;

/// <summary>One line a blob, as podman prints where there is no terminal, and a summary at most every ten seconds.</summary>
internal sealed class PlainProgress(TextWriter error, TimeProvider time) : CopyProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly HashSet<Digest> _blobs = [];
    private readonly HashSet<Digest> _configs = [];
    private int _open;
    private long _total;
    private long _atHand;
    private long _copied;
    private long _begun;
    private long _reported;

    /// <inheritdoc/>
    public override void Begin(string reference) => Write($"Trying to pull {reference}...");

    /// <inheritdoc/>
    public override void Resolved(Manifest manifest)
    {
        lock (_gate)
        {
            _begun = _reported = time.GetTimestamp();
            _configs.Add(manifest.Config.Digest);
            foreach (Descriptor blob in manifest.Layers.Prepend(manifest.Config))
            {
                if (_blobs.Add(blob.Digest))
                {
                    _open++;
                    _total += blob.Size;
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Started(Descriptor blob, long offset)
    {
        lock (_gate)
        {
            _atHand += offset;
            Write($"Copying {KindOf(blob)} {blob.Digest}");
        }
    }

    /// <inheritdoc/>
    public override void Skipped(Descriptor blob)
    {
        lock (_gate)
        {
            _atHand += blob.Size;
            Write($"Copying {KindOf(blob)} {blob.Digest} skipped: already exists");
            Close();
        }
    }

    /// <inheritdoc/>
    public override void Advanced(Descriptor blob, int bytes)
    {
        lock (_gate)
        {
            _copied += bytes;
            long now = time.GetTimestamp();
            if (time.GetElapsedTime(_reported, now) < Interval)
            {
                return;
            }

            _reported = now;
            double rate = _copied / Math.Max(time.GetElapsedTime(_begun, now).TotalSeconds, 0.001);
            long left = Math.Max(_total - _atHand - _copied, 0);
            string remaining = rate < 1 ? "" : $", {HumanDuration.Format(TimeSpan.FromSeconds(Math.Min(left / rate, 1e9)))} left";
            Write($"Copied {HumanSize.Spaced(_atHand + _copied)} of {HumanSize.Spaced(_total)}, {HumanSize.Spaced((long)rate)}/s{remaining}");
        }
    }

    /// <inheritdoc/>
    public override void Finished(Descriptor blob)
    {
        lock (_gate)
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public override void Warn(string message) => Write($"Warning: {message}");

    /// <inheritdoc/>
    public override void Note(string message) => Write(message);

    private string KindOf(Descriptor blob) => _configs.Contains(blob.Digest) ? "config" : "blob";

    private void Close()
    {
        if (--_open == 0)
        {
            Write("Writing manifest to image destination");
        }
    }

    private void Write(string line)
    {
        lock (_gate)
        {
            error.Write($"{line}\n");
        }
    }
}
