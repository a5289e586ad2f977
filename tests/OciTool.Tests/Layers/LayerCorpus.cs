using System.Globalization;
using System.Text;

namespace OciTool.Tests.Layers;

/// <summary>One odd layer and what must come of it.</summary>
/// <param name="Id">Its name in the corpus.</param>
/// <param name="Build">Makes the archive; the argument is the path of the far canary.</param>
/// <param name="Refusal">A part of the message when it must be refused, otherwise null.</param>
/// <param name="Verify">What must be true when it is accepted.</param>
/// <param name="NeedsRoot">Whether the result takes root.</param>
internal sealed record OddLayer(
    string Id, Func<string, TarBuilder> Build, string? Refusal = null, Func<LayerDirectory, bool>? Verify = null,
    bool NeedsRoot = false);

internal static class LayerCorpus
{
    private static readonly string Deep = string.Join('/', Enumerable.Repeat("d", 100));

    public static readonly OddLayer[] Rows =
    [
        // A: names
        new("A01 dot-dot above the root is clamped", _ => New().File("../../../../../../../../../../../../canary/a01"), null, l => l.Read("canary/a01") == "new"),
        new("A02 absolute name is clamped", c => New().File(c + "/a02"), null, l => l.Exists(l.Far[1..] + "/a02")),
        new("A03 dot-dot inside", _ => New().File("a/../../../canary/a03"), null, l => l.Exists("canary/a03")),
        new("A04 directory dot-dot is the root", _ => New().Directory("..", 0x1c0), null, l => l.Status(".").Mode == 0x1c0),
        new("A05 root entry describes the root", _ => New().Directory("./", 0x1c0, uid: 5), null, l => l.Status(".") is { Mode: 0x1c0, Owner: 5 }, NeedsRoot: true),
        new("A06 slash is the root", _ => New().Directory("/", 0x1e8), null, l => l.Status(".").Mode == 0x1e8),
        new("A07 empty name", _ => New().File(""), "empty name"),
        new("A08 root as symlink", c => New().Symlink(".", c), "root directory cannot be replaced by a symlink"),
        new("A09 root as symlink by slash-dot", c => New().Symlink("/.", c), "root directory cannot be replaced by a symlink"),
        new("A10 root as file", _ => New().File("/"), "root directory cannot be replaced by a file"),
        new("A11 odd slashes", _ => New().File("a//b///c").File("./x/./y"), null, l => l.Exists("a/b/c") && l.Exists("x/y")),
        new("A12 file with trailing slash and a child", _ => New().File("f/").File("f/child"), "Not a directory"),
        new("A13 V7 directory by trailing slash", _ => New().Add("d/", '\0', mode: 0x1ed, edit: ToV7).File("d/x"), null, l => l.Exists("d/x")),
        new("A14 missing parents", _ => New().File("p/q/r"), null, l => l.Status("p/q") is { IsDirectory: true, Mode: 0x1ed }),
        new("F01 300 byte path", _ => New().Pax(("path", new string('a', 150) + "/" + new string('b', 150))).File("x"), null, l => l.Exists(new string('a', 150) + "/" + new string('b', 150))),
        new("F02 component of 256 bytes", _ => New().Pax(("path", new string('a', 256))).File("x"), "File name too long"),
        new("F03 GNU long name and link", _ => New().Long('K', new string('t', 200)).Long('L', new string('n', 200)).Add("short", '2', "short"), null, l => l.Target(new string('n', 200)) == new string('t', 200)),
        new("F11 names that are not UTF-8 stay apart", _ => New().File("caf\xe9", "1").File("caf\xe8", "2"), null, l => l.Exists("caf\xe9") && l.Exists("caf\xe8")),
        new("F12 control characters", _ => New().File("a\nb\x1b[1m\\:"), null, l => l.Exists("a\nb\x1b[1m\\:")),
        new("F13 NUL in a PAX path", _ => New().Pax(("path", "a\0b")).File("x"), "NUL in a PAX record"),
        new("F22 100 levels deep", _ => New().Long('L', Deep + "/x").File("x"), null, l => l.Exists(Deep + "/x")),
        new("F26 ustar prefix", _ => New().Add("name", edit: h => Encoding.ASCII.GetBytes("pre/fix", h.AsSpan(345))), null, l => l.Exists("pre/fix/name")),
        new("F29 dot-dot in a PAX path", _ => New().Pax(("path", "../../canary/f29")).File("x"), null, l => l.Exists("canary/f29")),

        // B: links
        new("B01 write through a symlink stays inside", c => New().Symlink("evil", c).File("evil/x"), null, l => l.Exists(l.Far[1..] + "/x")),
        new("B05 directory over symlink", c => New().Symlink("s", c).Directory("s", 0x1ff), null, l => l.Status("s") is { IsDirectory: true, Mode: 0x1ff }),
        new("B06 file over symlink", c => New().Symlink("s", c + "/victim").File("s"), null, l => l.Status("s").IsRegularFile),
        new("B07 hard link to a symlink is not followed", c => New().Symlink("s", c + "/victim").Link("h", "s", 0x1ff), null, l => l.Status("h").IsSymbolicLink),
        new("B08 absolute hard link", c => New().Link("h", c + "/victim"), "not found in this layer"),
        new("B09 hard link with dot-dot", _ => New().Link("h", "../canary/victim"), "not found in this layer"),
        new("B10 hard link through a symlinked parent", c => New().Symlink("evil", c).Link("h", "evil/victim"), "not found in this layer"),
        new("B11 hard link to itself", _ => New().Link("h", "h"), "hard link to itself"),
        new("B12 hard link to nothing", _ => New().Link("h", "nothing"), "hardlink target \"nothing\" not found in this layer"),
        new("B14 hard link to a name hidden here", _ => New().Whiteout(".wh.x").Link("h", "x"), "not found in this layer"),
        new("B15 hard link to a directory", _ => New().Directory("d").Link("h", "d"), "hard link to a directory"),
        new("B16 hard link to a later entry", _ => New().Link("h", "f").File("f"), "not found in this layer"),
        new("B17 parent is a loop", _ => New().Symlink("a", "b").Symlink("b", "a").File("a/x"), "symbolic links"),
        new("B18 symlink without a target", _ => New().Add("s", '2'), "symbolic link without a target"),
        new("B19 target of 5000 bytes", _ => New().Symlink("s", new string('t', 5000)), "File name too long"),
        new("B21 file over hard link leaves the other name", _ => New().File("a", "AAA").Link("b", "a").File("a", "new"), null, l => l.Read("b") == "AAA" && l.Read("a") == "new"),
        new("B23 payload of a hard link is the next header", _ => New().File("f").Add("h", '1', "f", size: 512).File("inner"), null, l => l.Exists("inner")),
        new("B24 payload of a symlink is the next header", _ => New().Add("s", '2', "f", size: 512).File("inner"), null, l => l.Exists("inner")),
        new("F25 payload of a directory is the next header", _ => New().Add("d", '5', size: 512).File("inner"), null, l => l.Exists("inner")),
        new("B25 targets are kept as they are", _ => New().Symlink("mtab", "/proc/mounts").Symlink("up", "../../../x"), null, l => l.Target("mtab") == "/proc/mounts" && l.Target("up") == "../../../x"),
        new("F30 hard link by PAX linkpath", c => New().Pax(("linkpath", c + "/victim")).Link("h", "x"), "not found in this layer"),
        new("J12 the header of the hard link counts", _ => New().Add("f", mode: 0x9ed).Link("h", "f", 0x1a4), null, l => l.Status("f").Mode == 0x1a4),
        new("J15 many hard links", _ => Enumerable.Range(0, 1000).Aggregate(New().File("f"), (t, i) => t.Link(string.Create(CultureInfo.InvariantCulture, $"l{i}"), "f")), null, l => l.Read("l999") == "new"),

        // C: whiteouts
        new("C01 whiteout", _ => New().Whiteout("d/.wh.low"), null, l => l.IsWhiteout("d/low")),
        new("C02 opaque directory", _ => New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/x"), null, l => l.IsOpaque("d") && l.Exists("d/x") && !l.Exists("d/.wh..wh..opq")),
        new("C20 opaque after the child", _ => New().Directory("d").File("d/x").Whiteout("d/.wh..wh..opq"), null, l => l.IsOpaque("d") && l.Exists("d/x")),
        new("J17 opaque of type directory", _ => New().Directory("d").Directory("d/.wh..wh..opq"), null, l => l.IsOpaque("d")),
        new("C04 whiteout of nothing", _ => New().Directory("d").Whiteout("d/.wh."), "entry \"d/.wh.\": invalid whiteout name"),
        new("C05 whiteout of the directory", _ => New().Directory("d").Whiteout("d/.wh.."), "entry \"d/.wh..\": invalid whiteout name"),
        new("C06 whiteout of the parent", _ => New().Directory("d").Whiteout("d/.wh..."), "invalid whiteout name"),
        new("J22 whiteout of nothing in the root", _ => New().Whiteout(".wh."), "invalid whiteout name"),
        new("J23 whiteout of the root", _ => New().Whiteout(".wh.."), "invalid whiteout name"),
        new("J24 whiteout of the root's parent", _ => New().Whiteout(".wh..."), "invalid whiteout name"),
        new("C07 whiteout and the directory again", _ => New().Whiteout(".wh.d").Directory("d").File("d/new"), null, l => l.IsOpaque("d") && l.Exists("d/new")),
        new("C08 child, then whiteout of its directory", _ => New().Directory("d").File("d/new").Whiteout(".wh.d"), null, l => l.IsOpaque("d") && l.Exists("d/new")),
        new("C09 file, then its whiteout", _ => New().File("f").Whiteout(".wh.f"), null, l => l.Read("f") == "new"),
        new("C10 no whiteout in an opaque directory", _ => New().Directory("d").Whiteout("d/.wh.x").Whiteout("d/sub/.wh.y").Directory("d/sub").Whiteout("d/.wh..wh..opq"), null, l => l.IsOpaque("d") && !l.Exists("d/x") && !l.Exists("d/sub/y")),
        new("C11 whiteout below a symlink", c => New().Symlink("evil", c).Whiteout("evil/.wh.victim"), null, l => l.Target("evil") == l.Far && !l.Exists(l.Far[1..])),
        new("C12 opaque below a symlink", c => New().Symlink("evil", c).Whiteout("evil/.wh..wh..opq"), null, l => l.Target("evil") == l.Far),
        new("C13 whiteout of type directory", _ => New().Directory(".wh.x"), null, l => l.IsWhiteout("x")),
        new("C15 whiteout of type symlink", c => New().Symlink(".wh.x", c + "/victim"), null, l => l.IsWhiteout("x")),
        new("C23 whiteout with payload", _ => New().File(".wh.x", "payload").File("y"), null, l => l.IsWhiteout("x") && l.Exists("y")),
        new("C14 aufs metadata", _ => New().Directory(".wh..wh.plnk").File(".wh..wh.plnk/1.2").File(".wh..wh.aufs").Directory(".wh..wh.orph"), null, l => !Directory.EnumerateFileSystemEntries(l.Root).Any()),
        new("C16 directory, then file", _ => New().Directory("x").File("x/y").File("x"), null, l => l.Status("x").IsRegularFile),
        new("C17 file, then directory", _ => New().File("x").Directory("x"), null, l => l.Status("x").IsDirectory),
        new("C21 whiteout, then whiteout below it", _ => New().Whiteout(".wh.d").Whiteout("d/.wh.low"), null, l => l.IsWhiteout("d")),
        new("C22 device 0:0", _ => New().Add("keep", '3'), "device 0:0 not allowed"),
        new("C25 almost a whiteout", _ => New().File(".wh-x"), null, l => l.Exists(".wh-x")),
        new("C26 entry below a whiteout", _ => New().File(".wh.d/x"), "invalid whiteout name"),

        // D: types
        new("D01 character device", _ => New().Add("null", '3', major: 1, minor: 3), null, l => l.Status("null").Type == 0x2000, NeedsRoot: true),
        new("D02 block device", _ => New().Add("sda", '4', major: 8), null, l => l.Status("sda").Type == 0x6000, NeedsRoot: true),
        new("D03 fifo", _ => New().Add("fifo", '6'), null, l => l.Status("fifo") is { Type: 0x1000, Mode: 0x1a4 }),
        new("D04 set-id bits survive the change of owner", _ => New().Add("f", mode: 0xded, uid: 7), null, l => l.Status("f") is { Mode: 0xded, Owner: 7 }, NeedsRoot: true),
        new("D05 sticky directory", _ => New().Directory("tmp", 0x3ff), null, l => l.Status("tmp").Mode == 0x3ff),
        new("D06 type Z", _ => New().Add("z", 'Z'), "entry \"z\": unsupported tar entry type 'Z'"),
        new("D07 type 7", _ => New().Add("z", '7'), "unsupported tar entry type '7'"),
        new("D08 type V", _ => New().Add("z", 'V'), "unsupported tar entry type 'V'"),
        new("D11 global header with a path", _ => New().PaxBody(TarBuilder.Record("path", "global/x"), 'g').File("f"), null, l => l.Exists("f") && !l.Exists("global")),
        new("D12 mode beyond 07777", _ => New().Add("f", mode: 0x81a4), null, l => l.Status("f").Mode == 0x1a4),
        new("D13 device out of range", _ => New().Add("x", '3', major: 5000), "device 5000:0 out of range"),

        // E: extended attributes
        new("E01 capability", _ => New().Pax(("SCHILY.xattr.security.capability", "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0")).Add("f", uid: 3), null, l => l.Xattr("f", "security.capability") is not null, NeedsRoot: true),
        new("E02 user attribute", _ => New().Pax(("SCHILY.xattr.user.foo", "bar")).File("f"), null, l => l.Xattr("f", "user.foo") == "bar"),
        new("E03 overlay opaque is not taken", _ => New().Pax(("SCHILY.xattr.trusted.overlay.opaque", "y")).Directory("d"), null, l => !l.IsOpaque("d") && l.Warnings.Count > 0),
        new("E04 overlay redirect is not taken", _ => New().Pax(("SCHILY.xattr.trusted.overlay.redirect", "/etc")).Directory("zz"), null, l => l.Xattr("zz", "trusted.overlay.redirect") is null),
        new("E06 SELinux label is not taken", _ => New().Pax(("SCHILY.xattr.security.selinux", "x")).File("f"), null, l => l.Xattr("f", "security.selinux") != "x"),
        new("E07 unknown namespace", _ => New().Pax(("SCHILY.xattr.foo.bar", "x")).File("f"), null, l => l.Exists("f")),
        new("E08 attribute of 70000 bytes", _ => New().Pax(("SCHILY.xattr.user.big", new string('x', 70000))).File("f"), "user.big has 70000 bytes"),
        new("E09 user attribute on a symlink", _ => New().Pax(("SCHILY.xattr.user.foo", "bar")).Symlink("s", "t"), null, l => l.Target("s") == "t" && l.Warnings.Exists(w => w.Contains("symbolic link", StringComparison.Ordinal))),
        new("E10 user overlay is not taken", _ => New().Pax(("SCHILY.xattr.user.overlay.opaque", "y")).Directory("d"), null, l => !l.IsOpaque("d")),
        new("E11 attribute without a name", _ => New().Pax(("SCHILY.xattr.", "x")).File("f"), "extended attribute without a name"),
        new("E12 trusted attribute", _ => New().Pax(("SCHILY.xattr.trusted.foo", "x")).File("f"), null, l => l.Xattr("f", "trusted.foo") is null),
        new("E13 containers' override", _ => New().Pax(("SCHILY.xattr.user.containers.override_stat", "0:0:4755")).File("f"), null, l => l.Xattr("f", "user.containers.override_stat") is null),

        // F: header encodings
        new("F05 fraction of mtime", _ => New().Pax(("mtime", "1700000000.123456789")).File("f"), null, l => Ticks(l, "f") == 1_700_000_000_1234567),
        new("F05 negative mtime", _ => New().Pax(("mtime", "-1.5")).File("f"), null, l => Ticks(l, "f") == -15_000_000),
        new("F06 large uid", _ => New().Add("f", uid: 2097157, gid: int.MaxValue), null, l => l.Status("f") is { Owner: 2097157, Group: int.MaxValue }, NeedsRoot: true),
        new("F07 uid 2^32-1", _ => New().Add("f", uid: uint.MaxValue), "uid 4294967295 out of range"),
        new("F08 uid 2^32 with set-id", _ => New().Add("f", mode: 0x9ed, uid: 1L << 32, edit: h => { h[108] = 0x80; h[111] = 1; h[112] = h[113] = h[114] = h[115] = 0; }), "uid 4294967296 out of range"),
        new("F09 uid -5", _ => New().Pax(("uid", "-5")).File("f"), "uid -5 out of range"),
        new("F10 mtime 2^60", _ => New().Add("f", mtime: 1L << 60), null, l => l.Exists("f")),
        new("F14 PAX size counts", _ => New().Pax(("size", "3")).Add("f", size: 0).Data("abc"u8.ToArray()).File("g"), null, l => l.Read("f") == "abc" && l.Exists("g")),
        new("F15 bad PAX length", _ => New().PaxBody("99 path=x\n").File("f"), "invalid length of a PAX record"),
        new("F16 PAX of 2 MiB", _ => New().PaxBody(TarBuilder.Record("comment", new string('x', 2 << 20))).File("f"), "longer than 1 MiB"),
        new("F17 PAX sparse 1.0", _ => New().Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"), ("GNU.sparse.realsize", "67108864"))
            .Add("x", size: 515).Data([.. Encoding.ASCII.GetBytes("1\n1048576\n3\n".PadRight(512, '\0')), .. "abc"u8]), null, IsSparse),
        new("F17 PAX sparse 0.1", _ => New().Pax(("GNU.sparse.map", "1048576,3"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.name", "s"), ("GNU.sparse.size", "67108864")).File("x", "abc"), null, IsSparse),
        new("F17 PAX sparse 0.0", _ => New().PaxBody(TarBuilder.Record("GNU.sparse.size", "67108864") + TarBuilder.Record("GNU.sparse.numblocks", "1")
            + TarBuilder.Record("GNU.sparse.offset", "1048576") + TarBuilder.Record("GNU.sparse.numbytes", "3")).File("s", "abc"), null, IsSparse),
        new("F17 sparse map that overlaps", _ => New().Pax(("GNU.sparse.map", "0,2,1,1"), ("GNU.sparse.size", "9")).File("x", "abc"), "invalid sparse map"),
        new("F18 old GNU sparse", _ => New().Add("s", 'S', data: "abc"u8.ToArray(), edit: OldSparse), null, IsSparse),
        new("F19 bad checksum", _ => { byte[] b = New().File("f").ToArray(); b[0] ^= 1; return New().Raw(b); }, "invalid header checksum"),
        new("F20 8 GiB without data", _ => New().Add("f", size: (8L << 30) + 1), "unexpected end"),
        new("F21 negative size", _ => New().Add("f", size: -5), "negative size"),
        new("F23 duplicates", _ => New().File("f", "1").File("f", "2"), null, l => l.Read("f") == "2" && l.Warnings.Count > 0),
        new("F24 file, directory, symlink", _ => New().File("x").Directory("x").File("x/y").Symlink("x", "t"), null, l => l.Target("x") == "t"),
        new("F27 size of letters", _ => New().Add("f", edit: h => Encoding.ASCII.GetBytes("zzzz", h.AsSpan(124))), "invalid size"),
        new("F28 empty PAX path", _ => New().Pax(("path", "")).File("f"), null, l => l.Exists("f")),
        new("J03 two PAX headers", _ => New().Pax(("path", "one")).Pax(("path", "two")).File("f"), null, l => l.Exists("two") && !l.Exists("one")),
        new("J04 PAX, then the end", _ => New().File("f").Pax(("path", "x")), null, l => l.Exists("f")),
        new("J05 PAX claims 4 GiB", _ => New().Add("x", 'x', size: 4L << 30), "longer than 1 MiB"),
        new("J06 long name claims 1 GiB", _ => New().Add("x", 'L', size: 1L << 30), "longer than 1 MiB"),
        new("J07 duplicate PAX key", _ => New().Pax(("path", "one"), ("path", "two")).File("f"), null, l => l.Exists("two")),
        new("J08 file with trailing slash by PAX", _ => New().Pax(("path", "pd/")).File("x"), null, l => l.Status("pd").IsRegularFile),
        new("J09 PAX uid of letters", _ => New().Pax(("uid", "abc")).File("f"), "invalid uid in a PAX record"),
        new("J01 PAX size smuggles nothing", _ => New().Pax(("size", "1024")).Add("outer", size: 0).Raw(New().File("smuggled", "").ToArray()).Raw(new byte[512]).File("after"), null, l => !l.Exists("smuggled") && l.Exists("after")),
        new("J02 PAX does not apply to a long name", _ => New().Pax(("size", "1024")).Long('L', "longname").Add("x", size: 0).Raw(New().File("smuggled", "").ToArray()).Raw(new byte[512]), null, l => !l.Exists("smuggled") && l.Exists("longname")),
        new("J14 directory 0555 after its children", _ => New().Directory("d", 0x16d).File("d/x"), null, l => l.Status("d").Mode == 0x16d && Ticks(l, "d") == 1_700_000_000_0000000),

        // G: framing
        new("G01 truncated data", _ => Cut(New().File("f", new string('x', 2000)), 1000), "unexpected end"),
        new("G02 truncated header", _ => Cut(New().File("f"), 300), "unexpected end"),
        new("G03 no end blocks", _ => New().File("f"), null, l => l.Exists("f")),
        new("G04 one end block", _ => New().File("f").Raw(new byte[512]), null, l => l.Exists("f")),
        new("G05 garbage behind the end", _ => New().File("f").End().Raw("garbage"u8), null, l => l.Exists("f")),
        new("G06 many zeros behind the end", _ => New().File("f").End().Raw(new byte[1 << 20]), null, l => l.Exists("f")),
        new("G07 second archive behind the end", _ => New().File("f").End().File("g"), null, l => !l.Exists("g")),
        new("G08 no bytes", _ => New(), null, l => !Directory.EnumerateFileSystemEntries(l.Root).Any()),
        new("G09 only the end", _ => New().End(), null, l => !Directory.EnumerateFileSystemEntries(l.Root).Any()),
        new("G10 text", _ => New().Raw(Encoding.ASCII.GetBytes(new string('x', 1024))), "invalid header checksum"),
        new("G11 lone zero block", _ => New().File("f").Raw(new byte[512]).File("g"), "lone block of zeros"),
    ];

    private static TarBuilder New() => new();

    private static TarBuilder Cut(TarBuilder tar, int length) => New().Raw(tar.ToArray().AsSpan(0, length));

    private static void ToV7(byte[] header) => header.AsSpan(257, 255).Clear();

    private static void OldSparse(byte[] header)
    {
        Encoding.ASCII.GetBytes("ustar  \0", header.AsSpan(257));
        header.AsSpan(345, 167).Clear();
        Encoding.ASCII.GetBytes("00004000000\0" + "00000000003\0", header.AsSpan(386)); // 1 MiB, 3 bytes
        Encoding.ASCII.GetBytes("00400000000\0", header.AsSpan(483)); // 64 MiB
    }

    private static bool IsSparse(LayerDirectory layer)
    {
        using FileStream file = File.OpenRead(Path.Join(layer.Root, "s"));
        file.Seek(1048576, SeekOrigin.Begin);
        byte[] data = new byte[4];
        file.ReadExactly(data);
        return file.Length == 67108864 && data.AsSpan().SequenceEqual("abc\0"u8);
    }

    private static long Ticks(LayerDirectory layer, string path) =>
        (File.GetLastWriteTimeUtc(Path.Join(layer.Root, path)) - DateTime.UnixEpoch).Ticks;
}
