namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private const string InvalidWhiteout = "invalid whiteout name";

    private static OddLayer[] Whiteouts() =>
    [
        OverBase("C01", "whiteout of a file", "hidden", New().Whiteout("d/.wh.low"), BaseTree().Without("d/low").Directory("d", mtime: 0)),
        OverBase("C02", "opaque directory, then a child", "only the child", New().Directory("d").Whiteout("d/.wh..wh..opq").File("d/x"), BaseTree().Without("d/low").File("d/x")),
        OverBase("C03", "opaque root", "all layers below are hidden", New().Whiteout(".wh..wh..opq").File("new"), Tree().File("new")),
        RefusedOverBase("C04", "whiteout of an empty name", New().Directory("d").Whiteout("d/.wh."), "entry \"d/.wh.\": invalid whiteout name"),
        RefusedOverBase("C05", "whiteout of the directory itself", New().Directory("d").Whiteout("d/.wh.."), "entry \"d/.wh..\": invalid whiteout name"),
        RefusedOverBase("C06", "whiteout of the directory's parent", New().Directory("d").Whiteout("d/.wh..."), "entry \"d/.wh...\": invalid whiteout name"),
        OverBase("C07", "whiteout of a directory, then the directory again", "opaque", New().Whiteout(".wh.d").Directory("d").File("d/new"), BaseTree().Without("d/low").File("d/new")),
        OverBase("C08", "child, then the whiteout of its directory", "the child stays, lower ones are hidden", New().Directory("d").File("d/new").Whiteout(".wh.d"), BaseTree().Without("d/low").File("d/new")),
        OverBase("C09", "file, then its whiteout", "the file stays", New().File("keep").Whiteout(".wh.keep"), BaseTree().File("keep")),
        OverBase("C10", "whiteout of nothing in a new directory", "no name that cannot be looked at", New().Directory("fresh").Whiteout("fresh/.wh.ghost"), BaseTree().Directory("fresh")),
        Stacked("C11", "whiteout below a symlink to the host", "the host's file stays, and no name is left", Tree().Directory("evil", mtime: 0), New().Symlink("evil", Far), New().Whiteout("evil/.wh.victim")),
        Stacked("C12", "opaque whiteout below a symlink to the host", "the host's directory stays", Tree().Directory("evil", mtime: 0), New().Symlink("evil", Far), New().Whiteout("evil/.wh..wh..opq")),
        OverBase("C13", "whiteout of type directory", "a whiteout", New().Directory(".wh.keep"), BaseTree().Without("keep")),
        OverBase("C14", "book-keeping of aufs", "left out", New().Directory(".wh..wh.plnk").File(".wh..wh.plnk/1.2").File(".wh..wh.aufs").Directory(".wh..wh.orph"), BaseTree()),
        OverBase("C15", "whiteout of type symlink to the host", "a whiteout", New().Symlink(".wh.keep", Far + "/victim"), BaseTree().Without("keep")),
        OverBase("C16", "directory below, file above", "the file", New().File("d"), BaseTree().Without("d").File("d")),
        OverBase("C17", "file below, directory above", "the directory", New().Directory("keep").File("keep/x"), BaseTree().Without("keep").Directory("keep").File("keep/x")),
        Stacked("C18", "symlink below, directory above", "the directory", Tree().Directory("s").File("s/x"), New().Symlink("s", Far), New().Directory("s").File("s/x")),
        OverBase("C19", "directory below, symlink above", "the symlink", New().Symlink("d", Far), BaseTree().Without("d").Symlink("d", Far)),
        OverBase("C20", "child, then opaque", "the child stays", New().Directory("d").File("d/x").Whiteout("d/.wh..wh..opq"), BaseTree().Without("d/low").File("d/x")),
        OverBase("C21", "whiteout, then a whiteout below it", "hidden", New().Whiteout(".wh.d").Whiteout("d/.wh.low"), BaseTree().Without("d")),
        RefusedOverBase("C22", "character device 0:0, which overlayfs takes for a whiteout", New().Add("keep", '3'), "device 0:0 not allowed"),
        OverBase("C23", "whiteout with content", "a whiteout, its content is skipped", New().File(".wh.keep", "payload").File("y"), BaseTree().Without("keep").File("y")),
        OverBase("C24", "child of a file of the layer below", "a directory takes its place", New().File("keep/child"), BaseTree().Without("keep").File("keep/child")),
        OverBase("C25", "`.wh-x`", "an ordinary file", New().File(".wh-x"), BaseTree().File(".wh-x")),
    ];
}
