namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static OddLayer[] More() =>
    [
        Applied("J01", "PAX size hides an entry in content", "nothing is smuggled in", New().Pax(("size", "1024")).Add("outer", size: 0).Raw(Smuggled()).File("after"), Tree().File("outer", Latin1(Smuggled())).File("after")),
        Applied("J02", "PAX size in front of a GNU long name", "applies to the file alone", New().Pax(("size", "1024")).Long('L', "longname").Add("x", size: 0).Raw(Smuggled()), Tree().File("longname", Latin1(Smuggled()))),
        Applied("J03", "two PAX headers", "the second", New().Pax(("path", "one")).Pax(("path", "two")).File("f"), Tree().File("two")),
        Applied("J04", "PAX header, then the end", "applied", New().File("f").Pax(("path", "x")), Tree().File("f")),
        Refused("J05", "PAX header that claims 4 GiB", New().Add("x", 'x', size: 4L << 30), "longer than 1 MiB"),
        Refused("J06", "GNU long name that claims 1 GiB", New().Add("x", 'L', size: 1L << 30), "longer than 1 MiB"),
        Applied("J07", "PAX key twice", "the second", New().Pax(("path", "one"), ("path", "two")).File("f"), Tree().File("two")),
        Applied("J08", "PAX path with a slash at its end, of type file", "a file", New().Pax(("path", "pd/")).File("x"), Tree().File("pd")),
        Refused("J09", "PAX uid `abc`", New().Pax(("uid", "abc")).File("f"), "invalid uid in a PAX record"),
        Refused("J10", "hard link to a path of the working directory", New().Link("h", "etc/hostname"), NotFound),
        RefusedStack("J11", "hard link through a symlink of the layer below", NotFound, New().Symlink("evil", Far), New().Link("h", "evil/victim")),
        Applied("J12", "file of mode 4755, its hard link 0644", "the last header counts", New().Add("f", mode: 0x9ed).Link("h", "f", 0x1a4), Tree().File("f", "", links: 2).File("h", "", links: 2)),
        OverBase("J13", "character device `.wh.keep`", "a whiteout", New().Add(".wh.keep", '3'), BaseTree().Without("keep")),
        Applied("J14", "directory of mode 0555 in front of its children", "mode and time as in the header", New().Directory("d", 0x16d).File("d/x"), Tree().Directory("d", 0x16d).File("d/x")),
        Applied("J15", "1000 hard links to a file", "1001 names", Enumerable.Range(0, 1000).Aggregate(New().File("f"), (tar, i) => tar.Link(Numbered("l", i), "f")), Enumerable.Range(0, 1000).Aggregate(Tree().File("f", links: 1001), (tree, i) => tree.File(Numbered("l", i), links: 1001))),
        OverBase("J16", "whiteout of nothing in a directory that is only implied", "no name that cannot be looked at", New().Whiteout("only/implied/.wh.ghost"), BaseTree().Directory("only/implied", mtime: 0)),
        OverBase("J17", "opaque whiteout of type directory", "opaque", New().Directory("d").Directory("d/.wh..wh..opq"), BaseTree().Without("d/low")),
        OverBase("J18", "whiteouts in an opaque directory and below it", "no name that cannot be looked at", New().Directory("d").Whiteout("d/.wh.ghost").Directory("d/sub").Whiteout("d/sub/.wh.ghost").Whiteout("d/.wh..wh..opq"), BaseTree().Without("d/low").Directory("d/sub")),
        Applied("J19", "`SCHILY.fflags`", "without effect", New().Pax(("SCHILY.fflags", "uchg,schg")).File("f"), Tree().File("f")),
        Applied("J20", "`LIBARCHIVE.xattr.*` and `RHT.security.selinux`", "without effect", New().Pax(("LIBARCHIVE.xattr.user.foo", "YmFy"), ("RHT.security.selinux", "x")).File("f"), Tree().File("f")),
        Applied("J21", "PAX atime and ctime", "without effect", New().Pax(("atime", "1"), ("ctime", "2")).File("f"), Tree().File("f")),
        RefusedOverBase("J22", "whiteout of an empty name in the root", New().Whiteout(".wh."), InvalidWhiteout),
        RefusedOverBase("J23", "whiteout of the root", New().Whiteout(".wh.."), InvalidWhiteout),
        RefusedOverBase("J24", "whiteout of the root's parent", New().Whiteout(".wh..."), InvalidWhiteout),
    ];

    /// <summary>1024 bytes of content that look like an entry.</summary>
    private static byte[] Smuggled() => New().File("smuggled", "").Raw(new byte[512]).ToArray();

    private static string Latin1(byte[] bytes) => System.Text.Encoding.Latin1.GetString(bytes);
}
