using System.Buffers.Binary;
using System.IO.Compression;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Compressed forms as no library writes them: every field of the framing can be said.</summary>
internal static class Compressed
{
    private const int ZstdBlock = 128 * 1024;

    /// <summary>One gzip member (RFC 1952).</summary>
    public static byte[] Gzip(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        byte[] member = compressed.ToArray();
        return member.Length > 0 ? member : Convert.FromHexString("1f8b08000000000000030300" + "0000000000000000"); // .NET writes nothing for nothing
    }

    /// <summary>A gzip member with all optional fields: FEXTRA, FNAME, FCOMMENT and FHCRC.</summary>
    public static byte[] GzipWithOptionalFields(byte[] content)
    {
        byte[] plain = Gzip(content);
        byte[] header = [.. plain[..3], 0x1e, .. plain[4..10], 3, 0, 1, 2, 3, .. "name\0comment\0"u8];
        byte[] check = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(check, (ushort)Crc32(header));
        return [.. header, .. check, .. plain[10..]];
    }

    /// <summary>One zstd frame (RFC 8878) of raw blocks, with a single segment and its content size.</summary>
    public static byte[] Zstd(byte[] content)
    {
        List<byte> frame = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, .. Number(content.Length, 8)];
        for (int start = 0; start == 0 || start < content.Length; start += ZstdBlock)
        {
            int length = Math.Min(content.Length - start, ZstdBlock);
            frame.AddRange(ZstdBlockOf(0, length, last: start + length == content.Length));
            frame.AddRange(content.AsSpan(start, length));
        }

        return [.. frame];
    }

    /// <summary>The header of a zstd block.</summary>
    /// <param name="type">0 raw, 1 one byte repeated, 2 compressed, 3 reserved.</param>
    /// <param name="size">The size that it says, in bytes.</param>
    /// <param name="last">Whether it is the frame's last.</param>
    public static byte[] ZstdBlockOf(int type, int size, bool last) => Number((size << 3) | (type << 1) | (last ? 1 : 0), 3);

    /// <summary>A zstd frame whose content is to be skipped.</summary>
    public static byte[] Skippable(int length) => [0x50, 0x2a, 0x4d, 0x18, .. Number(length, 4), .. new byte[length]];

    private static byte[] Number(long value, int bytes)
    {
        byte[] number = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        return number[..bytes];
    }

    private static uint Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte part in bytes)
        {
            crc ^= part;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 0 ? 0 : 0xedb88320);
            }
        }

        return ~crc;
    }
}
