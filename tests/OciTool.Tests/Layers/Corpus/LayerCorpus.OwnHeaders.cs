using System.Text;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Numbers, headers in front of headers, sparse maps and extended attributes.</summary>
internal static partial class LayerCorpus
{
    private static IEnumerable<OddLayer> OwnNumbers() =>
    [
        Owner(0), Owner(65535), Owner(65536), Owner(2097151), Owner(2097152), Owner(int.MaxValue), Owner(1L << 31), Owner(uint.MaxValue - 1),
        Bad("gid 2^32-1", New().Add("f", gid: uint.MaxValue), "gid 4294967295 out of range"),
        Bad("gid 2^32 in PAX", New().Pax(("gid", "4294967296")).File("f"), "gid 4294967296 out of range"),
        Bad("gid -1 in PAX", New().Pax(("gid", "-1")).File("f"), "gid -1 out of range"),
        Bad("uid -1 in base 256", New().Add("f", uid: -1), "uid -1 out of range"),
        Bad("uid 2^62 in PAX", New().Pax(("uid", "4611686018427387904")).File("f"), "uid 4611686018427387904 out of range"),
        Bad("uid of 30 digits in PAX", New().Pax(("uid", new string('9', 30))).File("f"), "invalid uid"),
        Bad("uid `0x10` in PAX", New().Pax(("uid", "0x10")).File("f"), "invalid uid"),
        Bad("uid `1e3` in PAX", New().Pax(("uid", "1e3")).File("f"), "invalid uid"),
        Bad("uid `8` in the header", New().Add("f", edit: header => Write(header, 108, "0000008")), "invalid uid"),
        Ok("uid with blanks around it", New().Add("f", edit: header => Write(header, 108, "  17 \0 ")), Tree().File("f", "", uid: 15)),
        Ok("empty uid, gid and mtime", New().Add("f", edit: header => header.AsSpan(108, 16).Clear()), Tree().File("f", "")),
        Ok("size of eleven digits without an end", New().Add("f", data: [.. "abc"u8], edit: header => Write(header, 124, "000000000003")), Tree().File("f", "abc")),
        Bad("size of 2^63-1", New().Pax(("size", "9223372036854775807")).File("f"), "unexpected end"),
        Bad("size of 2^63", New().Pax(("size", "9223372036854775808")).File("f"), "invalid size"),
        Bad("size -1 in PAX", New().Pax(("size", "-1")).File("f"), "negative size"),
        Bad("size -1 in base 256", New().Add("f", size: -1), "negative size"),
        Ok("mtime -2^31", New().Add("f", mtime: int.MinValue), Tree().File("f", "", mtime: int.MinValue)),
        Ok("mtime far before and after all clocks", New().Add("f", mtime: long.MinValue / 2).Add("g", mtime: long.MaxValue / 2), Tree().File("f", "", mtime: null).File("g", "", mtime: null)),
        Ok("mtime with 30 digits of a fraction", New().Pax(("mtime", "1700000000." + new string('1', 30))).File("f"), Tree().File("f", mtime: 1700000000.111111111m)),
        Ok("mtime with one digit of a fraction", New().Pax(("mtime", "1700000000.5")).File("f"), Tree().File("f", mtime: 1700000000.5m)),
        Bad("mtime `1700000000.x`", New().Pax(("mtime", "1700000000.x")).File("f"), "invalid mtime"),
        Bad("mtime `now`", New().Pax(("mtime", "now")).File("f"), "invalid mtime"),
        Ok("the largest device", New().Add("x", '3', major: 4095, minor: 1048575), Tree().Device("x", 'c', 4095, 1048575)),
        Ok("block device 0:0", New().Add("x", '4'), Tree().Device("x", 'b', 0, 0)),
        Bad("device major 4096", New().Add("x", '3', major: 4096), "device 4096:0 out of range"),
        Bad("device minor 2^20", New().Add("x", '4', major: 8, minor: 1048576), "device 8:1048576 out of range"),
        Ok("mode 0", New().Add("f", mode: 0), Tree().File("f", "", 0)),
        Ok("mode 07777", New().Add("f", mode: 0xfff), Tree().File("f", "", 0xfff)),
        Ok("mode with a file type that lies", New().Add("f", mode: 0x41ed).Add("d", '5', mode: 0x81a4), Tree().File("f", "", 0x1ed).Directory("d", 0x1a4)),
    ];

    private static OddLayer Owner(long id) => Ok($"uid and gid {id}", New().Add("f", uid: id, gid: id), Tree().File("f", "", uid: id, gid: id));

    private static void Write(byte[] header, int offset, string text) => Encoding.Latin1.GetBytes(text, header.AsSpan(offset));

    private static IEnumerable<OddLayer> HeaderCombinations() =>
    [
        Ok("PAX path and GNU long name: GNU's counts", New().Pax(("path", "pax")).Long('L', "gnu").File("x"), Tree().File("gnu")),
        Ok("GNU long name and PAX path: GNU's counts", New().Long('L', "gnu").Pax(("path", "pax")).File("x"), Tree().File("gnu")),
        Ok("PAX linkpath and GNU long link: GNU's counts", New().Pax(("linkpath", "pax")).Long('K', "gnu").Symlink("s", "x"), Tree().Symlink("s", "gnu")),
        Ok("two GNU long names: the second", New().Long('L', "one").Long('L', "two").File("x"), Tree().File("two")),
        Ok("two GNU long links: the second", New().Long('K', "one").Long('K', "two").Symlink("s", "x"), Tree().Symlink("s", "two")),
        Ok("second PAX header forgets the first", New().Pax(("uid", "7")).Pax(("gid", "8")).Add("f"), Tree().File("f", "", gid: 8)),
        Ok("PAX header serves one entry", New().Pax(("path", "one")).File("x").File("y"), Tree().File("one").File("y")),
        Ok("GNU long name serves one entry", New().Long('L', "one").File("x").File("y"), Tree().File("one").File("y")),
        Ok("GNU long link for a file", New().Long('K', "target").File("f").Symlink("s", "t"), Tree().File("f").Symlink("s", "t")),
        Ok("global path, uid and size", New().PaxBody(TarBuilder.Record("path", "g") + TarBuilder.Record("uid", "5") + TarBuilder.Record("size", "1024"), 'g').File("f").File("g"), Tree().File("f").File("g")),
        Ok("global header between PAX header and entry, which loses it as in Go", New().Pax(("path", "pax")).PaxBody(TarBuilder.Record("path", "global"), 'g').File("x"), Tree().File("x")),
        Ok("global header at the end", New().File("f").PaxBody(TarBuilder.Record("comment", "x"), 'g'), Tree().File("f")),
        Bad("global header that is broken", New().PaxBody("7 path=x\n", 'g').File("f"), "invalid length of a PAX record"),
        Bad("global header that claims 1 GiB", New().Add("g", 'g', size: 1 << 30), "longer than 1 MiB"),
        Ok("GNU long name, then the end", New().File("f").Long('L', "x"), Tree().File("f")),
        Ok("GNU long name without a NUL", New().Add("x", 'L', data: [.. "name"u8]).File("x"), Tree().File("name")),
        Ok("GNU long name with a NUL inside", New().Add("x", 'L', data: [.. "name\0evil"u8]).File("x"), Tree().File("name")),
        Ok("empty GNU long name: the header's", New().Long('L', "").File("f"), Tree().File("f")),
        Ok("GNU long name that climbs", New().Long('L', Many("../", 50) + Inside("x")).File("x"), Tree().File(Inside("x"))),
        Bad("GNU long name of dots and slashes for a file", New().Long('L', Many("./", 200)).File("x"), "root directory cannot be replaced by a file"),
        Ok("PAX size for a directory", New().Pax(("size", "512")).Directory("d").File("inner"), Tree().Directory("d").File("inner")),
        Ok("PAX size for a symlink", New().Pax(("size", "512")).Symlink("s", "t").File("inner"), Tree().Symlink("s", "t").File("inner")),
        Ok("PAX size for a hard link", New().File("f").Pax(("size", "512")).Link("h", "f").File("inner"), Tree().File("f", links: 2).File("h", links: 2).File("inner")),
        Ok("PAX size less than the header's", New().Pax(("size", "3")).Add("f", size: 1024).Data([.. "abc"u8]).File("g"), Tree().File("f", "abc").File("g")),
        Ok("PAX size 0, header size 512", New().Pax(("size", "0")).Add("f", size: 512).File("inner"), Tree().File("f", "").File("inner")),
        Ok("PAX linkpath for a symlink with slashes and dots", New().Pax(("linkpath", "./a//../b")).Symlink("s", "x"), Tree().Symlink("s", "./a//../b")),
        Bad("NUL in a PAX linkpath", New().Pax(("linkpath", "a\0b")).Symlink("s", "x"), "NUL in a PAX record"),
        Ok("empty PAX uid: the header's", New().Pax(("uid", "")).Add("f", uid: 7), Tree().File("f", "", uid: 7)),
        Ok("PAX keys of nobody", New().Pax(("VENDOR.key", "x"), ("comment", "y"), ("hdrcharset", "BINARY"), ("charset", "x"), ("uname", "root"), ("gname", "root")).File("f"), Tree().File("f")),
        Ok("PAX value with newlines and equals signs", New().Pax(("comment", "a=b\n9 uid=5\n"), ("path", "x=y\nz")).File("f"), Tree().File("x=y\nz")),
        Ok("empty PAX header", New().PaxBody("").File("f"), Tree().File("f")),
        Bad("PAX record without an equals sign", New().PaxBody("8 pathx\n").File("f"), "invalid PAX record"),
        Bad("PAX record without a key", New().PaxBody("6 =ab\n\n").File("f"), "invalid"),
        Bad("PAX record without a newline", New().PaxBody("9 path=abx").File("f"), "invalid length of a PAX record"),
        Bad("PAX record whose length ends within another", New().PaxBody("12 path=one\n5 uid=5\n").File("f"), "invalid length of a PAX record"),
        Bad("PAX record of length 0", New().PaxBody("0 path=x\n").File("f"), "invalid length of a PAX record"),
        Bad("PAX record of a negative length", New().PaxBody("-9 path=x\n").File("f"), "invalid length of a PAX record"),
        Bad("PAX record of a length of 20 digits", New().PaxBody("99999999999999999999 path=x\n").File("f"), "invalid length of a PAX record"),
        Bad("PAX header cut off", Cut(New().Pax(("path", new string('a', 2000))), 1024), "unexpected end"),
        Bad("GNU long name cut off", Cut(New().Long('L', new string('a', 2000)), 1024), "unexpected end"),
        Bad("Solaris extended header `X`", New().PaxBody(TarBuilder.Record("path", "x"), 'X').File("f"), "unsupported tar entry type 'X'"),
        Ok("V7 header with a prefix that does not count", New().Add("f", edit: header => { ToV7(header); Write(header, 345, "prefix"); }), Tree().File("f", "")),
        Ok("prefix and name of the greatest length", New().Add(new string('n', 100), edit: header => Write(header, 345, new string('p', 155))), Tree().File(new string('p', 155) + "/" + new string('n', 100), "")),
        Ok("prefix that climbs", New().Add(Inside("x"), edit: header => Write(header, 345, Many("../", 50))), Tree().File(Inside("x"), "")),
        Ok("prefix of `.wh.`: the name below it counts", New().File("f").Add("f", edit: header => Write(header, 345, "d")), Tree().File("f").File("d/f", "")),
        Bad("prefix that makes a whiteout's child", New().Add("f", edit: header => Write(header, 345, ".wh.d")), InvalidWhiteout),
        Ok("checksum of signed bytes", New().Raw(SignedChecksum()), Tree().File("\xff\xff\xff", "")),
        Ok("type NUL without a slash", New().Add("f", '\0'), Tree().File("f", "")),
        Bad("type 8", New().Add("f", '8'), "unsupported tar entry type '8'"),
        Bad("type 0xff", New().Add("f", '\xff'), "unsupported tar entry type 0xff"),
        Bad("type newline", New().Add("f", '\n'), "unsupported tar entry type 0x0a"),
        Bad("text as long as no header", New().Raw(Ascii("sorry, not even enough for a tar header here")), "unexpected end"),
        Bad("a script", New().Raw(Ascii(("#!/bin/sh\n" + Many("echo hello\n", 100)).PadRight(2048))), "invalid header checksum"),
    ];

    /// <summary>A header with bytes beyond 127, summed as old writers did.</summary>
    private static byte[] SignedChecksum()
    {
        byte[] header = New().Add("\xff\xff\xff").ToArray();
        header.AsSpan(148, 8).Fill((byte)' ');
        Write(header, 148, Convert.ToString(header.Sum(part => (sbyte)part), 8).PadLeft(6, '0') + "\0");
        return header;
    }

    private static IEnumerable<OddLayer> SparseMaps() =>
    [
        BadMap("runs that overlap", "2\n0\n2\n1\n1\n"),
        BadMap("runs out of order", "2\n100\n1\n0\n2\n"),
        BadMap("run beyond the size", "1\n4194303\n3\n"),
        BadMap("run that is longer than what is stored", "1\n0\n4\n"),
        BadMap("run that is shorter than what is stored", "1\n0\n2\n"),
        BadMap("run at 2^63-1", "1\n9223372036854775807\n3\n"),
        BadMap("run at 2^64", "1\n18446744073709551616\n3\n"),
        BadMap("negative run", "1\n-5\n3\n"),
        BadMap("letters", "1\nabc\n3\n"),
        BadMap("more runs promised than there are", "5\n0\n3\n"),
        BadMap("2^62 runs promised", "4611686018427387904\n0\n3\n"),
        BadMap("no runs, but content", "0\n"),
        BadMap("a map of zeros", ""),
        Bad("a map without an end", New().Pax(SparseRecords("s")).Add("x", data: Ascii(Many("1", 2 << 20))), "sparse map"),
        Bad("a map of more than 1 MiB", New().Pax(SparseRecords("s", "1000000000")).Add("x", data: Ascii("999999\n" + Many("0\n0\n", 300_000))), "longer than 1 MiB"),
        Bad("a negative real size", New().Pax(SparseRecords("s", "-1")).Add("x", data: [.. SparseMapText("1\n0\n3\n"), .. "abc"u8]), "invalid"),
        Bad("a real size of letters", New().Pax(SparseRecords("s", "abc")).Add("x", data: [.. SparseMapText("1\n0\n3\n"), .. "abc"u8]), "invalid"),
        Ok("only a hole", New().Pax(SparseRecords("s")).Add("x", data: SparseMapText("0\n")), Tree().Sparse("s", new byte[SparseSize])),
        Ok("a hole behind the last run", New().Pax(SparseRecords("s", "4096")).Add("x", data: [.. SparseMapText("1\n0\n3\n"), .. "abc"u8]), Tree().File("s", "abc" + new string('\0', 4093))),
        Ok("an empty run at the end", New().Pax(SparseRecords("s", "10")).Add("x", data: [.. SparseMapText("2\n0\n3\n10\n0\n"), .. "abc"u8]), Tree().File("s", "abc\0\0\0\0\0\0\0")),
        Ok("a map of exactly one block", New().Pax(SparseRecords("s", "3")).Add("x", data: [.. SparseMapText("1\n" + new string('0', 507) + "\n3\n"), .. "abc"u8]), Tree().File("s", "abc")),
        Bad("format 0.1 with an odd number of numbers", New().Pax(("GNU.sparse.map", "0,2,1"), ("GNU.sparse.size", "9")).File("x", "abc"), "sparse map"),
        Bad("format 0.1 with overlapping runs", New().Pax(("GNU.sparse.map", "0,2,1,1"), ("GNU.sparse.size", "9")).File("x", "abc"), "invalid sparse map"),
        Bad("format 0.1 with blanks", New().Pax(("GNU.sparse.map", "0, 3"), ("GNU.sparse.size", "9")).File("x", "abc"), "sparse map"),
        Bad("format 0.0 with a length before its offset", New().PaxBody(TarBuilder.Record("GNU.sparse.numbytes", "3") + TarBuilder.Record("GNU.sparse.offset", "0")).File("x", "abc"), "sparse map"),
        Bad("format 0.0 with an offset alone", New().PaxBody(TarBuilder.Record("GNU.sparse.offset", "0")).File("x", "abc"), "sparse map"),
        Bad("old format with a run beyond the size", OldSparseFile("00020000000", "00000000003", "00000000001"), "invalid sparse map"),
        Bad("old format with letters", OldSparseFile("zzzz", "00000000003", "00020000000"), "invalid"),
        Bad("old format with a negative size", New().Add("s", 'S', data: [.. "abc"u8], edit: header => { OldSparse(header); header.AsSpan(483, 12).Fill(0xff); }), "invalid"),
        Bad("sparse records for a symlink", New().Pax(SparseRecords("s")).Symlink("l", "t"), "invalid sparse map"),
        Bad("sparse records for a directory", New().Pax(SparseRecords("s")).Directory("d"), "invalid sparse map"),
        Ok("a sparse name that climbs", New().Pax(SparseRecords("../../" + Inside("x"), "3")).Add("x", data: [.. SparseMapText("1\n0\n3\n"), .. "abc"u8]), Tree().File(Inside("x"), "abc")),
        Bad("a sparse name that is a whiteout of nothing", New().Pax(SparseRecords(".wh.", "3")).Add("x", data: [.. SparseMapText("1\n0\n3\n"), .. "abc"u8]), InvalidWhiteout),
    ];

    private static OddLayer BadMap(string title, string map) =>
        Bad(title, New().Pax(SparseRecords("s")).Add("x", data: [.. SparseMapText(map.PadRight(1, '\0')), .. "abc"u8]), "invalid sparse map");

    private static TarBuilder OldSparseFile(string offset, string length, string size) =>
        New().Add("s", 'S', data: [.. "abc"u8], edit: header => OldSparse(header, offset, length, size));

    private static IEnumerable<OddLayer> OwnAttributes() =>
    [
        NotTaken("trusted.overlay.whiteout"), NotTaken("trusted.overlay.origin"), NotTaken("trusted.overlay.impure"), NotTaken("trusted.overlay.nlink"),
        NotTaken("trusted.overlay.upper"), NotTaken("trusted.overlay.uuid"), NotTaken("trusted.overlay.overlay.opaque"), NotTaken("user.overlay.redirect"),
        NotTaken("user.overlay.whiteout"), NotTaken("user.overlay.origin"), NotTaken("user.containers.override_containers"), NotTaken("trusted."),
        NotTaken("security.ima"), NotTaken("security.evm"), NotTaken("security.apparmor"), NotTaken("security.SMACK64"), NotTaken("security."), NotTaken("security.capability2"),
        NotTaken("system.posix_acl_access"), NotTaken("system.posix_acl_default"), NotTaken("system.nfs4_acl"), NotTaken("btrfs.compression"), NotTaken("os2.x"),
        NotTaken("Trusted.overlay.opaque"), NotTaken("TRUSTED.OVERLAY.OPAQUE"), NotTaken(".user.x"), NotTaken("user"), NotTaken(" user.x"),
        Ok("opaque marker on the root", Attribute("trusted.overlay.opaque", "y").Directory("./"), Tree().Directory(".")),
        Ok("value with NUL and newline", Attribute("user.x", "a\0b\n").File("f"), Tree().File("f").Xattr("f", "user.x", "a\0b\n")),
        Ok("name of 255 bytes", Attribute("user." + new string('n', 250), "x").File("f"), Tree().File("f").Xattr("f", "user." + new string('n', 250), "x")),
        Bad("name of 256 bytes", Attribute("user." + new string('n', 251), "x").File("f"), "cannot set an extended attribute"),
        Ok("name that is not UTF-8", Attribute("user.\xff", "x").File("f"), Tree().File("f").Xattr("f", "user.\xff", "x")),
        Bad("value of 65,537 bytes", Attribute("user.x", new string('x', 65537)).File("f"), "user.x has 65537 bytes, at most 65536 are possible"),
        Ok("40 attributes", New().Pax([.. Enumerable.Range(0, 40).Select(i => (Numbered("SCHILY.xattr.user.n", i), "v"))]).File("f"), Enumerable.Range(0, 40).Aggregate(Tree().File("f"), (tree, i) => tree.Xattr("f", Numbered("user.n", i), "v"))),
        Ok("the same attribute twice: the second", New().Pax(("SCHILY.xattr.user.x", "1"), ("SCHILY.xattr.user.x", "2")).File("f"), Tree().File("f").Xattr("f", "user.x", "2")),
        Ok("attribute of a directory", Attribute("user.x", "1").Directory("d").File("d/f"), Tree().Directory("d").Xattr("d", "user.x", "1").File("d/f")),
        Ok("attribute of the root", Attribute("user.x", "1").Directory("./"), Tree().Directory(".").Xattr(".", "user.x", "1")),
        Ok("attribute of a fifo is left out", Attribute("user.x", "1").Add("f", '6'), Tree().Fifo("f")),
        Ok("attribute of a read-only file", Attribute("user.x", "1").Add("f", mode: 0x124), Tree().File("f", "", 0x124).Xattr("f", "user.x", "1")),
        Ok("attribute of a directory without permissions", Attribute("user.x", "1").Directory("d", 0), Tree().Directory("d", 0).Xattr("d", "user.x", "1")),
        Ok("attributes of a file that is replaced", Attribute("user.x", "1").File("f").File("f"), Tree().File("f")),
        Ok("attributes of a directory that is described again", Attribute("user.x", "1").Directory("d").Directory("d"), Tree().Directory("d")),
        Ok("capability, then set-id bits and an owner", Attribute("security.capability", Capability).Add("f", mode: 0xded, uid: 7, gid: 8), Tree().File("f", "", 0xded, 7, 8).Xattr("f", "security.capability", Capability)),
        Ok("capability of a file that gets a second name", Attribute("security.capability", Capability).Add("f", uid: 7).Add("h", '1', "f", uid: 7), Tree().File("f", "", uid: 7, links: 2).Xattr("f", "security.capability", Capability).File("h", "", uid: 7, links: 2).Xattr("h", "security.capability", Capability)),
        Ok("capability on a symlink is left out", Attribute("security.capability", Capability).Symlink("s", "t"), Tree().Symlink("s", "t")),
        Bad("capability that is none", Attribute("security.capability", "x").File("f"), "not a file capability"),
        Bad("capability of revision 1", Attribute("security.capability", "\0\0\0\u0001" + new string('\0', 8)).File("f"), "not a file capability"),
        Bad("capability cut off", Attribute("security.capability", Capability[..19]).File("f"), "not a file capability"),
        Bad("capability with unknown flags", Attribute("security.capability", "\xff" + Capability[1..]).File("f"), "not a file capability"),
        Ok("capability of revision 3, for a user namespace", Attribute("security.capability", "\u0001\0\0\u0003" + Capability[4..] + "\u0000\u0000\u0001\0").File("f"), Tree().File("f").Xattr("f", "security.capability", "\u0001\0\0\u0003" + Capability[4..] + "\u0000\u0000\u0001\0")),
        Ok("directory that sets its group", New().Directory("d", 0x5ed, uid: 3).Add("d/f", gid: 9), Tree().Directory("d", 0x5ed, uid: 3).File("d/f", "", gid: 9)),
        Ok("directories with every bit", New().Directory("d", 0xfff, uid: 3), Tree().Directory("d", 0xfff, uid: 3)),
        Over("attribute of a whiteout", Attribute("user.x", "1").Whiteout(".wh.keep"), BaseTree().Without("keep")),
        Over("empty overlay attribute of a whiteout", Attribute("trusted.overlay.opaque", "y").Whiteout(".wh.keep"), BaseTree().Without("keep")),
    ];

    private static OddLayer NotTaken(string name) => Over($"`{name}` is not taken", Attribute(name, "y").Directory("d"), BaseTree());
}
