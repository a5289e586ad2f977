namespace OciTool.Storage.Tar;

/// <remarks>Sparse files, as "Storing Sparse Files" of GNU tar's manual has them, and Go's versions of the rules.</remarks>
internal sealed partial class TarReader
{
    private enum SparseFormat
    {
        None,
        Old,
        InRecords,
        InData,
    }

    /// <summary>Finds the runs of a sparse file, and makes the size the one with its holes.</summary>
    private void ReadSparseMap(ReadOnlySpan<byte> header)
    {
        SparseFormat format = SparseFormatOf();
        _runs.Clear();
        Entry.IsSparse = format != SparseFormat.None;
        if (!Entry.IsSparse)
        {
            return;
        }

        if (format == SparseFormat.Old)
        {
            ReadOldMap(header);
        }
        else
        {
            if (_pax.TryGet(PaxKey.SparseName, out ReadOnlySpan<byte> name))
            {
                Entry.SetName(name);
            }

            Entry.Size = Decimal(PaxKey.SparseSize, "GNU.sparse.size")
                ?? Decimal(PaxKey.SparseRealSize, "GNU.sparse.realsize")
                ?? Entry.Size;
            if (format == SparseFormat.InData)
            {
                ReadMapFromData();
            }
            else
            {
                ReadMapFromRecords();
            }
        }

        if (!HasData || !SparseMap.IsValid(_runs, Entry.Size, _stored))
        {
            throw Damaged("invalid sparse map");
        }
    }

    private SparseFormat SparseFormatOf()
    {
        if (Entry.TypeFlag == (byte)'S')
        {
            return SparseFormat.Old;
        }

        if (_pax.IsEmpty)
        {
            return SparseFormat.None;
        }

        bool hasMajor = _pax.TryGet(PaxKey.SparseMajor, out ReadOnlySpan<byte> major);
        bool hasMinor = _pax.TryGet(PaxKey.SparseMinor, out ReadOnlySpan<byte> minor);
        if (!hasMajor && !hasMinor)
        {
            // 0.0 and 0.1 had no records for their version at first
            bool hasMap = _pax.SparseNumbers.Count > 0 || _pax.TryGet(PaxKey.SparseMap, out _);
            return hasMap ? SparseFormat.InRecords : SparseFormat.None;
        }

        return major is [(byte)'1'] && minor is [(byte)'0'] ? SparseFormat.InData
            : major is [(byte)'0'] && minor is [(byte)'0' or (byte)'1'] ? SparseFormat.InRecords
            : SparseFormat.None; // a version that nobody knows: an ordinary file, as in Go
    }

    /// <summary>Format 0.0 has a record for each number, format 0.1 one record for all; both say how many runs there are.</summary>
    private void ReadMapFromRecords()
    {
        List<long> numbers = _pax.SparseNumbers;
        for (int i = 0; i < numbers.Count; i += 2)
        {
            _runs.Add(new(numbers[i], numbers[i + 1]));
        }

        bool valid = numbers.Count > 0
            || !_pax.TryGet(PaxKey.SparseMap, out ReadOnlySpan<byte> map)
            || SparseMap.TryReadList(map, _runs);
        if (!valid || Decimal(PaxKey.SparseBlocks, "GNU.sparse.numblocks") != _runs.Count)
        {
            throw Damaged("invalid sparse map");
        }
    }

    /// <summary>Format 1.0: decimal lines in front of the data, in whole blocks; first how many runs follow.</summary>
    private void ReadMapFromData()
    {
        int start = 0;
        int length = 0;
        long count = TakeLine();
        if (count < 0)
        {
            throw Damaged("invalid sparse map");
        }

        for (long i = 0; i < count; i++)
        {
            long offset = TakeLine();
            _runs.Add(new(offset, TakeLine()));
        }

        long TakeLine()
        {
            int newline = _special.AsSpan(start, length - start).IndexOf((byte)'\n');
            while (newline < 0)
            {
                TakeMapBlock(length);
                int place = _special.AsSpan(length, BlockSize).IndexOf((byte)'\n');
                newline = place < 0 ? place : length - start + place;
                length += BlockSize;
            }

            ReadOnlySpan<byte> line = _special.AsSpan(start, newline);
            start += newline + 1;
            return TarNumber.TryParseDecimal(line, out long number) ? number : throw Damaged("invalid sparse map");
        }
    }

    /// <summary>Moves a block of the data to the buffer for extensions.</summary>
    private void TakeMapBlock(int length)
    {
        CheckMapSize(length + BlockSize);
        if (_stored < BlockSize)
        {
            throw Damaged("invalid sparse map");
        }

        AddSpecial(TakeBlock(), length);
        _stored -= BlockSize;
    }

    /// <summary>Old GNU format: four runs in the header, 21 in each block that follows it.</summary>
    private void ReadOldMap(ReadOnlySpan<byte> header)
    {
        if (DialectOf(header) != Dialect.Gnu)
        {
            throw Damaged("invalid sparse map"); // star has the same type flag for a layout of its own
        }

        Entry.Size = Number(header[483..495], "size");
        bool valid = SparseMap.TryReadBlock(header[386..482], _runs);
        bool more = header[482] != 0;
        for (int size = 2 * BlockSize; valid && more; size += BlockSize)
        {
            CheckMapSize(size);
            ReadOnlySpan<byte> block = TakeBlock();
            valid = SparseMap.TryReadBlock(block[..504], _runs);
            more = block[504] != 0;
        }

        if (!valid)
        {
            throw Damaged("invalid sparse map");
        }
    }

    private void CheckMapSize(int size)
    {
        if (size > MaxSpecialSize)
        {
            throw Damaged("a sparse map is longer than 1 MiB");
        }
    }
}
