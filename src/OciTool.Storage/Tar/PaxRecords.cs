namespace OciTool.Storage.Tar;

/// <summary>The records of a PAX extended header (POSIX.1-2001 pax, "pax Header Block").</summary>
internal sealed class PaxRecords
{
    private const string XattrPrefix = "SCHILY.xattr.";

    private readonly Dictionary<string, Range> _values = [];
    private readonly List<string> _xattrs = [];
    private byte[] _bytes = [];

    /// <summary>Sparse map of format 0.0, whose records repeat their keys: offset, length, offset, …</summary>
    public List<long> SparseMap { get; } = [];

    /// <summary>Whether there are no records to apply.</summary>
    public bool IsEmpty => _values.Count == 0 && SparseMap.Count == 0;

    public void Clear()
    {
        _values.Clear();
        _xattrs.Clear();
        SparseMap.Clear();
    }

    /// <summary>Takes the body of a header; a later record of the same key wins.</summary>
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
            ReadOnlySpan<byte> rest = _bytes.AsSpan(start, length - start);
            int space = rest.IndexOf((byte)' ');
            if (space is <= 0 or > 8 || !TarNumber.TryParseDecimal(rest[..space], out long size)
                || rest[0] is < (byte)'0' or > (byte)'9'
                || size < space + 3 || size > rest.Length || rest[(int)size - 1] != (byte)'\n')
            {
                return "invalid length of a PAX record";
            }

            ReadOnlySpan<byte> record = rest[(space + 1)..((int)size - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                return "invalid PAX record";
            }

            int value = start + space + 1 + equals + 1;
            if (Add(record[..equals], value..(start + (int)size - 1)) is { } problem)
            {
                return problem;
            }

            start += (int)size;
        }

        return SparseMap.Count % 2 == 0 ? null : "invalid PAX sparse map";
    }

    /// <summary>The value of a record; false when it is absent or empty, which means "as in the header".</summary>
    public bool TryGet(string key, out ReadOnlySpan<byte> value)
    {
        value = _values.TryGetValue(key, out Range range) ? _bytes.AsSpan(range) : [];
        return !value.IsEmpty;
    }

    /// <summary>Copies the extended attributes to an entry.</summary>
    public void AddXattrsTo(List<TarXattr> xattrs)
    {
        foreach (string key in _xattrs)
        {
            if (TryGet(key, out ReadOnlySpan<byte> value))
            {
                byte[] name = new byte[key.Length - XattrPrefix.Length + 1];
                System.Text.Encoding.Latin1.GetBytes(key.AsSpan(XattrPrefix.Length), name);
                xattrs.Add(new(name, value.ToArray()));
            }
        }
    }

    private string? Add(ReadOnlySpan<byte> key, Range value)
    {
        bool isOffset = key.SequenceEqual("GNU.sparse.offset"u8);
        if (isOffset || key.SequenceEqual("GNU.sparse.numbytes"u8))
        {
            if (isOffset != (SparseMap.Count % 2 == 0)
                || !TarNumber.TryParseDecimal(_bytes.AsSpan(value), out long number))
            {
                return "invalid PAX sparse map";
            }

            SparseMap.Add(number);
            return null;
        }

        string name = System.Text.Encoding.Latin1.GetString(key); // one character a byte: nothing is lost
        if (name.Contains('\0', StringComparison.Ordinal)
            || (name is "path" or "linkpath" && _bytes.AsSpan(value).Contains((byte)0)))
        {
            return "NUL in a PAX record";
        }

        if (name.StartsWith(XattrPrefix, StringComparison.Ordinal) && !_values.ContainsKey(name))
        {
            _xattrs.Add(name);
        }

        _values[name] = value;
        return null;
    }
}
