using OciTool.Linux;

namespace OciTool.Storage.Tar;

internal sealed partial class TarReader
{
    private enum Dialect
    {
        V7,
        Ustar,
        Star,
        Gnu,
    }

    private Dialect _dialect;

    /// <summary>Reads the 512 bytes of a header: magic, checksum and the fields that its dialect has.</summary>
    private void ReadHeader(ReadOnlySpan<byte> block)
    {
        VerifyChecksum(block);
        _dialect = block[257..265].SequenceEqual("ustar  \0"u8) ? Dialect.Gnu
            : !block[257..263].SequenceEqual("ustar\0"u8) ? Dialect.V7
            : block[508..].SequenceEqual("tar\0"u8) ? Dialect.Star
            : Dialect.Ustar;
        Entry.TypeFlag = block[156];
        Entry.Mode = (uint)(Number(block[100..108], "mode") & 0xfff);
        Entry.Uid = Number(block[108..116], "uid");
        Entry.Gid = Number(block[116..124], "gid");
        Entry.Size = Number(block[124..136], "size");
        Entry.Modified = new(Number(block[136..148], "mtime"), 0);
        Entry.DeviceMajor = _dialect == Dialect.V7 ? 0 : Number(block[329..337], "device number");
        Entry.DeviceMinor = _dialect == Dialect.V7 ? 0 : Number(block[337..345], "device number");
        Entry.SetLinkName(Text(block[157..257]));
        Entry.Xattrs.Clear();

        ReadOnlySpan<byte> prefix = _dialect switch
        {
            Dialect.Ustar => Text(block[345..500]),
            Dialect.Star => Text(block[345..476]),
            // GNU keeps two times there; Go before 1.8 wrote a prefix nevertheless
            Dialect.Gnu when !TarNumber.TryParse(block[345..357], out _) || !TarNumber.TryParse(block[357..369], out _) =>
                Text(block[345..500]),
            _ => [],
        };
        if (prefix.IsEmpty)
        {
            Entry.SetName(Text(block[..100]));
        }
        else
        {
            Entry.SetName(prefix, Text(block[..100]));
        }

        _runs.Clear();
        SetStored(Entry.Size);
        if (Entry.TypeFlag == (byte)'S')
        {
            ReadGnuSparseHeader(block);
        }
    }

    /// <summary>Applies the extension headers, and finds out what the entry is and where its data are.</summary>
    private void Describe()
    {
        Entry.IsSparse = Entry.TypeFlag == (byte)'S';
        if (!_pax.IsEmpty)
        {
            ApplyPax();
        }

        if (!_longName.Span.IsEmpty)
        {
            Entry.SetName(_longName.Span);
        }

        if (!_longLink.Span.IsEmpty)
        {
            Entry.SetLinkName(_longLink.Span);
        }

        Entry.Kind = Entry.TypeFlag switch
        {
            0 => Entry.Name is [.., (byte)'/'] ? TarEntryKind.Directory : TarEntryKind.RegularFile,
            (byte)'0' or (byte)'S' => TarEntryKind.RegularFile,
            (byte)'1' => TarEntryKind.HardLink,
            (byte)'2' => TarEntryKind.SymbolicLink,
            (byte)'3' => TarEntryKind.CharacterDevice,
            (byte)'4' => TarEntryKind.BlockDevice,
            (byte)'5' => TarEntryKind.Directory,
            (byte)'6' => TarEntryKind.Fifo,
            _ => TarEntryKind.Other,
        };
        if (Entry.Kind is not (TarEntryKind.RegularFile or TarEntryKind.Other))
        {
            Entry.Size = 0; // whatever the header says: what follows is the next header, as in Go
            Entry.IsSparse = false;
            SetStored(0);
        }
        else if (!_pax.IsEmpty || Entry.IsSparse)
        {
            ReadSparseMap();
        }
    }

    private void ApplyPax()
    {
        if (_pax.TryGet("path", out ReadOnlySpan<byte> path))
        {
            Entry.SetName(path);
        }

        if (_pax.TryGet("linkpath", out ReadOnlySpan<byte> link))
        {
            Entry.SetLinkName(link);
        }

        Entry.Uid = Decimal("uid", Entry.Uid);
        Entry.Gid = Decimal("gid", Entry.Gid);
        if (_pax.TryGet("mtime", out ReadOnlySpan<byte> time))
        {
            Entry.Modified = TarNumber.TryParseTime(time, out FileTime modified)
                ? modified
                : throw Damaged("invalid mtime in a PAX record");
        }

        if (_pax.TryGet("size", out _))
        {
            Entry.Size = Decimal("size", 0);
            SetStored(Entry.IsSparse ? _stored : Entry.Size);
        }

        _pax.AddXattrsTo(Entry.Xattrs);
    }

    /// <summary>Finds the runs of a sparse file, and makes the size the one with its holes.</summary>
    private void ReadSparseMap()
    {
        bool old = Entry.TypeFlag == (byte)'S';
        if (!old)
        {
            bool hasMap = _pax.TryGet("GNU.sparse.map", out ReadOnlySpan<byte> map) || _pax.SparseMap.Count > 0;
            bool inData = _pax.TryGet("GNU.sparse.major", out ReadOnlySpan<byte> major) && major.SequenceEqual("1"u8)
                && _pax.TryGet("GNU.sparse.minor", out ReadOnlySpan<byte> minor) && minor.SequenceEqual("0"u8);
            if (Entry.Kind != TarEntryKind.RegularFile || (!hasMap && !inData))
            {
                return;
            }

            if (_pax.TryGet("GNU.sparse.name", out ReadOnlySpan<byte> name))
            {
                Entry.SetName(name);
            }

            Entry.Size = Decimal("GNU.sparse.realsize", Decimal("GNU.sparse.size", Entry.Size));
            Entry.IsSparse = true;
            if (inData)
            {
                ReadSparseMapFromData();
            }
            else if (_pax.SparseMap.Count > 0)
            {
                for (int i = 0; i < _pax.SparseMap.Count; i += 2)
                {
                    _runs.Add(new(_pax.SparseMap[i], _pax.SparseMap[i + 1]));
                }
            }
            else if (!SparseMap.TryReadList(map, _runs))
            {
                throw Damaged("invalid PAX sparse map");
            }
        }

        if (!SparseMap.IsValid(_runs, Entry.Size, _stored))
        {
            throw Damaged("invalid sparse map");
        }
    }

    /// <summary>Format 1.0: decimal lines in front of the data, in whole blocks.</summary>
    private void ReadSparseMapFromData()
    {
        long before = _stored;
        long count = TakeLine();
        for (long i = 0; i < count; i++)
        {
            long offset = TakeLine();
            _runs.Add(new(offset, TakeLine()));
        }

        int rest = (int)(-(before - _stored) & (BlockSize - 1));
        while (rest-- > 0)
        {
            _ = TakeByte();
        }

        long TakeLine()
        {
            long number = 0;
            for (byte digit = TakeByte(); digit != (byte)'\n'; digit = TakeByte())
            {
                if (digit is < (byte)'0' or > (byte)'9' || number > long.MaxValue / 10 - 1)
                {
                    throw Damaged("invalid sparse map");
                }

                number = (number * 10) + (digit - '0');
            }

            return number;
        }

        byte TakeByte()
        {
            if (before - _stored >= MaxSpecialSize || _stored == 0)
            {
                throw Damaged(_stored == 0 ? "invalid sparse map" : "a sparse map is longer than 1 MiB");
            }

            if (Available(1) == 0)
            {
                throw Truncated();
            }

            byte value = _buffer[_start];
            Advance(1);
            _stored--;
            return value;
        }
    }

    /// <summary>Old GNU format: four runs in the header, 21 in each block that follows it.</summary>
    private void ReadGnuSparseHeader(ReadOnlySpan<byte> block)
    {
        long stored = Entry.Size;
        Entry.Size = Number(block[483..495], "size");
        bool valid = SparseMap.TryReadBlock(block[386..482], _runs);
        bool more = block[482] != 0;
        while (valid && more)
        {
            ReadOnlySpan<byte> next = TakeBlock();
            valid = SparseMap.TryReadBlock(next[..504], _runs) && _runs.Count * 24 <= MaxSpecialSize;
            more = next[504] != 0;
        }

        if (!valid)
        {
            throw Damaged("invalid sparse map");
        }

        SetStored(stored);
    }

    private void SetStored(long size)
    {
        if (size < 0 && Entry.TypeFlag is < (byte)'1' or > (byte)'6')
        {
            throw Damaged($"negative size {size}");
        }

        _stored = Math.Max(size, 0);
        _padding = (int)(-_stored & (BlockSize - 1));
        _run = 0;
        _runDone = 0;
    }

    private void VerifyChecksum(ReadOnlySpan<byte> block)
    {
        // the sum of all bytes with blanks for the sum itself; some old writers summed signed bytes
        int unsigned = 8 * ' ';
        int signed = 8 * ' ';
        for (int i = 0; i < block.Length; i++)
        {
            if (i is < 148 or >= 156)
            {
                unsigned += block[i];
                signed += (sbyte)block[i];
            }
        }

        if (!TarNumber.TryParseOctal(block[148..156], out long sum) || (sum != unsigned && sum != signed))
        {
            throw Damaged("invalid header checksum");
        }
    }

    private long Number(ReadOnlySpan<byte> field, string what) =>
        TarNumber.TryParse(field, out long value) ? value : throw Damaged($"invalid {what}");

    private long Decimal(string key, long otherwise) =>
        !_pax.TryGet(key, out ReadOnlySpan<byte> text) ? otherwise
        : TarNumber.TryParseDecimal(text, out long value) ? value
        : throw Damaged($"invalid {key} in a PAX record");

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
