using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace OciTool.Tests.Layers;

/// <summary>Writes archives that no sane tool would; text is Latin-1, so that every byte can be said.</summary>
internal sealed class TarBuilder
{
    private readonly List<byte> _bytes = [];

    public TarBuilder Add(
        string name, char type = '0', string link = "", long mode = 0x1a4, long uid = 0, long gid = 0, byte[]? data = null,
        long? size = null, long mtime = 1_700_000_000, int major = 0, int minor = 0, Action<byte[]>? edit = null)
    {
        byte[] header = new byte[512];
        Text(header, 0, 100, name);
        Number(header, 100, 8, mode);
        Number(header, 108, 8, uid);
        Number(header, 116, 8, gid);
        Number(header, 124, 12, size ?? data?.Length ?? 0);
        Number(header, 136, 12, mtime);
        header[156] = (byte)type;
        Text(header, 157, 100, link);
        Text(header, 257, 8, "ustar\000");
        header[263] = header[264] = (byte)'0';
        Number(header, 329, 8, major);
        Number(header, 337, 8, minor);
        edit?.Invoke(header);
        return Raw(Seal(header)).Data(data);
    }

    public TarBuilder File(string name, string content = "new") => Add(name, data: Encoding.Latin1.GetBytes(content));

    public TarBuilder Directory(string name, long mode = 0x1ed, long uid = 0) => Add(name, '5', mode: mode, uid: uid);

    public TarBuilder Symlink(string name, string target) =>
        target.Length > 100 ? Pax(("linkpath", target)).Add(name, '2', mode: 0x1ff) : Add(name, '2', target, mode: 0x1ff);

    public TarBuilder Link(string name, string target, long mode = 0x1a4) => Add(name, '1', target, mode: mode);

    public TarBuilder Whiteout(string path) => Add(path);

    public TarBuilder Long(char type, string text) =>
        Add("././@LongLink", type, data: Encoding.Latin1.GetBytes(text + "\0"));

    public TarBuilder Pax(params (string Key, string Value)[] records) =>
        PaxBody(string.Concat(records.Select(record => Record(record.Key, record.Value))));

    public TarBuilder PaxBody(string body, char type = 'x') =>
        Add("PaxHeaders/0", type, data: Encoding.Latin1.GetBytes(body));

    public TarBuilder Data(byte[]? data)
    {
        if (data is not null)
        {
            _bytes.AddRange(data);
            _bytes.AddRange(new byte[-data.Length & 511]);
        }

        return this;
    }

    public TarBuilder Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public TarBuilder End() => Raw(new byte[1024]);

    public byte[] ToArray() => _bytes.ToArray();

    public static byte[] Gzip(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }

    public static string Record(string key, string value)
    {
        int length = key.Length + value.Length + 3;
        int total = length + length.ToString(CultureInfo.InvariantCulture).Length;
        total = length + total.ToString(CultureInfo.InvariantCulture).Length;
        return string.Create(CultureInfo.InvariantCulture, $"{total} {key}={value}\n");
    }

    public static byte[] Seal(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        Text(header, 148, 8, Convert.ToString(header.Sum(part => part), 8).PadLeft(6, '0') + "\0");
        return header;
    }

    private static void Text(byte[] header, int offset, int length, string text) =>
        Encoding.Latin1.GetBytes(text.AsSpan(0, Math.Min(text.Length, length)), header.AsSpan(offset));

    private static void Number(byte[] header, int offset, int length, long value)
    {
        string octal = Convert.ToString(value, 8);
        if (value >= 0 && octal.Length < length)
        {
            Text(header, offset, length, octal.PadLeft(length - 1, '0'));
            return;
        }

        for (int i = length - 1; i >= 0; i--, value >>= 8)
        {
            header[offset + i] = (byte)value;
        }

        header[offset] |= 0x80;
    }
}
