using System.Globalization;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Entries that take each other's place, and whiteouts among them.</summary>
internal static partial class LayerCorpus
{
    private static readonly string[] Kinds = ["file", "directory", "symlink", "hard link", "fifo", "device", "whiteout"];

    /// <summary>One name twice, of every pair of types, over a directory of that name in the layer below.</summary>
    private static IEnumerable<OddLayer> DuplicatesOfAllPairs() =>
        from first in Kinds
        from second in Kinds
        select Stacked(
            "", $"{first}, then {second}", "", Duplicate(first, second),
            New().Directory("x", 0x1c0).File("x/low"), Kind(Kind(New().File("t", "T"), first, 1), second, 2));

    private static TarBuilder Kind(TarBuilder tar, string kind, int number) => kind switch
    {
        "file" => tar.File("x", Numbered("f", number)),
        "directory" => tar.Directory("x").File(Numbered("x/c", number)),
        "symlink" => tar.Symlink("x", Numbered("t", number)),
        "hard link" => tar.Link("x", "t"),
        "fifo" => tar.Add("x", '6'),
        "device" => tar.Add("x", '3', major: 1, minor: number),
        _ => tar.Whiteout(".wh.x"),
    };

    private static ExpectedTree Duplicate(string first, string second)
    {
        // a whiteout acts on the layer below alone, wherever it stands
        (string kind, int number) = second == "whiteout" ? (first, 1) : (second, 2);
        ExpectedTree tree = Tree().File("t", "T", links: kind == "hard link" ? 2u : 1u);
        switch (kind)
        {
            case "file":
                return tree.File("x", Numbered("f", number));
            case "symlink":
                return tree.Symlink("x", Numbered("t", number));
            case "hard link":
                return tree.File("x", "T", links: 2);
            case "fifo":
                return tree.Fifo("x");
            case "device":
                return tree.Device("x", 'c', 1, number);
            case "whiteout":
                return tree;
            default:
                tree.Directory("x").File(Numbered("x/c", number));
                if (first == second)
                {
                    tree.File(Numbered("x/c", 1));
                }

                return first == "whiteout" || second == "whiteout" ? tree : tree.File("x/low");
        }
    }

    /// <summary>The way to an entry changes while the layer is read.</summary>
    private static IEnumerable<OddLayer> Swaps() =>
    [
        Ok("directory becomes a symlink to the host, file below it", New().Directory("a").File("a/x").Symlink("a", Far).File("a/y"), Tree().Symlink("a", Far).File(Inside("y"))),
        Ok("the same, and the directory comes back", New().Directory("a").File("a/x").Symlink("a", Far).File("a/y").Directory("a").File("a/z"), Tree().Directory("a").File("a/z").File(Inside("y"))),
        Ok("parent of the parent becomes a symlink", New().File("a/b/x").Symlink("a", Far).File("a/b/y"), Tree().Symlink("a", Far).File(Inside("b/y"))),
        Ok("directory in the middle becomes a symlink upwards", New().File("a/b/c/x").Symlink("a/b", "..").File("a/b/c/y"), Tree().Symlink("a/b", "..").File("c/y")),
        Ok("mode and owner of a directory that became a symlink", New().Directory("b", 0x1c0).Directory("a", 0x1ff, uid: 7).Symlink("a", "b"), Tree().Directory("b", 0x1c0).Symlink("a", "b")),
        Ok("mode of a directory below one that became a symlink", New().Directory("b", 0x1c0).Directory("b/d", 0x1c0).Directory("a").Directory("a/d", 0x1ff).Symlink("a", "b"), Tree().Directory("b", 0x1c0).Directory("b/d", 0x1c0).Symlink("a", "b")),
        Ok("mode of a directory that became a file", New().Directory("a", 0x1ff).File("a"), Tree().File("a")),
        Ok("mode of a directory that became a hard link to another file", New().File("t").Directory("a", 0x1ff).Link("a", "t"), Tree().File("t", links: 2).File("a", links: 2)),
        Ok("symlink changes its target between two files", New().Symlink("a", "one").File("a/x").Symlink("a", "two").File("a/y"), Tree().Symlink("a", "two").File("one/x").File("two/y")),
        Ok("file in the way of a later directory", New().File("a").Directory("a").Directory("a/b").File("a/b/c"), Tree().Directory("a").Directory("a/b").File("a/b/c")),
        Bad("file in the way of a child", New().File("a").File("a/b"), "Not a directory"),
        Bad("fifo in the way of a child", New().Add("a", '6').File("a/b"), "Not a directory"),
        Ok("a full directory becomes a file", New().Directory("a").File("a/b/c/d").Symlink("a/l", "/").File("a"), Tree().File("a")),
        Over("symlink of this layer over a directory below, file through it", New().Symlink("d", "etc").File("d/x"), BaseTree().Without("d").Symlink("d", "etc").Directory("etc", mtime: 0).File("etc/x")),
    ];

    /// <summary>The cases by which containerd tests that nothing breaks out of a layer.</summary>
    private static IEnumerable<OddLayer> Breakouts()
    {
        const string Passwd = "inside";
        return
        [
            Ok("SymlinkAbsolute", New().Directory("etc").Symlink("localetc", "/etc").File("/localetc/unbroken"), Tree().Directory("etc").Symlink("localetc", "/etc").File("etc/unbroken")),
            Ok("SymlinkUpAndOut", New().Directory("etc").Directory("dummy").Symlink("localetc", "/dummy/../etc").File("/localetc/unbroken"), Tree().Directory("etc").Directory("dummy").Symlink("localetc", "/dummy/../etc").File("etc/unbroken")),
            Ok("SymlinkMultipleAbsolute", New().Directory("etc").Symlink("dummy/etc", "/etc").Symlink("localetc", "/dummy/etc").File("/localetc/unbroken"), Tree().Directory("etc").Symlink("dummy/etc", "/etc").Symlink("localetc", "/dummy/etc").File("etc/unbroken")),
            Ok("SymlinkMultipleRelative", New().Directory("etc").Symlink("dummy/etc", "/etc").Symlink("localetc", "./dummy/etc").File("/localetc/unbroken"), Tree().Directory("etc").Symlink("dummy/etc", "/etc").Symlink("localetc", "./dummy/etc").File("etc/unbroken")),
            Ok("SymlinkEmptyFile", New().File("etc/emptied", "not empty").Symlink("localetc", "/etc").File("localetc/emptied", ""), Tree().File("etc/emptied", "").Symlink("localetc", "/etc")),
            Ok("HardlinkRelative", Etc().Symlink("breakouts/d1", "../../etc").Link("breakouts/mypasswd", "/breakouts/d1/passwd"), EtcTree(2).Symlink("breakouts/d1", "../../etc").File("breakouts/mypasswd", Passwd, links: 2)),
            Ok("HardlinkDownAndOut", Etc().Directory("downandout").Symlink("breakouts/d1", "../downandout/../../etc").Link("breakouts/mypasswd", "/breakouts/d1/passwd"), EtcTree(2).Directory("downandout").Symlink("breakouts/d1", "../downandout/../../etc").File("breakouts/mypasswd", Passwd, links: 2)),
            Ok("HardlinkAbsolute", Etc().Symlink("localetc", "/etc").Link("localpasswd", "/localetc/passwd"), EtcTree(2).Symlink("localetc", "/etc").File("localpasswd", Passwd, links: 2)),
            Ok("HardlinkRelativeLong", Etc().Symlink("localetc", Many("../", 7) + "etc").Link("localpasswd", "/localetc/passwd"), EtcTree(2).Symlink("localetc", Many("../", 7) + "etc").File("localpasswd", Passwd, links: 2)),
            Bad("HardlinkRelativeUpAndOut, whose way does not exist", Etc().Symlink("localetc", "upandout/../../../etc").Link("localpasswd", "/localetc/passwd"), NotFound),
            Ok("HardlinkDirectRelative", Etc().Link("localpasswd", Many("../", 5) + "etc/passwd"), EtcTree(2).File("localpasswd", Passwd, links: 2)),
            Ok("HardlinkDirectAbsolute", Etc().Link("localpasswd", "/etc/passwd"), EtcTree(2).File("localpasswd", Passwd, links: 2)),
            Bad("SymlinkParentDirectory", Etc().Symlink("..", "/etc/"), "root directory cannot be replaced by a symlink"),
            Bad("SymlinkEmptyFilename", Etc().Symlink("", "/etc/"), "empty name"),
            Ok("SymlinkParentRelative", Etc().Symlink("localetc/sub/..", "/etc/").Link("/localetc/localpasswd", "/etc/passwd"), EtcTree(2).Symlink("localetc", "/etc/").File("etc/localpasswd", Passwd, links: 2)),
            Ok("SymlinkSlashEnded", Etc().Directory("localetc/", 0x1f8).Link("/localetc/localpasswd", "/etc/passwd"), EtcTree(2).Directory("localetc", 0x1f8).File("localetc/localpasswd", Passwd, links: 2)),
            Stacked("", "SymlinkOverrideDirectory", "", EtcTree(2).Symlink("localetc", "/etc").File("etc/localpasswd", Passwd, links: 2), New().Directory("localetc").File("localetc/x"), Etc().Symlink("localetc", "/etc").Link("/localetc/localpasswd", "/etc/passwd")),
            Stacked("", "DirectoryOverrideSymlink", "", EtcTree(2).Directory("localetc").File("localetc/localpasswd", Passwd, links: 2), New().Symlink("localetc", "/etc"), Etc().Directory("localetc").Link("/localetc/localpasswd", "/etc/passwd")),
            Stacked("", "DirectoryOverrideSymlinkAndHardlink", "", EtcTree(2).File("etc/localpasswd", Passwd, links: 2).Directory("localetc").File("localetc/localpasswd", "different"), Etc().Symlink("localetc", "etc").Link("/localetc/localpasswd", "/etc/passwd"), New().Directory("localetc").File("localetc/localpasswd", "different")),
            Stacked("", "WhiteoutSymlink", "", EtcTree(1), Etc().Symlink("localetc", "/etc"), New().Whiteout(".wh.localetc")),
            Stacked("", "WhiteoutSymlinkPath: what the link names stays", "", EtcTree(1).Directory("localetc", mtime: 0), Etc().Symlink("localetc", "/etc"), New().Whiteout("localetc/.wh.passwd")),
            RefusedStack("", "WhiteoutDirectoryName", InvalidWhiteout, Etc(), New().File(".wh.etc/somefile")),
            Stacked("", "WhiteoutDeadSymlinkParent", "", EtcTree(1).Directory("localetc", mtime: 0), Etc().Symlink("localetc", "/dne"), New().Whiteout("localetc/.wh.etc")),
            Stacked("", "WhiteoutRelativePath", "", Tree(), Etc(), New().Whiteout("dne/../.wh.etc")),
            Ok("HardlinkSymlinkBeforeCreateTarget", New().Directory("etc").Symlink("a", "/etc/passwd").Link("b", "a").File("etc/passwd"), Tree().Directory("etc").Symlink("a", "/etc/passwd", 2).Symlink("b", "/etc/passwd", 2).File("etc/passwd")),
            Ok("HardlinkSymlinkRelative", Etc().Symlink("passwdlink", Many("../", 5) + "etc/passwd").Link("localpasswd", "/passwdlink"), EtcTree(1).Symlink("passwdlink", Many("../", 5) + "etc/passwd", 2).Symlink("localpasswd", Many("../", 5) + "etc/passwd", 2)),
            Bad("HardlinkSymlinkChmod", New().Symlink("x/sketchy", Far + "/victim").Link("sketchylink", "sketchy", 0x9ed), NotFound),
        ];

        static TarBuilder Etc() => New().Directory("etc", 0x1f8).File("etc/passwd", Passwd);

        static ExpectedTree EtcTree(uint links) => Tree().Directory("etc", 0x1f8).File("etc/passwd", Passwd, links: links);
    }

    private static IEnumerable<OddLayer> WhiteoutNames() =>
    [
        Hides("a."), Hides(".a"), Hides(" "), Hides("a\n"), Hides("\xff"), Hides("-"), Hides("...."), Hides("a\\b"),
        Hides(new string('n', 250)), Hides("opq"), Hides(".opq"), Hides("wh.x"),
        Over("whiteout with a slash at its end", New().Directory(".wh.keep/"), BaseTree().Without("keep")),
        Over("whiteout behind `./` and `..`", New().Whiteout("./x/../.wh.keep"), BaseTree().Without("keep")),
        Over("`.WH.keep` is a file", New().File(".WH.keep"), BaseTree().File(".WH.keep")),
        Over("`.wh` is a file", New().File(".wh"), BaseTree().File(".wh")),
        Over("`x.wh.keep` is a file", New().File("x.wh.keep"), BaseTree().File("x.wh.keep")),
        Over("`.whkeep` is a file", New().File(".whkeep"), BaseTree().File(".whkeep")),
        Over("`.wh..wh.keep` is aufs metadata", New().File(".wh..wh.keep"), BaseTree()),
        Over("entry below an opaque whiteout is aufs metadata", New().File("d/.wh..wh..opq/x"), BaseTree()),
        Over("whiteout by PAX path", New().Pax(("path", ".wh.keep")).File("x"), BaseTree().Without("keep")),
        Over("whiteout by GNU long name", New().Long('L', ".wh.keep").File("x"), BaseTree().Without("keep")),
        Over("whiteout as a hard link to a file", New().File("f").Link(".wh.keep", "f"), BaseTree().Without("keep").File("f")),
        Over("whiteout as a hard link to nothing", New().Link(".wh.keep", "nothing"), BaseTree().Without("keep")),
        Over("whiteout of an unknown type", New().Add(".wh.keep", 'Z'), BaseTree().Without("keep")),
        Over("whiteout of an owner that cannot be", New().Add(".wh.keep", uid: uint.MaxValue), BaseTree().Without("keep")),
        RefusedStack("", "whiteout of `.` with a slash", InvalidWhiteout, Base(), New().Directory("d/.wh../")),
        RefusedStack("", "whiteout of `..` with slashes", InvalidWhiteout, Base(), New().Directory(".wh...//")),
        RefusedStack("", "whiteout of nothing, as a directory", InvalidWhiteout, Base(), New().Directory("d/.wh./")),
        RefusedStack("", "entry below a whiteout", InvalidWhiteout, Base(), New().File(".wh.d/x")),
        RefusedStack("", "whiteout below a whiteout", InvalidWhiteout, Base(), New().Whiteout(".wh.d/.wh.x")),
        RefusedStack("", "hard link to a whiteout", NotFound, Base(), New().Whiteout(".wh.keep").Link("h", ".wh.keep")),
    ];

    private static OddLayer Hides(string name) =>
        Stacked("", "a name that is odd", "", Tree().File("other"), New().Pax(("path", name)).File("x").File("other"), New().Pax(("path", ".wh." + name)).Whiteout("x"));

    /// <summary>Order within a layer has no meaning.</summary>
    private static IEnumerable<OddLayer> WhiteoutOrder()
    {
        (string Word, Action<TarBuilder> Add)[] whiteout =
            [("whiteout", tar => tar.Whiteout(".wh.d")), ("directory", tar => tar.Directory("d")), ("child", tar => tar.File("d/new"))];
        (string Word, Action<TarBuilder> Add)[] opaque =
            [("opaque", tar => tar.Whiteout("d/.wh..wh..opq")), ("directory", tar => tar.Directory("d")), ("child", tar => tar.File("d/new"))];
        (string Word, Action<TarBuilder> Add)[] both =
            [("opaque", tar => tar.Whiteout("d/.wh..wh..opq")), ("whiteout", tar => tar.Whiteout(".wh.d")), ("child", tar => tar.File("d/new"))];
        (string Word, Action<TarBuilder> Add)[] same =
            [("whiteout of the child", tar => tar.Whiteout("d/.wh.low")), ("directory", tar => tar.Directory("d")), ("child", tar => tar.File("d/low", "again"))];
        return
        [
            .. InEveryOrder(whiteout, () => BaseTree().Without("d/low").File("d/new")),
            .. InEveryOrder(opaque, () => BaseTree().Without("d/low").File("d/new")),
            .. InEveryOrder(both, () => BaseTree().Without("d").File("d/new")),
            .. InEveryOrder(same, () => BaseTree().File("d/low", "again")),
        ];

        static IEnumerable<OddLayer> InEveryOrder((string Word, Action<TarBuilder> Add)[] parts, Func<ExpectedTree> tree) =>
            Permutations(parts).Select(order =>
            {
                TarBuilder layer = New();
                Array.ForEach(order, part => part.Add(layer));
                return Over(string.Join(", ", order.Select(part => part.Word)), layer, tree());
            });
    }

    private static IEnumerable<OddLayer> WhiteoutStacks() =>
    [
        Three("hidden, then made again", BaseTree().Without("d").Directory("d").File("d/new"), New().Whiteout(".wh.d"), New().Directory("d").File("d/new")),
        Three("hidden, then only implied", BaseTree().Without("d").File("d/new"), New().Whiteout(".wh.d"), New().File("d/new")),
        Three("hidden twice", BaseTree().Without("keep"), New().Whiteout(".wh.keep"), New().Whiteout(".wh.keep")),
        Three("file hidden and made again", BaseTree().File("keep"), New().Whiteout(".wh.keep"), New().File("keep")),
        Three("opaque, then a child", BaseTree().Without("d/low").File("d/one").File("d/two"), New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/one"), New().Directory("d").File("d/two")),
        Three("opaque twice", BaseTree().Without("d/low").File("d/two"), New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/one"), New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/two")),
        Three("opaque root, then whiteout of nothing in the root", Tree().File("new"), New().Whiteout(".wh..wh..opq").File("new"), New().Whiteout(".wh.keep")),
        Three("opaque root twice", Tree().File("two"), New().Whiteout(".wh..wh..opq").File("one"), New().Whiteout(".wh..wh..opq").File("two")),
        Three("whiteout of nothing, then its directory again", BaseTree().Directory("fresh").File("fresh/x"), New().Directory("fresh").Whiteout("fresh/.wh.ghost"), New().Directory("fresh").File("fresh/x")),
        Three("whiteout of nothing, then the name", BaseTree().Directory("fresh", mtime: 0).File("fresh/ghost"), New().Directory("fresh").Whiteout("fresh/.wh.ghost"), New().File("fresh/ghost")),
        Three("whiteout of nothing, then opaque", BaseTree().Directory("fresh").File("fresh/x"), New().Directory("fresh").Whiteout("fresh/.wh.ghost"), New().Directory("fresh").Whiteout("fresh/.wh..wh..opq").File("fresh/x")),
        Three("directory hidden, whiteout below it in the next layer", BaseTree().Without("d").Directory("d", mtime: 0), New().Whiteout(".wh.d"), New().Whiteout("d/.wh.low")),
        Three("directory became a symlink, then is hidden", BaseTree().Without("d"), New().Symlink("d", Far), New().Whiteout(".wh.d")),
        Stacked("", "whiteout of nothing in the lowest layer", "", Tree().File("f"), New().Whiteout(".wh.ghost").File("f")),
        Stacked("", "whiteout of nothing in a directory of the lowest layer", "", Tree().Directory("d"), New().Directory("d").Whiteout("d/.wh.ghost")),
        Stacked("", "opaque directory in the lowest layer", "", Tree().Directory("d").File("d/x"), New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/x")),
        Stacked("", "opaque root of the lowest layer", "", Tree().File("f"), New().File("f").Whiteout(".wh..wh..opq")),
        Over("whiteout of a directory that is only implied, children hidden too", New().Whiteout(".wh.etc"), BaseTree().Without("etc")),
        Over("whiteout three levels below nothing", New().Whiteout("x/y/z/.wh.ghost"), BaseTree().Directory("x/y/z", mtime: 0)),
        Over("whiteout of a name with a hard link in this layer", New().File("a").Link("keep", "a").Whiteout(".wh.keep"), BaseTree().File("a", links: 2).File("keep", links: 2)),
        Over("whiteout and a hard link's target", New().File("keep", "a").Link("h", "keep").Whiteout(".wh.keep"), BaseTree().File("keep", "a", links: 2).File("h", "a", links: 2)),
        Over("whiteout below a file of this layer", New().File("d").Whiteout("d/.wh.low"), BaseTree().Without("d").File("d")),
        Over("whiteout, then a file where its directory was", New().Whiteout("d/.wh.low").File("d"), BaseTree().Without("d").File("d")),
        Over("opaque whiteout below a file of this layer", New().File("d").Whiteout("d/.wh..wh..opq"), BaseTree().Without("d").File("d")),
        Over("whiteout below a symlink of this layer", New().Symlink("d", "etc").Whiteout("d/.wh.passwd"), BaseTree().Without("d").Symlink("d", "etc")),
        Over("opaque whiteout below a symlink of this layer", New().Symlink("d", "etc").Whiteout("d/.wh..wh..opq"), BaseTree().Without("d").Symlink("d", "etc")),
        Over("whiteout below a file of the layer below", New().Whiteout("keep/.wh.x"), BaseTree().Without("keep").Directory("keep", mtime: 0)),
        Over("opaque directory in an opaque directory", New().Directory("d").Whiteout("d/.wh..wh..opq").Directory("d/e").Whiteout("d/e/.wh..wh..opq").File("d/e/x"), BaseTree().Without("d/low").Directory("d/e").File("d/e/x")),
        Over("opaque directory that has no entry", New().Whiteout("d/.wh..wh..opq"), BaseTree().Without("d/low").Directory("d", mtime: 0)),
        Over("whiteout of everything in the root", New().Whiteout(".wh.etc").Whiteout(".wh.d").Whiteout(".wh.keep"), Tree()),
        Over("whiteout of a name twice", New().Whiteout(".wh.keep").Whiteout(".wh.keep"), BaseTree().Without("keep")),
        Over("whiteout of a fifo and a device of this layer", New().Add("d", '6').Whiteout(".wh.d").Whiteout(".wh.keep"), BaseTree().Without("d").Without("keep").Fifo("d")),
        Over("whiteout in a read-only directory", New().Directory("d", 0x16d).Whiteout("d/.wh.low"), BaseTree().Without("d/low").Directory("d", 0x16d)),
    ];

    private static OddLayer Three(string title, ExpectedTree tree, TarBuilder middle, TarBuilder top) => Stacked("", title, "", tree, Base(), middle, top);

    private static IEnumerable<OddLayer> Shapes() =>
    [
        Ok("100 directories in each other, each with its entry", Enumerable.Range(1, 100).Aggregate(New(), (tar, depth) => tar.Long('L', Many("d/", depth)).Directory("x")), Enumerable.Range(1, 100).Aggregate(Tree(), (tree, depth) => tree.Directory(Many("d/", depth).TrimEnd('/')))),
        Ok("1000 components", New().Long('L', Many("d/", 999) + "x").File("x"), Tree().File(Many("d/", 999) + "x")),
        Bad("1001 components", New().Long('L', Many("d/", 1000) + "x").File("x"), "path of more than 1000 components"),
        Ok("2000 files in one directory", Enumerable.Range(0, 2000).Aggregate(New(), (tar, i) => tar.File(Numbered("w/", i), "")), Enumerable.Range(0, 2000).Aggregate(Tree(), (tree, i) => tree.File(Numbered("w/", i), ""))),
        Ok("100 empty directories", Enumerable.Range(0, 100).Aggregate(New(), (tar, i) => tar.Directory(Numbered("e", i))), Enumerable.Range(0, 100).Aggregate(Tree(), (tree, i) => tree.Directory(Numbered("e", i)))),
        Ok("children before their directory", New().File("a/b/c").Directory("a/b", 0x1c0).Directory("a", 0x1e8), Tree().Directory("a", 0x1e8).Directory("a/b", 0x1c0).File("a/b/c")),
        Ok("root described last", New().File("f").Directory("./", 0x1e8), Tree().Directory(".", 0x1e8).File("f")),
        Ok("root described twice", New().Directory("./", 0x1c0).Directory("/", 0x1e8), Tree().Directory(".", 0x1e8)),
        Ok("only metadata of directories", New().Directory("a", 0x000).Directory("a/b", 0x049), Tree().Directory("a", 0).Directory("a/b", 0x049)),
        Ok("empty files", New().File("a", "").File("b", ""), Tree().File("a", "").File("b", "")),
        Stacked("", "a layer above without entries", "", BaseTree(), Base(), New().End()),
        Stacked("", "the same layer twice", "", BaseTree().Directory("x").File("x/y"), Base(), New().Directory("x").File("x/y"), New().Directory("x").File("x/y")),
        Stacked("", "directory with other metadata above", "", BaseTree().Directory("d", 0x1c0, uid: 3), Base(), New().Directory("d", 0x1c0, uid: 3)),
        Ok("content of 511, 512 and 513 bytes", New().File("a", new string('a', 511)).File("b", new string('b', 512)).File("c", new string('c', 513)), Tree().File("a", new string('a', 511)).File("b", new string('b', 512)).File("c", new string('c', 513))),
        Ok("content longer than any buffer", New().File("a", new string('a', 3_000_001)).File("b"), Tree().File("a", new string('a', 3_000_001)).File("b")),
    ];
}
