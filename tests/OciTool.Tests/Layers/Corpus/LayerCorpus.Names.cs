namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static OddLayer[] Names() =>
    [
        Applied("A01", "`..` twelve times above the root", "stays in the root", New().File(Many("../", 12) + Inside("a01")), Tree().File(Inside("a01"))),
        Applied("A02", "absolute name", "stays in the root", New().File(Far + "/a02"), Tree().File(Inside("a02"))),
        Applied("A03", "`..` inside of a name", "stays in the root", New().File("a/../../../canary/a03"), Tree().File("canary/a03")),
        Applied("A04", "directory `..` of mode 0700", "is the entry of the root", New().Directory("..", 0x1c0), Tree().Directory(".", 0x1c0)),
        Applied("A05", "directory `./` of mode 0700 and owner 5", "describes the root", New().Directory("./", 0x1c0, uid: 5), Tree().Directory(".", 0x1c0, uid: 5)),
        Applied("A06", "directory `/`", "describes the root", New().Directory("/", 0x1e8), Tree().Directory(".", 0x1e8)),
        Refused("A07", "empty name", New().File(""), "empty name"),
        Refused("A08", "`.` as a symlink to the host", New().Symlink(".", Far), "root directory cannot be replaced by a symlink"),
        Refused("A09", "`/.` as a symlink to the host", New().Symlink("/.", Far), "root directory cannot be replaced by a symlink"),
        Refused("A10", "`/` as a file", New().File("/"), "root directory cannot be replaced by a file"),
        Applied("A11", "`a//b///c` and `./x/./y`", "applied", New().File("a//b///c").File("./x/./y"), Tree().File("a/b/c").File("x/y")),
        Refused("A12", "file with a slash at its end, then a child", New().File("f/").File("f/child"), "Not a directory"),
        Applied("A13", "V7 header with a slash at the end of its name", "a directory", New().Add("d/", '\0', mode: 0x1ed, edit: ToV7).File("d/x"), Tree().Directory("d").File("d/x")),
        Applied("A14", "missing parents", "made as root's, 0755", New().File("p/q/r"), Tree().File("p/q/r")),
    ];

    private static void ToV7(byte[] header) => header.AsSpan(257, 255).Clear();
}
