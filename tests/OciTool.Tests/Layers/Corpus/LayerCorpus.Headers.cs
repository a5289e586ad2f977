using System.Text;

namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private const int SparseSize = 4 << 20;
    private const int SparseOffset = 1 << 20;

    private static OddLayer[] Headers() =>
    [
        Applied("F01", "path of 300 bytes in PAX", "applied", New().Pax(("path", new string('a', 150) + "/" + new string('b', 150))).File("x"), Tree().File(new string('a', 150) + "/" + new string('b', 150))),
        Refused("F02", "component of 256 bytes", New().Pax(("path", new string('a', 256))).File("x"), "File name too long"),
        Applied("F03", "GNU long name and long link", "applied", New().Long('K', new string('t', 200)).Long('L', new string('n', 200)).Add("short", '2', "short"), Tree().Symlink(new string('n', 200), new string('t', 200))),
        Refused("F04", "path of 5000 bytes", New().Pax(("path", Many(new string('p', 49) + "/", 100) + "x")).File("x"), "File name too long"),
        Applied("F05", "mtime with nine digits of a fraction, and one before 1970", "kept", New().Pax(("mtime", "1700000000.123456789")).File("f").Pax(("mtime", "-1.5")).File("g"), Tree().File("f", mtime: 1700000000.123456789m).File("g", mtime: -1.5m)),
        Applied("F06", "uid 2097157 and gid 2^31-1", "kept", New().Add("f", uid: 2097157, gid: int.MaxValue), Tree().File("f", "", uid: 2097157, gid: int.MaxValue)),
        Refused("F07", "uid 2^32-1, which chown(2) ignores", New().Add("f", uid: uint.MaxValue), "uid 4294967295 out of range"),
        Refused("F08", "uid 2^32 and mode 4755", New().Pax(("uid", "4294967296")).Add("f", mode: 0x9ed), "uid 4294967296 out of range"),
        Refused("F09", "uid -5", New().Pax(("uid", "-5")).File("f"), "uid -5 out of range"),
        Applied("F10", "mtime of 2^60 seconds, and of 2^33", "as near as the file system can", New().Add("f", mtime: 1L << 60).Add("g", mtime: 1L << 33), Tree().File("f", "", mtime: null).File("g", "", mtime: 1L << 33)),
        Applied("F11", "names that are not UTF-8", "byte by byte", New().File("caf\xe9", "1").File("caf\xe8", "2"), Tree().File("caf\xe9", "1").File("caf\xe8", "2")),
        Applied("F12", "newline, escape, backslash and colon in a name", "kept, and escaped where it is printed", New().File("a\nb\x1b[1m\\:"), Tree().File("a\nb\x1b[1m\\:")),
        Refused("F13", "NUL in a PAX path", New().Pax(("path", "a\0b")).File("x"), "NUL in a PAX record"),
        Applied("F14", "PAX size 3, header size 0", "three bytes", New().Pax(("size", "3")).Add("f", size: 0).Data("abc"u8.ToArray()).File("g"), Tree().File("f", "abc").File("g")),
        Refused("F15", "PAX record with a wrong length", New().PaxBody("99 path=x\n").File("f"), "invalid length of a PAX record"),
        Refused("F16", "PAX header of 2 MiB", New().PaxBody(TarBuilder.Record("comment", new string('x', 2 << 20))).File("f"), "longer than 1 MiB"),
        Applied("F17", "PAX sparse files of formats 0.0, 0.1 and 1.0", "applied, with holes", PaxSparse(), Tree().Sparse("s0", SparseContent()).Sparse("s1", SparseContent()).Sparse("s2", SparseContent())),
        Applied("F18", "old GNU sparse file", "applied, with holes", New().Add("s", 'S', data: "abc"u8.ToArray(), edit: OldSparse), Tree().Sparse("s", SparseContent())),
        Refused("F19", "wrong header checksum", WrongChecksum(), "invalid header checksum"),
        Refused("F20", "8 GiB of content promised, none there", New().Add("f", size: (8L << 30) + 1), "unexpected end"),
        Refused("F21", "negative size", New().Add("f", size: -5), "negative size"),
        Applied("F22", "100 levels deep", "applied", New().Long('L', Many("d/", 100) + "x").File("x"), Tree().File(Many("d/", 100) + "x")),
        Applied("F23", "the same name twice", "the last one, with a warning", New().File("f", "1").File("f", "2"), Tree().File("f", "2")),
        Applied("F24", "file, directory, symlink of one name", "the symlink", New().File("x").Directory("x").File("x/y").Symlink("x", "t"), Tree().Symlink("x", "t")),
        Applied("F25", "directory with 512 bytes of payload", "the payload is the next header", New().Add("d", '5', mode: 0x1ed, size: 512).File("inner"), Tree().Directory("d").File("inner")),
        Applied("F26", "ustar prefix", "applied", New().Add("name", edit: header => Encoding.ASCII.GetBytes("pre/fix", header.AsSpan(345))), Tree().File("pre/fix/name", "")),
        Refused("F27", "size `zzzz`", New().Add("f", edit: header => Encoding.ASCII.GetBytes("zzzz", header.AsSpan(124))), "invalid size"),
        Applied("F28", "empty PAX path", "the header's name", New().Pax(("path", "")).File("f"), Tree().File("f")),
        Applied("F29", "`..` in a PAX path", "stays in the root", New().Pax(("path", "../../canary/f29")).File("x"), Tree().File("canary/f29")),
        Refused("F30", "hard link to the host by PAX linkpath", New().Pax(("linkpath", Far + "/victim")).Link("h", "x"), NotFound),
    ];

    private static byte[] SparseContent()
    {
        byte[] content = new byte[SparseSize];
        "abc"u8.CopyTo(content.AsSpan(SparseOffset));
        return content;
    }

    private static TarBuilder PaxSparse() => New()
        .PaxBody(TarBuilder.Record("GNU.sparse.size", "4194304") + TarBuilder.Record("GNU.sparse.numblocks", "1")
            + TarBuilder.Record("GNU.sparse.offset", "1048576") + TarBuilder.Record("GNU.sparse.numbytes", "3")).File("s0", "abc")
        .Pax(("GNU.sparse.map", "1048576,3"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.name", "s1"), ("GNU.sparse.size", "4194304")).File("x", "abc")
        .Pax(SparseRecords("s2")).Add("x", data: [.. SparseMapText("1\n1048576\n3\n"), .. "abc"u8]);

    private static (string Key, string Value)[] SparseRecords(string name, string size = "4194304") =>
        [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", name), ("GNU.sparse.realsize", size)];

    private static byte[] SparseMapText(string map) => Ascii(map.PadRight((map.Length + 511) / 512 * 512, '\0'));

    private static void OldSparse(byte[] header) => OldSparse(header, "00004000000", "00000000003", "00020000000");

    private static void OldSparse(byte[] header, string offset, string length, string size)
    {
        "ustar  \0"u8.CopyTo(header.AsSpan(257));
        header.AsSpan(345, 167).Clear();
        Encoding.ASCII.GetBytes(offset + "\0" + length + "\0", header.AsSpan(386));
        Encoding.ASCII.GetBytes(size + "\0", header.AsSpan(483));
    }

    private static TarBuilder WrongChecksum()
    {
        byte[] archive = New().File("f").ToArray();
        archive[0] ^= 1;
        return New().Raw(archive);
    }
}
