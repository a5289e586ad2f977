using System.Text;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Cli.Output.Progress;

/// <summary>One JSON object a line, for programs; each blob's position at most five times in a second.</summary>
internal sealed class JsonProgress(TextWriter error, TimeProvider time) : CopyProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, (long Offset, long Reported)> _positions = [];

    /// <inheritdoc/>
    public override void Begin(string reference) => Write("begin", json => json.WriteString("reference", reference));

    /// <inheritdoc/>
    public override void Resolved(Manifest manifest) => Write("resolved", json =>
    {
        json.WriteString("config", manifest.Config.Digest.ToString());
        json.WriteStartArray("layers");
        foreach (Descriptor layer in manifest.Layers)
        {
            json.WriteStartObject();
            json.WriteString("digest", layer.Digest.ToString());
            json.WriteNumber("size", layer.Size);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <inheritdoc/>
    public override void Started(Descriptor blob, long offset)
    {
        lock (_gate)
        {
            _positions[blob.Digest] = (offset, time.GetTimestamp());
        }

        Write("started", blob, offset);
    }

    /// <inheritdoc/>
    public override void Skipped(Descriptor blob) => Write("skipped", blob, blob.Size);

    /// <inheritdoc/>
    public override void Advanced(Descriptor blob, int bytes)
    {
        long offset;
        lock (_gate)
        {
            (offset, long reported) = _positions.GetValueOrDefault(blob.Digest);
            offset += bytes;
            long now = time.GetTimestamp();
            bool due = time.GetElapsedTime(reported, now) >= Interval;
            _positions[blob.Digest] = (offset, due ? now : reported);
            if (!due)
            {
                return;
            }
        }

        Write("advanced", blob, offset);
    }

    /// <inheritdoc/>
    public override void Finished(Descriptor blob) => Write("finished", blob, blob.Size);

    /// <inheritdoc/>
    public override void Warn(string message) => Write("warning", json => json.WriteString("message", message));

    /// <inheritdoc/>
    public override void Note(string message) => Write("note", json => json.WriteString("message", message));

    private void Write(string name, Descriptor blob, long offset) => Write(name, json =>
    {
        json.WriteString("digest", blob.Digest.ToString());
        json.WriteNumber("offset", offset);
        json.WriteNumber("size", blob.Size);
    });

    private void Write(string name, Action<Utf8JsonWriter> content)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, JsonOutput.WriterOptions(indent: 0)))
        {
            json.WriteStartObject();
            json.WriteString("event", name);
            content(json);
            json.WriteEndObject();
        }

        string line = JsonOutput.EscapeActive(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length), html: false);
        lock (_gate)
        {
            error.Write($"{line}\n");
        }
    }
}
