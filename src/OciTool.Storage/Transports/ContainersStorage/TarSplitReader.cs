using System.IO.Compression;
using System.Text.Json;

namespace OciTool.Storage.Transports;

/// <summary>A part of an archive as tar-split records it: bytes that stand there, or a file whose content follows.</summary>
/// <param name="Name">The file's name as bytes; null for a segment.</param>
/// <param name="Size">How many bytes of the archive it is.</param>
/// <param name="Payload">The segment's bytes, or the CRC-64 of the file.</param>
internal readonly record struct TarSplitEntry(byte[]? Name, long Size, byte[] Payload);

/// <summary>Reads a tar-split record: gzip over lines of JSON, one for each part of an archive, in its order.</summary>
/// <remarks>
/// The format of github.com/vbatts/tar-split. It may be hostile: a line is bounded, and so is all of it, by what an archive of
/// the promised size can have, where each file has a header of 512 bytes.
/// </remarks>
/// <param name="record">The compressed record; closed with this.</param>
/// <param name="archiveSize">The size that the archive has.</param>
internal sealed class TarSplitReader(Stream record, long archiveSize) : IDisposable
{
    private const int MaxLine = 32 << 20;
    private const int FileType = 1;
    private const int SegmentType = 2;

    private readonly GZipStream _lines = new(record, CompressionMode.Decompress);
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;

    // Base64 and escapes make segments and names longer, six times at most
    private long _left = (archiveSize < long.MaxValue / 32 ? 16 * archiveSize : long.MaxValue / 2) + (1 << 20);

    /// <summary>The next part.</summary>
    /// <returns>False behind the last.</returns>
    /// <exception cref="InvalidDataException">It is damaged, or not what it should be.</exception>
    internal bool Next(out TarSplitEntry entry)
    {
        entry = default;
        while (NextLine(out ReadOnlySpan<byte> line))
        {
            if (line.Length > 0)
            {
                try
                {
                    entry = Parse(line);
                    return true;
                }
                catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
                {
                    throw new InvalidDataException(e.Message, e);
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    private bool NextLine(out ReadOnlySpan<byte> line)
    {
        int searched = _start;
        while (true)
        {
            int end = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                line = _buffer.AsSpan(_start, searched - _start + end);
                _start = searched + end + 1;
                return true;
            }

            MakeRoom();
            searched = _end;
            int read = _lines.Read(_buffer, _end, _buffer.Length - _end);
            _left -= read;
            if (_left < 0)
            {
                throw new InvalidDataException("it has more than an archive of this size can have");
            }

            if (read == 0)
            {
                line = _buffer.AsSpan(_start, _end - _start);
                _start = _end;
                return line.Length > 0;
            }

            _end += read;
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxLine)
            {
                throw new InvalidDataException($"a line has more than {MaxLine} bytes");
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    private static TarSplitEntry Parse(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader json = new(line, new JsonReaderOptions { MaxDepth = 4 });
        int type = 0;
        byte[]? name = null;
        byte[]? rawName = null;
        byte[]? payload = null;
        long size = 0;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("a line is no object");
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            switch (key)
            {
                case "type": type = json.GetInt32(); break;
                case "name": name = Unescaped(ref json); break;
                case "name_raw": rawName = Binary(ref json); break;
                case "size": size = json.GetInt64(); break;
                case "payload": payload = Binary(ref json); break;
                default: json.Skip(); break;
            }
        }

        return (type, size) switch
        {
            (SegmentType, _) => new TarSplitEntry(null, payload?.Length ?? 0, payload ?? []),
            (FileType, >= 0) => new TarSplitEntry(rawName ?? name ?? [], size, payload ?? []),
            (FileType, _) => throw new FormatException("a file has a negative size"),
            _ => throw new FormatException($"a part has the type {type}"),
        };
    }

    private static byte[]? Binary(ref Utf8JsonReader json) => json.TokenType == JsonTokenType.Null ? null : json.GetBytesFromBase64();

    private static byte[] Unescaped(ref Utf8JsonReader json)
    {
        byte[] text = new byte[json.ValueSpan.Length];
        return text[..json.CopyString(text)];
    }
}
