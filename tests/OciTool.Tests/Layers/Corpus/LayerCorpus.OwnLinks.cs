using System.Globalization;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Symbolic and hard links, and names.</summary>
internal static partial class LayerCorpus
{
    private static IEnumerable<OddLayer> OwnSymlinks() =>
    [
        Chain(2), Chain(39), Chain(40),
        Bad("41 symlinks in a row, with names of 200 bytes", ChainOf(41).File("l000/x"), "symbolic links"),
        Bad("symlink to itself", New().Symlink("a", "a").File("a/x"), "symbolic links"),
        Bad("loop of three", New().Symlink("a", "b").Symlink("b", "c").Symlink("c", "a").File("a/x"), "symbolic links"),
        Bad("loop through a directory", New().Symlink("a", "d/b").Symlink("d/b", "../a").File("a/x"), "symbolic links"),
        Ok("a loop that nobody enters", New().Symlink("a", "b").Symlink("b", "a"), Tree().Symlink("a", "b").Symlink("b", "a")),
        Ok("symlink to `.`", New().Symlink("a", ".").File("a/x"), Tree().Symlink("a", ".").File("x")),
        Ok("symlink to `..` in the root", New().Symlink("a", "..").File("a/x"), Tree().Symlink("a", "..").File("x")),
        Ok("symlink to `/`", New().Symlink("a", "/").File("a/b/x"), Tree().Symlink("a", "/").File("b/x")),
        Ok("symlink to `//`", New().Symlink("a", "//").File("a/x"), Tree().Symlink("a", "//").File("x")),
        Ok("`..` twenty times and the host", New().Symlink("a", Many("../", 20) + Far[1..]).File("a/x"), Tree().Symlink("a", Many("../", 20) + Far[1..]).File(Inside("x"))),
        Ok("climbing in steps", New().Directory("d/e").Symlink("d/e/up", "../..").Symlink("d/top", "e/up/..").File("d/top/x"), Tree().Directory("d/e").Symlink("d/e/up", "../..").Symlink("d/top", "e/up/..").File("x")),
        Ok("dangling symlink as a directory", New().Symlink("a", "made/by/it").File("a/x"), Tree().Symlink("a", "made/by/it").File("made/by/it/x")),
        Ok("chain of dangling symlinks", New().Symlink("a", "b").Symlink("b", "c/d").File("a/x"), Tree().Symlink("a", "b").Symlink("b", "c/d").File("c/d/x")),
        Ok("dangling symlink with a slash at its end", New().Symlink("a", "b/").File("a/x"), Tree().Symlink("a", "b/").File("b/x")),
        Ok("symlink to a process's root", New().Symlink("a", "/proc/self/root").File("a/x"), Tree().Symlink("a", "/proc/self/root").File("proc/self/root/x")),
        Ok("symlink to a process's working directory", New().Symlink("a", "/proc/self/cwd").File("a/x"), Tree().Symlink("a", "/proc/self/cwd").File("proc/self/cwd/x")),
        Ok("symlink to an open file", New().Symlink("a", "/proc/self/fd/0").File("a/x"), Tree().Symlink("a", "/proc/self/fd/0").File("proc/self/fd/0/x")),
        Bad("symlink to a file as a directory", New().File("f").Symlink("a", "f").File("a/x"), "Not a directory"),
        Ok("directory entry over a symlink to a directory", New().Directory("d", 0x1c0).Symlink("a", "d").Directory("a", 0x1ff), Tree().Directory("d", 0x1c0).Directory("a", 0x1ff)),
        Ok("symlink with a mode", New().Add("a", '2', "f", mode: 0).File("f"), Tree().Symlink("a", "f").File("f")),
        Ok("symlink with another owner", New().File("f").Add("a", '2', "f", uid: 5, gid: 6), Tree().File("f").Symlink("a", "f", owner: 5, group: 6)),
        Ok("target of 4095 bytes", New().Symlink("a", new string('t', 4095)), Tree().Symlink("a", new string('t', 4095))),
        Bad("target of 4096 bytes", New().Symlink("a", new string('t', 4096)), "File name too long"),
        Ok("target that is not UTF-8", New().Symlink("a", "\xff\xfe"), Tree().Symlink("a", "\xff\xfe")),
        Ok("symlink replaced below itself", New().Symlink("a", "d").File("a/a").Symlink("a", "e").File("a/b"), Tree().Symlink("a", "e").File("d/a").File("e/b")),
        Ok("fifo, device and directory through a symlink to the host", New().Symlink("a", Far).Add("a/fifo", '6').Directory("a/dir"), Tree().Symlink("a", Far).Fifo(Inside("fifo")).Directory(Inside("dir"))),
        Ok("file over the victim's name through a symlink", New().Symlink("a", Far).File("a/victim"), Tree().Symlink("a", Far).File(Inside("victim"))),
        Ok("hard link made through a symlink to the host", New().File("f").Symlink("a", Far).Link("a/h", "f"), Tree().File("f", links: 2).Symlink("a", Far).File(Inside("h"), links: 2)),
        Ok("symlink made through a symlink to the host", New().Symlink("a", Far).Symlink("a/s", "victim"), Tree().Symlink("a", Far).Symlink(Inside("s"), "victim")),
    ];

    private static OddLayer Chain(int length)
    {
        ExpectedTree tree = Tree().Directory("end").File("end/x");
        for (int i = 0; i < length; i++)
        {
            tree.Symlink(ChainName(i, length), ChainName(i + 1, length));
        }

        return Ok(string.Create(CultureInfo.InvariantCulture, $"{length} symlinks in a row, with names of 200 bytes"), ChainOf(length).File("l000/x"), tree);
    }

    private static TarBuilder ChainOf(int length) => Enumerable.Range(0, length).Aggregate(
        New().Directory("end"), (tar, i) => tar.Pax(("path", ChainName(i, length)), ("linkpath", ChainName(i + 1, length))).Symlink("x", "x"));

    private static string ChainName(int number, int length) =>
        number == 0 ? "l000" : number == length ? "end" : Numbered("l", number) + new string('x', 196);

    private static IEnumerable<OddLayer> OwnHardLinks() =>
    [
        Ok("to a fifo", New().Add("f", '6').Link("h", "f"), Tree().Fifo("f").Fifo("h")),
        Ok("to a device", New().Add("f", '3', major: 1, minor: 3).Link("h", "f"), Tree().Device("f", 'c', 1, 3).Device("h", 'c', 1, 3)),
        Ok("to a symlink that dangles", New().Symlink("s", "nowhere").Link("h", "s"), Tree().Symlink("s", "nowhere", 2).Symlink("h", "nowhere", 2)),
        Ok("to `./f`", New().File("f").Link("h", "./f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("to `/f`", New().File("f").Link("h", "/f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("to `a/../f`", New().File("f").Link("h", "a/../f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("to `../../f`", New().File("f").Link("h", "../../f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("to a link to a file", New().File("f").Link("g", "f").Link("h", "g"), Tree().File("f", links: 3).File("g", links: 3).File("h", links: 3)),
        Ok("to a link whose file was replaced", New().File("f", "old").Link("g", "f").File("f").Link("h", "g"), Tree().File("f").File("g", "old", links: 2).File("h", "old", links: 2)),
        Ok("through a symlink of the layer", New().File("d/f").Symlink("l", "d").Link("h", "l/f"), Tree().File("d/f", links: 2).Symlink("l", "d").File("h", links: 2)),
        Ok("over a file", New().File("f").File("h", "old").Link("h", "f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("over a full directory", New().File("f").Directory("h").File("h/x").Link("h", "f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("over itself once more", New().File("f").Link("h", "f").Link("h", "f"), Tree().File("f", links: 2).File("h", links: 2)),
        Ok("replaced by a directory", New().File("f").Link("h", "f").Directory("h").File("h/x"), Tree().File("f").Directory("h").File("h/x")),
        Ok("of an owner that clears set-id bits", New().Add("f", mode: 0x9ed).Add("h", '1', "f", mode: 0x9ed, uid: 5), Tree().File("f", "", 0x9ed, 5, links: 2).File("h", "", 0x9ed, 5, links: 2)),
        Ok("with attributes", New().File("f").Pax(("SCHILY.xattr.user.a", "1")).Link("h", "f"), Tree().File("f", links: 2).Xattr("f", "user.a", "1").File("h", links: 2).Xattr("h", "user.a", "1")),
        Ok("with content that is ignored", New().File("f", "old").Add("h", '1', "f", size: 0), Tree().File("f", "old", links: 2).File("h", "old", links: 2)),
        Ok("with a long PAX linkpath", New().Pax(("path", new string('f', 200))).File("x").Pax(("linkpath", new string('f', 200))).Link("h", "x"), Tree().File(new string('f', 200), links: 2).File("h", links: 2)),
        Ok("in a new directory", New().File("f").Link("a/b/h", "f"), Tree().File("f", links: 2).File("a/b/h", links: 2)),
        Bad("to itself by another spelling", New().File("h").Link("./a/../h", "h"), "hard link to itself"),
        Bad("to its own parent", New().Directory("a").Link("a/h", "a"), "hard link to a directory"),
        Bad("to the root", New().Link("h", "."), "hard link to a directory"),
        Bad("to `..`", New().Link("h", ".."), "hard link to a directory"),
        Bad("to a symlink's target that is a directory", New().Directory("d").Symlink("l", "/").Link("h", "l/d"), "hard link to a directory"),
        Bad("to nothing, without a name", New().Link("h", ""), "hard link to a directory"),
        Bad("to a file below a file", New().File("f").Link("h", "f/x"), NotFound),
        Bad("through a loop", New().Symlink("a", "b").Symlink("b", "a").Link("h", "a/x"), "symbolic links"),
        Bad("to a file that became a directory", New().File("f").Directory("f").Link("h", "f"), "hard link to a directory"),
        Bad("in place of the root", New().File("f").Link(".", "f"), "root directory cannot be replaced by a hard link"),
    ];

    private static IEnumerable<OddLayer> OwnNames() =>
    [
        Same("upper and lower case", "Name", "name", "NAME"),
        Same("composed and decomposed", "\xc3\xa9", "e\xcc\x81"),
        Same("dots at the end", "a", "a.", "a..", "a..."),
        Same("blanks", " ", "  ", "a ", " a"),
        Same("what other systems reserve", "CON", "NUL", "a:b", "a*b", "a?b", "~", "$HOME", "%PATH%"),
        Same("what shells read", "-rf", "--", "`id`", "$(id)", ";", "|", "&"),
        Same("control characters", "\x01", "\x7f", "\t", "\r", "\n", "\x1b]0;x\x07"),
        Same("text that runs backwards", "\xe2\x80\xaetxt.exe"),
        Same("255 bytes", new string('n', 255)),
        Same("invalid UTF-8", "\xc0\xaf", "\xed\xa0\x80", "\xff", "\x80"),
        Same("three dots and more", "...", "....", ".a", "..a"),
        Same("backslashes", "\\", "..\\..\\x", "C:\\x"),
        Same("names of this store", "fs", "layer.json", "layer.erofs"),
        Same("names of a device table", "dev", "proc", "sys"),
        Ok("slashes at the front", New().File("////x"), Tree().File("x")),
        Ok("dots and slashes", New().File("././././x").File("a/././b"), Tree().File("x").File("a/b")),
        Ok("`..` after a directory that does not exist", New().File("nowhere/../x"), Tree().File("x")),
        Ok("`..` after a file", New().File("f").File("f/../x"), Tree().File("f").File("x")),
        Ok("`..` after a symlink to the host", New().Symlink("a", Far).File("a/../x"), Tree().Symlink("a", Far).File("x")),
        Ok("directory `a/..` is the root", New().Directory("a/..", 0x1e8), Tree().Directory(".", 0x1e8)),
        Ok("directory `/../..` is the root", New().Directory("/../..", 0x1e8), Tree().Directory(".", 0x1e8)),
        Bad("file `a/..`", New().File("a/.."), "root directory cannot be replaced by a file"),
        Bad("file `..`", New().File(".."), "root directory cannot be replaced by a file"),
        Bad("symlink `../..`", New().Symlink("../..", Far), "root directory cannot be replaced by a symlink"),
        Bad("fifo `.`", New().Add(".", '6'), "root directory cannot be replaced by a fifo"),
        Bad("device `/`", New().Add("/", '3', major: 1, minor: 3), "root directory cannot be replaced by a device"),
        Bad("directory without a name", New().Directory(""), "empty name"),
        Bad("whiteout of the root by way of another", New().Whiteout("a/../.wh.."), InvalidWhiteout),
        Bad("component of 300 bytes in the middle", New().Pax(("path", "a/" + new string('b', 300) + "/c")).File("x"), "File name too long"),
    ];

    private static OddLayer Same(string title, params string[] names) => Ok(
        title, names.Aggregate(New(), (tar, name) => tar.Pax(("path", name)).File("x", name)), names.Aggregate(Tree(), (tree, name) => tree.File(name, name)));
}
