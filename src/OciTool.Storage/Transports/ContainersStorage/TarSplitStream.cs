using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>The archive of a layer, made again from its tar-split record and the files that were unpacked from it.</summary>
/// <remarks>
/// Exactly as many bytes as the layer promises, or an error: whoever reads it verifies the digest. Files are opened below the
/// layer's directory, whose links lead nowhere else.
/// </remarks>
/// <param name="record">The record; closed with this.</param>
/// <param name="files">The layer's directory; closed with this.</param>
/// <param name="size">The size of the archive.</param>
/// <param name="offset">Where in the archive to begin.</param>
/// <param name="failed">Makes an error out of what is wrong.</param>
internal sealed class TarSplitStream(
    TarSplitReader record, RootDirectory files, long size, long offset, Func<string, Exception?, OciException> failed) : Stream
{
    private long _position;
    private ReadOnlyMemory<byte> _segment;
    private SafeFileHandle? _file;
    private TarSplitEntry _entry;
    private long _inFile;
    private bool _isWhole;
    private Crc64 _crc;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => size - offset;

    /// <inheritdoc/>
    public override long Position
    {
        get => Math.Max(0, _position - offset);
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="OciException">The record is damaged, or a file is missing or another one.</exception>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            while (buffer.Length > 0)
            {
                int read = ReadPart(buffer);
                if (read > 0)
                {
                    _position += read;
                    return read;
                }

                if (!Open())
                {
                    return _position == size ? 0 : throw new InvalidDataException($"it makes an archive of {_position} bytes instead of {size}");
                }
            }

            return 0;
        }
        catch (InvalidDataException e)
        {
            throw failed($"its tar-split record is damaged: {Printable.Shorten(e.Message.TrimEnd('.'))}", e);
        }
        catch (IOException e)
        {
            throw failed(Printable.Shorten(e.Message.TrimEnd('.')), e);
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span)); // reads of files do not wait
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file?.Dispose();
            record.Dispose();
            files.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadPart(Span<byte> buffer)
    {
        if (_file is null)
        {
            int taken = Math.Min(buffer.Length, _segment.Length);
            _segment.Span[..taken].CopyTo(buffer);
            _segment = _segment[taken..];
            return taken;
        }

        int wanted = (int)Math.Min(buffer.Length, _entry.Size - _inFile);
        int read = wanted == 0 ? 0 : RandomAccess.Read(_file, buffer[..wanted], _inFile);
        if (read < wanted && read == 0)
        {
            throw Damaged("it has become shorter");
        }

        _crc.Append(buffer[..read]);
        _inFile += read;
        if (_inFile == _entry.Size)
        {
            EndFile();
        }

        return read;
    }

    private void EndFile()
    {
        _file!.Dispose();
        _file = null;
        if (_isWhole && _entry.Payload.Length == sizeof(ulong) && BinaryPrimitives.ReadUInt64BigEndian(_entry.Payload) != _crc.Value)
        {
            throw Damaged("it is another one than was unpacked");
        }
    }

    // what lies before the offset is passed over unread
    private bool Open()
    {
        while (record.Next(out TarSplitEntry entry))
        {
            if (entry.Size > size - _position)
            {
                throw new InvalidDataException($"it makes an archive of more than {size} bytes");
            }

            long passed = Math.Clamp(offset - _position, 0, entry.Size);
            _position += passed;
            if (passed == entry.Size)
            {
                continue;
            }

            if (entry.Name is null)
            {
                _segment = entry.Payload.AsMemory((int)passed);
                return true;
            }

            _entry = entry;
            _file = files.OpenRegular(entry.Name) ?? throw Damaged("it is missing");
            (_inFile, _isWhole, _crc) = (passed, passed == 0, default);
            return RandomAccess.GetLength(_file) == entry.Size ? true
                : throw Damaged($"it has {RandomAccess.GetLength(_file)} bytes instead of {entry.Size}");
        }

        return false;
    }

    private OciException Damaged(string cause) => failed($"its file '{Shorten(_entry.Name)}': {cause}", null);

    private static string Shorten(byte[]? name) => Printable.Escape(name is { Length: > 160 } ? name.AsSpan(0, 160) : name);
}
