using System.Globalization;
using System.Text;

namespace OciTool.Tests.Layers.Model;

/// <summary>Writes entries as a tar archive: ustar headers, and a PAX header for what those cannot say (POSIX.1-2001).</summary>
internal static class LayerEncoder
{
    public static byte[] Encode(IEnumerable<LayerEntry> entries)
    {
        MemoryStream archive = new();
        foreach (LayerEntry entry in entries)
        {
            Write(archive, entry);
        }

        archive.Write(new byte[1024]);
        return archive.ToArray();
    }

    private static void Write(MemoryStream archive, LayerEntry entry)
    {
        byte[] name = Encoding.Latin1.GetBytes(entry.Name);
        byte[] link = Encoding.Latin1.GetBytes(entry.Link);
        byte[] content = entry.Kind == FileKind.File ? Encoding.Latin1.GetBytes(entry.Content) : [];
        MemoryStream records = new();
        if (name.Length > 100)
        {
            Record(records, "path", name);
        }

        if (link.Length > 100)
        {
            Record(records, "linkpath", link);
        }

        if (entry.Modified.Nanoseconds != 0 || entry.Modified.Seconds is < 0 or > 0x1_ffff_ffff)
        {
            Record(records, "mtime", Encoding.ASCII.GetBytes(Decimal(entry.Modified)));
        }

        if (entry.Uid > 0x1f_ffff)
        {
            Record(records, "uid", Encoding.ASCII.GetBytes(entry.Uid.ToString(CultureInfo.InvariantCulture)));
        }

        if (entry.Gid > 0x1f_ffff)
        {
            Record(records, "gid", Encoding.ASCII.GetBytes(entry.Gid.ToString(CultureInfo.InvariantCulture)));
        }

        foreach ((string key, string value) in entry.Xattrs)
        {
            Record(records, "SCHILY.xattr." + key, Encoding.Latin1.GetBytes(value));
        }

        if (records.Length > 0)
        {
            Header(archive, "pax"u8.ToArray(), [], 'x', new LayerEntry("", FileKind.File), records.Length);
            Padded(archive, records.ToArray());
        }

        Header(archive, name, link, TypeFlag(entry.Kind), entry, content.Length);
        Padded(archive, content);
    }

    private static char TypeFlag(FileKind kind) => kind switch
    {
        FileKind.HardLink => '1',
        FileKind.SymbolicLink => '2',
        FileKind.CharacterDevice => '3',
        FileKind.BlockDevice => '4',
        FileKind.Directory => '5',
        FileKind.Fifo => '6',
        _ => '0',
    };

    /// <summary>Seconds with a fraction; before 1970 both parts count downwards, as -1.5 is a second and a half before.</summary>
    private static string Decimal(Time time) =>
        time.Seconds >= 0 || time.Nanoseconds == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{time.Seconds}.{time.Nanoseconds:d9}")
            : string.Create(CultureInfo.InvariantCulture, $"-{-(time.Seconds + 1)}.{1_000_000_000 - time.Nanoseconds:d9}");

    private static void Record(MemoryStream records, string key, byte[] value)
    {
        int rest = key.Length + value.Length + 3;
        int length = rest;
        while (length != rest + Digits(length))
        {
            length = rest + Digits(length);
        }

        records.Write(Encoding.Latin1.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}=")));
        records.Write(value);
        records.WriteByte((byte)'\n');
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static void Header(MemoryStream archive, byte[] name, byte[] link, char type, LayerEntry entry, long size)
    {
        byte[] header = new byte[512];
        name.AsSpan(0, Math.Min(name.Length, 100)).CopyTo(header);
        Octal(header.AsSpan(100, 8), entry.Mode);
        Octal(header.AsSpan(108, 8), entry.Uid > 0x1f_ffff ? 0 : entry.Uid);
        Octal(header.AsSpan(116, 8), entry.Gid > 0x1f_ffff ? 0 : entry.Gid);
        Octal(header.AsSpan(124, 12), size);
        Octal(header.AsSpan(136, 12), entry.Modified.Seconds is >= 0 and <= 0x1_ffff_ffff ? entry.Modified.Seconds : 0);
        header[156] = (byte)type;
        link.AsSpan(0, Math.Min(link.Length, 100)).CopyTo(header.AsSpan(157));
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        Octal(header.AsSpan(329, 8), entry.Major);
        Octal(header.AsSpan(337, 8), entry.Minor);
        header.AsSpan(148, 8).Fill((byte)' ');
        Octal(header.AsSpan(148, 7), header.Sum(part => part));
        archive.Write(header);
    }

    private static void Octal(Span<byte> field, long value)
    {
        string digits = Convert.ToString(value, 8).PadLeft(field.Length - 1, '0');
        Encoding.ASCII.GetBytes(digits, field);
        field[^1] = 0;
    }

    private static void Padded(MemoryStream archive, byte[] content)
    {
        archive.Write(content);
        archive.Write(new byte[-content.Length & 511]);
    }
}
