using OciTool.Storage.Layers;

namespace OciTool.Storage.Tar;

/// <summary>Reads a tar archive, entry by entry, from a stream that need not be seekable.</summary>
/// <remarks>
/// V7, ustar, PAX and GNU, as Go's <c>archive/tar</c> understands them, because most layers are written and read by it:
/// where readers differ, an archive can show one thing to a scanner and another to the runtime. Names are bytes.
/// Nothing is allocated by a size that an archive claims, headers of headers are at most 1 MiB, checksums are checked.
/// An entry costs no memory but for its extended attributes: all else is written to the same buffers again.
/// </remarks>
/// <param name="stream">The uncompressed archive.</param>
internal sealed partial class TarReader(Stream stream)
{
    private const int BlockSize = 512;
    private const int MaxSpecialSize = 1024 * 1024;

    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly PaxRecords _pax = new();
    private readonly List<SparseRun> _runs = [];
    private byte[] _special = [];
    private NameBuffer _longName;
    private NameBuffer _longLink;
    private int _start;
    private int _end;
    private bool _endOfStream;
    private bool _isNamed;
    private long _position;
    private long _stored;
    private int _padding;
    private int _run;
    private long _runDone;

    /// <summary>The entry that <see cref="Next"/> found; filled again by the next call.</summary>
    public TarEntry Entry { get; } = new();

    /// <summary>How far the archive was read, in bytes.</summary>
    public long Position => _position;

    /// <summary>Whether data follow the entry's header; for links, directories, devices and fifos there are none.</summary>
    private bool HasData => Entry.Kind is TarEntryKind.RegularFile or TarEntryKind.Other;

    /// <summary>Goes to the next entry; what was not read of the present one is skipped.</summary>
    /// <returns>False at the end of the archive.</returns>
    /// <exception cref="LayerException">The archive is damaged.</exception>
    public bool Next()
    {
        ForgetExtensions();
        while (true)
        {
            SkipToHeader();
            _isNamed = false;
            Entry.Offset = _position;
            if (!TryTakeHeader(out ReadOnlySpan<byte> block))
            {
                return false;
            }

            ReadHeader(block);
            switch (Entry.TypeFlag)
            {
                case (byte)'x':
                    ReadPaxRecords();
                    break;
                case (byte)'g':
                    // Checked, and of no effect on files. Go gives it to its caller like an entry, so that
                    // extensions in front of it do not reach the file behind it.
                    ReadPaxRecords();
                    ForgetExtensions();
                    break;
                case (byte)'L':
                    _longName.Set(ReadLongName());
                    break;
                case (byte)'K':
                    _longLink.Set(ReadLongName());
                    break;
                default:
                    Describe(block);
                    return true;
            }
        }
    }

    /// <summary>The next part of the file's data, straight from the buffer; valid until the next call.</summary>
    /// <param name="offset">Where the part lies in the file, in bytes.</param>
    /// <returns>An empty span behind the last part.</returns>
    /// <exception cref="LayerException">The archive ends within the data.</exception>
    public ReadOnlySpan<byte> NextData(out long offset)
    {
        long wanted = _stored;
        offset = Entry.Size - _stored;
        if (Entry.IsSparse && _stored > 0)
        {
            while (_runDone == _runs[_run].Length)
            {
                _run++;
                _runDone = 0;
            }

            offset = _runs[_run].Offset + _runDone;
            wanted = _runs[_run].Length - _runDone;
        }

        if (wanted == 0)
        {
            return [];
        }

        if (Available(1) == 0)
        {
            throw Truncated();
        }

        ReadOnlySpan<byte> part = _buffer.AsSpan(_start, (int)Math.Min(wanted, _end - _start));
        Advance(part.Length);
        _stored -= part.Length;
        _runDone += part.Length;
        return part;
    }

    private void ForgetExtensions()
    {
        _longName.Set([]);
        _longLink.Set([]);
        _pax.Clear();
    }

    private void ReadPaxRecords()
    {
        int length = ReadSpecial();
        if (_pax.Parse(ref _special, length) is { } problem)
        {
            throw Damaged(problem);
        }
    }

    private ReadOnlySpan<byte> ReadLongName()
    {
        int length = ReadSpecial();
        return Text(_special.AsSpan(0, length));
    }

    /// <summary>Reads the body of an extension header to the buffer for them, which grows as data come.</summary>
    private int ReadSpecial()
    {
        if (_stored > MaxSpecialSize)
        {
            throw Damaged("an extension header is longer than 1 MiB");
        }

        int length = 0;
        Entry.IsSparse = false;
        for (ReadOnlySpan<byte> part = NextData(out _); !part.IsEmpty; part = NextData(out _))
        {
            AddSpecial(part, length);
            length += part.Length;
        }

        return length;
    }

    private void AddSpecial(ReadOnlySpan<byte> part, int length)
    {
        if (length + part.Length > _special.Length)
        {
            Array.Resize(ref _special, Math.Max(4096, (length + part.Length) * 2));
        }

        part.CopyTo(_special.AsSpan(length));
    }

    private void SkipToHeader()
    {
        if (_stored > _end - _start && stream.CanSeek)
        {
            // an archive of blobs: what they hold is not wanted here
            long beyond = _stored - (_end - _start);
            if (beyond > stream.Length - stream.Position)
            {
                throw Truncated();
            }

            stream.Position += beyond;
            _position += _stored;
            _stored = 0;
            _start = _end = 0;
        }

        while (_stored > 0)
        {
            int count = (int)Math.Min(_stored, Available(1));
            if (count == 0)
            {
                throw Truncated();
            }

            Advance(count);
            _stored -= count;
        }

        Advance(Math.Min(_padding, Available(_padding))); // an archive may end within the padding, as in Go
        _padding = 0;
    }

    /// <summary>The block of the next header; false at the end: no bytes, one block of zeros and no bytes, or two.</summary>
    private bool TryTakeHeader(out ReadOnlySpan<byte> block)
    {
        block = [];
        if (Available(BlockSize) == 0)
        {
            return false;
        }

        block = TakeBlock();
        if (block.ContainsAnyExcept((byte)0))
        {
            return true;
        }

        if (Available(BlockSize) == 0 || !TakeBlock().ContainsAnyExcept((byte)0))
        {
            return false;
        }

        throw Damaged("a lone block of zeros before the end");
    }

    /// <summary>The next 512 bytes; valid until the buffer is filled again.</summary>
    private ReadOnlySpan<byte> TakeBlock()
    {
        if (Available(BlockSize) < BlockSize)
        {
            throw Truncated();
        }

        ReadOnlySpan<byte> block = _buffer.AsSpan(_start, BlockSize);
        Advance(BlockSize);
        return block;
    }

    private void Advance(int count)
    {
        _start += count;
        _position += count;
    }

    /// <summary>Fills the buffer until it holds so many bytes.</summary>
    /// <returns>How many it holds: fewer only at the end of the stream.</returns>
    private int Available(int wanted)
    {
        if (_end - _start < wanted && !_endOfStream)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            while (_end < wanted && !_endOfStream)
            {
                int count = stream.Read(_buffer, _end, _buffer.Length - _end);
                _end += count;
                _endOfStream = count == 0;
            }
        }

        return _end - _start;
    }

    private LayerException Truncated() => Failure("unexpected end", _position + _end - _start);

    private LayerException Damaged(string why) => Failure(why, Entry.Offset);

    /// <summary>Names the entry, or the last one before the damage when its own header does not tell.</summary>
    private LayerException Failure(string why, long offset)
    {
        if (_isNamed)
        {
            return new LayerException(Entry.Name, $"damaged tar archive at offset {offset}: {why}", offset);
        }

        string behind = Entry.Name.IsEmpty ? "" : $", behind entry {LayerException.Quote(Entry.Name)}";
        return new LayerException($"damaged tar archive at offset {offset}{behind}: {why}", offset);
    }
}
