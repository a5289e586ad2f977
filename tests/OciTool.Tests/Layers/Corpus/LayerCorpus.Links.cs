namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private const string NotFound = "not found in this layer";

    private static OddLayer[] Links() =>
    [
        Applied("B01", "symlink to the host, then a file through it", "stays in the root", New().Symlink("evil", Far).File("evil/x"), Tree().Symlink("evil", Far).File(Inside("x"))),
        Stacked("B02", "symlink in the layer below, file through it above", "a directory hides the link", Tree().File("evil/x"), New().Symlink("evil", Far), New().File("evil/x")),
        Stacked("B03", "the same with a relative symlink", "a directory hides the link", Tree().File("evil/tmp/x"), New().Symlink("evil", "../../../.."), New().File("evil/tmp/x")),
        Stacked("B04", "the same with a symlink to a directory of the layer", "a directory hides the link", Tree().File("usr/lib/a").File("lib/b"), New().File("usr/lib/a").Symlink("lib", "usr/lib"), New().File("lib/b")),
        Applied("B05", "symlink, then a directory of its name", "the directory", New().Symlink("s", Far).Directory("s", 0x1ff), Tree().Directory("s", 0x1ff)),
        Applied("B06", "symlink, then a file of its name", "the file; what the link named is untouched", New().Symlink("s", Far + "/victim").File("s"), Tree().File("s")),
        Applied("B07", "hard link of mode 0777 to a symlink", "its target is not chmodded", New().Symlink("s", Far + "/victim").Link("h", "s", 0x1ff), Tree().Symlink("s", Far + "/victim", links: 2).Symlink("h", Far + "/victim", links: 2)),
        Refused("B08", "hard link to an absolute path of the host", New().Link("h", Far + "/victim"), NotFound),
        Refused("B09", "hard link with `..`", New().Link("h", "../canary/victim"), NotFound),
        Refused("B10", "hard link through a symlink to the host", New().Symlink("evil", Far).Link("h", "evil/victim"), NotFound),
        Refused("B11", "hard link to itself", New().Link("h", "h"), "hard link to itself"),
        Refused("B12", "hard link to nothing", New().Link("h", "nothing"), "hardlink target \"nothing\" not found in this layer"),
        RefusedOverBase("B13", "hard link to a file of the layer below", New().Link("h", "etc/passwd"), "hardlink target \"etc/passwd\" not found in this layer"),
        RefusedOverBase("B14", "hard link to a name that the layer hides", New().Whiteout(".wh.keep").Link("h", "keep"), NotFound),
        Refused("B15", "hard link to a directory", New().Directory("d").Link("h", "d"), "hard link to a directory"),
        Refused("B16", "hard link to a later entry", New().Link("h", "f").File("f"), NotFound),
        Refused("B17", "file below a loop of symlinks", New().Symlink("a", "b").Symlink("b", "a").File("a/x"), "symbolic links"),
        Refused("B18", "symlink without a target", New().Add("s", '2'), "symbolic link without a target"),
        Refused("B19", "symlink target of 5000 bytes", New().Symlink("s", new string('t', 5000)), "File name too long"),
        Stacked("B20", "chain of symlinks in the layer below, file through it above", "a directory hides the link", Tree().File("a/x").Symlink("b", Far), New().Symlink("a", "b").Symlink("b", Far), New().File("a/x")),
        Applied("B21", "file over a name with a hard link", "the other name keeps the old content", New().File("a", "AAA").Link("b", "a").File("a"), Tree().File("a").File("b", "AAA")),
        Applied("B22", "hard link over a file, then a file over its target", "the link keeps the old content", New().File("b", "BBB").File("a", "AAA").Link("b", "a").File("a"), Tree().File("a").File("b", "AAA")),
        Applied("B23", "hard link with 512 bytes of payload", "the payload is the next header", New().File("f").Add("h", '1', "f", size: 512).File("inner"), Tree().File("f", links: 2).File("h", links: 2).File("inner")),
        Applied("B24", "symlink with 512 bytes of payload", "the payload is the next header", New().Add("s", '2', "f", size: 512).File("inner"), Tree().Symlink("s", "f").File("inner")),
        Applied("B25", "dangling symlinks, absolute and climbing", "kept word by word", New().Symlink("mtab", "/proc/mounts").Symlink("up", "../../../x"), Tree().Symlink("mtab", "/proc/mounts").Symlink("up", "../../../x")),
    ];
}
