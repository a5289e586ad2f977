using System.Globalization;
using System.Text;

namespace OciTool.Storage.Tar;

/// <summary>One entry of an archive to be written; names are bytes.</summary>
/// <param name="Name">The path, without a slash at its end.</param>
/// <param name="Type">The type flag: <c>0</c> file, <c>1</c> hard link, <c>2</c> symbolic link, <c>3</c> and <c>4</c> devices, <c>5</c> directory, <c>6</c> FIFO.</param>
internal sealed record TarOutputEntry(byte[] Name, char Type)
{
    /// <summary>Permission, set-id and sticky bits.</summary>
    public uint Mode { get; init; }

    /// <summary>The owner.</summary>
    public uint Uid { get; init; }

    /// <summary>The group.</summary>
    public uint Gid { get; init; }

    /// <summary>How many bytes of content follow.</summary>
    public long Size { get; init; }

    /// <summary>When it was changed, in seconds since 1970.</summary>
    public long Modified { get; init; }

    /// <summary>What a link points to.</summary>
    public byte[] Link { get; init; } = [];

    /// <summary>A device's numbers.</summary>
    public (uint Major, uint Minor) Device { get; init; }

    /// <summary>Extended attributes: names and values.</summary>
    public IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs { get; init; } = [];
}

/// <summary>Writes tar archives as POSIX.1-2001 has them: what a ustar header has no room for goes to a pax header before it.</summary>
/// <remarks>No user names, no times of access, nothing that depends on the writer: the same entries give the same bytes.</remarks>
/// <param name="output">Where to; it stays open.</param>
internal sealed class TarWriter(Stream output)
{
    private const int BlockSize = 512;
    private const int RecordSize = 20 * BlockSize; // what GNU tar pads to, and counts on where it changes an archive
    private const long MostOctal = 0x1fffffff8; // 11 octal digits hold more, and some readers take 33 bits only
    private const uint MostId = 0x1fffff;
    private readonly byte[] _block = new byte[BlockSize];
    private long _written;

    /// <summary>Writes a header. The content, where there is some, is written by <see cref="Write"/> and ended by <see cref="Pad"/>.</summary>
    /// <param name="entry">The entry.</param>
    public void Add(TarOutputEntry entry)
    {
        byte[] name = entry.Type == '5' ? [.. entry.Name, (byte)'/'] : entry.Name;
        byte[] extended = Extended(entry, name);
        if (extended.Length > 0)
        {
            Header(new TarOutputEntry("PaxHeaders/entry"u8.ToArray(), 'x') { Mode = 0x1a4, Size = extended.Length }, "PaxHeaders/entry"u8);
            Write(extended);
            Pad();
        }

        Header(entry, name);
    }

    /// <summary>Writes content of the last entry.</summary>
    /// <param name="content">Its next bytes.</param>
    public void Write(ReadOnlySpan<byte> content)
    {
        output.Write(content);
        _written += content.Length;
    }

    /// <summary>Fills the last block of an entry's content.</summary>
    public void Pad() => Zeros((int)(-_written & (BlockSize - 1)));

    /// <summary>Ends the archive.</summary>
    public void Finish()
    {
        Zeros(2 * BlockSize);
        Zeros((int)((RecordSize - (_written % RecordSize)) % RecordSize));
    }

    private static byte[] Extended(TarOutputEntry entry, byte[] name)
    {
        using MemoryStream records = new();
        AddWhere(name.Length > 100, "path", name);
        AddWhere(entry.Link.Length > 100, "linkpath", entry.Link);
        AddWhere(entry.Size > MostOctal, "size", Number(entry.Size));
        AddWhere(entry.Uid > MostId, "uid", Number(entry.Uid));
        AddWhere(entry.Gid > MostId, "gid", Number(entry.Gid));
        AddWhere(entry.Modified is < 0 or > MostOctal, "mtime", Number(entry.Modified));
        foreach ((byte[] key, byte[] value) in entry.Xattrs)
        {
            Add(records, [.. "SCHILY.xattr."u8, .. key], value);
        }

        return records.ToArray();

        void AddWhere(bool needed, string key, byte[] value)
        {
            if (needed)
            {
                Add(records, Encoding.ASCII.GetBytes(key), value);
            }
        }

        static byte[] Number(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
    }

    // a record's length counts its own digits
    private static void Add(MemoryStream records, byte[] key, byte[] value)
    {
        int rest = key.Length + value.Length + 3;
        int length = rest + 1;
        while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
        {
            length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
        }

        records.Write(Encoding.ASCII.GetBytes($"{length.ToString(CultureInfo.InvariantCulture)} "));
        records.Write(key);
        records.WriteByte((byte)'=');
        records.Write(value);
        records.WriteByte((byte)'\n');
    }

    private void Header(TarOutputEntry entry, ReadOnlySpan<byte> name)
    {
        Span<byte> block = _block;
        block.Clear();
        name[..Math.Min(100, name.Length)].CopyTo(block);
        Octal(block[100..108], entry.Mode);
        Octal(block[108..116], entry.Uid > MostId ? 0 : entry.Uid);
        Octal(block[116..124], entry.Gid > MostId ? 0 : entry.Gid);
        Octal(block[124..136], entry.Size > MostOctal ? 0 : entry.Size);
        Octal(block[136..148], entry.Modified is < 0 or > MostOctal ? 0 : entry.Modified);
        block[148..156].Fill((byte)' ');
        block[156] = (byte)entry.Type;
        entry.Link.AsSpan(0, Math.Min(100, entry.Link.Length)).CopyTo(block[157..]);
        "ustar\0"u8.CopyTo(block[257..]);
        "00"u8.CopyTo(block[263..]);
        Octal(block[329..337], entry.Device.Major);
        Octal(block[337..345], entry.Device.Minor);
        int sum = 0;
        foreach (byte b in block)
        {
            sum += b;
        }

        Octal(block[148..155], sum);
        block[155] = (byte)' ';
        Write(block);
    }

    private static void Octal(Span<byte> field, long number)
    {
        field[^1] = 0;
        for (int i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (number & 7));
            number >>= 3;
        }
    }

    private void Zeros(int count)
    {
        _block.AsSpan().Clear();
        for (; count > 0; count -= BlockSize)
        {
            Write(_block.AsSpan(0, Math.Min(count, BlockSize)));
        }
    }
}
