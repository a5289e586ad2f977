using System.Globalization;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Compressed data that are cut, bent and put together.</summary>
internal static partial class LayerCorpus
{
    private static IEnumerable<OddLayer> GzipFraming()
    {
        byte[] gzip = Compressed.Gzip(Archive);
        byte[] zstd = Compressed.Zstd(Archive);
        return
        [
            .. new[] { 3, 5, 10, 11, 40, gzip.Length - 8, gzip.Length - 4, gzip.Length - 1 }.Select(length =>
                PackedBadly("", string.Create(CultureInfo.InvariantCulture, $"cut to {length} of {gzip.Length} bytes"), "+gzip", gzip[..length], "gzip")),
            PackedBadly("", "another method than deflate", "+gzip", Flipped(gzip, 2), "gzip"),
            PackedBadly("", "reserved flags", "+gzip", [.. gzip[..3], 0xe0, .. gzip[4..]], "gzip"),
            PackedBadly("", "wrong length", "+gzip", Flipped(gzip, ^1), "gzip length mismatch"),
            PackedBadly("", "block of the reserved type", "+gzip", [.. gzip[..10], 0x07, .. gzip[11..]], "gzip"),
            PackedBadly("", "distance before the beginning", "+gzip", [.. gzip[..10], 0x03, 0x02, 0x00, .. gzip[^8..]], "gzip"),
            PackedBadly("", "second member cut", "+gzip", [.. Compressed.Gzip(Archive[..700]), .. Compressed.Gzip(Archive[700..])[..20]], "gzip"),
            PackedBadly("", "second member of another format", "+gzip", [.. Compressed.Gzip(Archive[..700]), .. zstd], "trailing garbage"),
            PackedBadly("", "FNAME without an end", "+gzip", [.. gzip[..3], 0x08, .. gzip[4..10], .. Ascii(Many("n", 500))], "gzip"),
            PackedBadly("", "FEXTRA longer than the file", "+gzip", [.. gzip[..3], 0x04, .. gzip[4..10], 0xff, 0xff, 1, 2, 3], "gzip"),
            Packed("", "empty members in between", "", "+gzip", [.. Compressed.Gzip([]), .. Compressed.Gzip(Archive[..700]), .. Compressed.Gzip([]), .. Compressed.Gzip(Archive[700..]), .. Compressed.Gzip([])]),
            Packed("", "a member for each byte", "", "+gzip", [.. Archive.SelectMany(part => Compressed.Gzip([part]))]),
            Packed("", "FNAME of 100,000 bytes", "", "+gzip", [.. gzip[..3], 0x08, .. gzip[4..10], .. Ascii(Many("n", 100_000)), 0, .. gzip[10..]]),
            Packed("", "stored blocks", "", "+gzip", Stored(gzip)),
            PackedBadly("", "a script, compressed", "+gzip", Compressed.Gzip(Ascii("#!/bin/sh\n" + Many("echo hello\n", 100))), "invalid header checksum"),
            PackedBadly("", "a line of text, compressed", "+gzip", Compressed.Gzip(Ascii("sorry, not even enough for a tar header here")), "unexpected end"),
            PackedBadly("", "gzip in gzip", "+gzip", Compressed.Gzip(gzip), "tar archive"),
        ];
    }

    /// <summary>A gzip member whose deflate blocks hold the bytes as they are.</summary>
    private static byte[] Stored(byte[] gzip)
    {
        List<byte> member = [.. gzip[..10]];
        foreach (byte[] part in Archive.Chunk(500))
        {
            member.AddRange([0, (byte)part.Length, (byte)(part.Length >> 8), (byte)~part.Length, (byte)(~part.Length >> 8), .. part]);
        }

        return [.. member, 1, 0, 0, 0xff, 0xff, .. gzip[^8..]];
    }

    private static IEnumerable<OddLayer> ZstdFraming()
    {
        byte[] zstd = Compressed.Zstd(Archive);
        byte[] magic = [0x28, 0xb5, 0x2f, 0xfd];
        byte[] header = zstd[..13];
        return
        [
            .. new[] { 5, 8, 13, 14, 16, zstd.Length / 2, zstd.Length - 1 }.Select(length =>
                PackedBadly("", string.Create(CultureInfo.InvariantCulture, $"cut to {length} of {zstd.Length} bytes"), "+zstd", zstd[..length], "zstd")),
            PackedBadly("", "block of the reserved type", "+zstd", [.. header, .. Compressed.ZstdBlockOf(3, 10, last: true), .. new byte[10]], "zstd"),
            PackedBadly("", "compressed block of garbage", "+zstd", [.. header, .. Compressed.ZstdBlockOf(2, 10, last: true), .. new byte[10]], "zstd"),
            PackedBadly("", "needs a dictionary", "+zstd", [.. magic, 0xe1, 0x07, .. zstd[5..]], "zstd"),
            PackedBadly("", "reserved bit in the frame header", "+zstd", [.. magic, 0xe8, .. zstd[5..]], "zstd"),
            PackedBadly("", "wrong checksum", "+zstd", [.. magic, 0xe4, .. zstd[5..], 1, 2, 3, 4], "zstd"),
            PackedBadly("", "skippable frame cut", "+zstd", [.. Compressed.Skippable(100)[..50]], "zstd"),
            PackedBadly("", "skippable frame of 4 GiB", "+zstd", [0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 1, 2, 3], "zstd"),
            PackedBadly("", "garbage behind it", "+zstd", [.. zstd, .. "garbage"u8], "zstd"),
            PackedBadly("", "a script, compressed", "+zstd", Compressed.Zstd(Ascii("#!/bin/sh\n" + Many("echo hello\n", 100))), "invalid header checksum"),
            PackedBadly("", "a line of text, compressed", "+zstd", Compressed.Zstd(Ascii("sorry, not even enough for a tar header here")), "unexpected end"),
            PackedBadly("", "old format of version 0.7", "+zstd", [0x27, 0xb5, 0x2f, 0xfd, .. zstd[4..]], "tar archive"),
            Packed("", "skippable frames in between and behind", "", "+zstd", [.. Compressed.Zstd(Archive[..700]), .. Compressed.Skippable(0), .. Compressed.Zstd(Archive[700..]), .. Compressed.Skippable(1000)]),
            Packed("", "a frame for each 100 bytes", "", "+zstd", [.. Archive.Chunk(100).SelectMany(Compressed.Zstd)]),
            Packed("", "empty frames in between", "", "+zstd", [.. Compressed.Zstd([]), .. Compressed.Zstd(Archive[..700]), .. Compressed.Zstd([]), .. Compressed.Zstd(Archive[700..])]),
            new("", "only a skippable frame", "", [new([], Compressed.Skippable(7), "+zstd")], Tree(), Refusal: null),
            Repeated(),
        ];
    }

    /// <summary>A few bytes of zstd that become 16 MiB: blocks of one byte, repeated.</summary>
    private static OddLayer Repeated()
    {
        const int Block = 128 * 1024;
        byte[] content = new byte[16 << 20];
        byte[] archive = New().Add("zeros", data: content).ToArray();
        List<byte> frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]; // window of 2 MiB
        frame.AddRange([.. Compressed.ZstdBlockOf(0, 512, last: false), .. archive[..512]]);
        for (int done = 0; done < content.Length; done += Block)
        {
            frame.AddRange([.. Compressed.ZstdBlockOf(1, Block, last: done + Block == content.Length), 0]);
        }

        return new("", "a ratio of 15,000:1", "", [new(archive, [.. frame], "+zstd")], Tree().File("zeros", content), Refusal: null) { IsBomb = true };
    }
}
