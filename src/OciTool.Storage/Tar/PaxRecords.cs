namespace OciTool.Storage.Tar;

/// <summary>The keys of PAX records that a reader must know; all others but extended attributes are passed over.</summary>
internal enum PaxKey
{
    Path,
    LinkPath,
    UserName,
    GroupName,
    Uid,
    Gid,
    Size,
    ModificationTime,
    AccessTime,
    ChangeTime,
    SparseMajor,
    SparseMinor,
    SparseName,
    SparseSize,
    SparseRealSize,
    SparseMap,
    SparseBlocks,
}

/// <summary>The records of a PAX extended header (POSIX.1-2001 pax, "pax Header Block").</summary>
/// <remarks>Values are places in the body, so that a header costs no memory but what its body needs once.</remarks>
internal sealed class PaxRecords
{
    private readonly Range[] _values = new Range[(int)PaxKey.SparseBlocks + 1];
    private readonly OrderedDictionary<Range, Range> _xattrs;
    private byte[] _bytes = [];

    public PaxRecords() => _xattrs = new(new ByBytes(this));

    /// <summary>Sparse map of format 0.0, whose records repeat their keys: offset, length, offset, …</summary>
    public List<long> SparseNumbers { get; } = [];

    /// <summary>Whether there are no records to apply.</summary>
    public bool IsEmpty { get; private set; } = true;

    private static ReadOnlySpan<byte> XattrPrefix => "SCHILY.xattr."u8;

    public void Clear()
    {
        if (!IsEmpty)
        {
            Array.Clear(_values);
            _xattrs.Clear();
            SparseNumbers.Clear();
            IsEmpty = true;
        }
    }

    /// <summary>Takes the body of a header, in place of all records of a header before it.</summary>
    /// <remarks>A later record of the same key wins, also when it is empty.</remarks>
    /// <param name="body">A buffer with the body; it is exchanged for another.</param>
    /// <param name="length">The length of the body.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Parse(ref byte[] body, int length)
    {
        Clear();
        (_bytes, body) = (body, _bytes);
        int start = 0;
        while (start < length)
        {
            IsEmpty = false;
            ReadOnlySpan<byte> rest = _bytes.AsSpan(start, length - start);
            int space = rest.IndexOf((byte)' ');
            if (space < 0 || !TarNumber.TryParseDecimal(rest[..space], out long size)
                || size < space + 2 || size > rest.Length || rest[(int)size - 1] != (byte)'\n')
            {
                return "invalid length of a PAX record";
            }

            ReadOnlySpan<byte> record = rest[(space + 1)..((int)size - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                return "invalid PAX record";
            }

            int key = start + space + 1;
            int value = key + equals + 1;
            start += (int)size;
            if (Add(key..(value - 1), value..(start - 1)) is { } problem)
            {
                return problem;
            }
        }

        return SparseNumbers.Count % 2 == 0 ? null : "invalid sparse map";
    }

    /// <summary>The value of a record; false when it is absent or empty, which means "as in the header".</summary>
    public bool TryGet(PaxKey key, out ReadOnlySpan<byte> value)
    {
        value = _bytes.AsSpan(_values[(int)key]);
        return !value.IsEmpty;
    }

    /// <summary>Copies the extended attributes to an entry, but empty ones: an empty value means that there is none.</summary>
    public void AddXattrsTo(List<TarXattr> xattrs)
    {
        for (int i = 0; i < _xattrs.Count; i++)
        {
            (Range place, Range content) = _xattrs.GetAt(i);
            ReadOnlySpan<byte> value = _bytes.AsSpan(content);
            if (!value.IsEmpty)
            {
                ReadOnlySpan<byte> text = _bytes.AsSpan(place);
                byte[] name = new byte[text.Length + 1];
                text.CopyTo(name);
                xattrs.Add(new(name, value.ToArray()));
            }
        }
    }

    private string? Add(Range key, Range value)
    {
        ReadOnlySpan<byte> name = _bytes.AsSpan(key);
        bool isOffset = name.SequenceEqual("GNU.sparse.offset"u8);
        if (isOffset || name.SequenceEqual("GNU.sparse.numbytes"u8))
        {
            if (isOffset != (SparseNumbers.Count % 2 == 0)
                || !TarNumber.TryParseDecimal(_bytes.AsSpan(value), out long number))
            {
                return "invalid sparse map";
            }

            SparseNumbers.Add(number);
            return null;
        }

        PaxKey? known = KeyOf(name);
        bool isText = known is PaxKey.Path or PaxKey.LinkPath or PaxKey.UserName or PaxKey.GroupName;
        if ((isText ? _bytes.AsSpan(value) : name).Contains((byte)0))
        {
            return "NUL in a PAX record";
        }

        if (known is { } index)
        {
            _values[(int)index] = value;
        }
        else if (name.StartsWith(XattrPrefix))
        {
            _xattrs[(key.Start.Value + XattrPrefix.Length)..key.End] = value;
        }

        return null;
    }

    private static PaxKey? KeyOf(ReadOnlySpan<byte> key) =>
        key.SequenceEqual("path"u8) ? PaxKey.Path
        : key.SequenceEqual("linkpath"u8) ? PaxKey.LinkPath
        : key.SequenceEqual("uname"u8) ? PaxKey.UserName
        : key.SequenceEqual("gname"u8) ? PaxKey.GroupName
        : key.SequenceEqual("uid"u8) ? PaxKey.Uid
        : key.SequenceEqual("gid"u8) ? PaxKey.Gid
        : key.SequenceEqual("size"u8) ? PaxKey.Size
        : key.SequenceEqual("mtime"u8) ? PaxKey.ModificationTime
        : key.SequenceEqual("atime"u8) ? PaxKey.AccessTime
        : key.SequenceEqual("ctime"u8) ? PaxKey.ChangeTime
        : key.SequenceEqual("GNU.sparse.major"u8) ? PaxKey.SparseMajor
        : key.SequenceEqual("GNU.sparse.minor"u8) ? PaxKey.SparseMinor
        : key.SequenceEqual("GNU.sparse.name"u8) ? PaxKey.SparseName
        : key.SequenceEqual("GNU.sparse.size"u8) ? PaxKey.SparseSize
        : key.SequenceEqual("GNU.sparse.realsize"u8) ? PaxKey.SparseRealSize
        : key.SequenceEqual("GNU.sparse.map"u8) ? PaxKey.SparseMap
        : key.SequenceEqual("GNU.sparse.numblocks"u8) ? PaxKey.SparseBlocks
        : null;

    /// <summary>Compares names of attributes where they stand: an archive can have fifty thousand in one header.</summary>
    private sealed class ByBytes(PaxRecords records) : IEqualityComparer<Range>
    {
        public bool Equals(Range x, Range y) => records._bytes.AsSpan(x).SequenceEqual(records._bytes.AsSpan(y));

        public int GetHashCode(Range obj)
        {
            HashCode hash = default;
            hash.AddBytes(records._bytes.AsSpan(obj));
            return hash.ToHashCode();
        }
    }
}
