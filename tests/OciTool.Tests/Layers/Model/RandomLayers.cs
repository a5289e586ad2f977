namespace OciTool.Tests.Layers.Model;

/// <summary>Layers in which everything meets: few names, so that entries, links and whiteouts hit each other often.</summary>
internal static class RandomLayers
{
    private static readonly string[] Names = ["a", "b", "c", "d"];

    private static readonly string LongName = new('n', 130); // needs a PAX header

    // valid contents of the capability attribute: version 2, one bit set
    private const string Capability = "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    private const string OtherCapability = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    /// <summary>A stack of 1 to 6 layers that may all be applied.</summary>
    public static List<List<LayerEntry>> Stack(ulong seed)
    {
        Dice dice = new(seed);
        List<List<LayerEntry>> stack = [];
        for (int count = 1 + dice.Below(6); count > 0; count--)
        {
            stack.Add(Layer(dice, valid: true));
        }

        return stack;
    }

    /// <summary>One layer; unless it has to be valid, it may be one that must be refused.</summary>
    public static List<LayerEntry> Layer(Dice dice, bool valid, int most = 14)
    {
        List<LayerEntry> layer = [];
        for (int tries = 1 + dice.Below(most); tries > 0; tries--)
        {
            layer.Add(Entry(dice, layer));
            if (valid && !IsValid(layer))
            {
                layer.RemoveAt(layer.Count - 1);
            }
        }

        return layer;
    }

    public static bool IsValid(IEnumerable<LayerEntry> layer)
    {
        try
        {
            LayerModel.Apply(layer);
            return true;
        }
        catch (RefusedException)
        {
            return false;
        }
    }

    private static LayerEntry Entry(Dice dice, List<LayerEntry> before)
    {
        string path = Path(dice);
        LayerEntry entry = dice.Below(100) switch
        {
            < 25 => new(path, FileKind.File) { Content = Content(dice) },
            < 50 => new(path + dice.Pick("", "/"), FileKind.Directory),
            < 60 => new(path, FileKind.SymbolicLink) { Link = Target(dice) },
            < 70 => new(path, FileKind.HardLink) { Link = Earlier(dice, before) },
            < 82 => new(Beside(path, ".wh." + Name(dice)), Disguise(dice)),
            < 90 => new(dice.Percent(20) ? ".wh..wh..opq" : path + "/.wh..wh..opq", Disguise(dice)),
            < 92 => new(path, FileKind.Fifo),
            < 95 => new(path, dice.Pick(FileKind.CharacterDevice, FileKind.BlockDevice)) { Major = (uint)dice.Below(4096), Minor = (uint)dice.Pick(1, 255, 256, 0xfffff) },
            < 96 => new(dice.Pick(".wh..wh.plnk/" + Name(dice), ".wh..wh.aufs", path + "/.wh..wh.orph/a"), FileKind.File),
            < 99 => new(dice.Pick("./", "/", "."), FileKind.Directory),
            _ => new(dice.Pick(".wh.", "a/.wh..", ".wh...", "a/.wh.b/c", "", "a/.."), FileKind.File),
        };
        return Described(dice, entry);
    }

    private static LayerEntry Described(Dice dice, LayerEntry entry) => entry with
    {
        Mode = entry.Kind == FileKind.Directory
            ? dice.Pick(0x1edu, 0x1c0u, 0x3ffu, 0x16du, 0x5f8u, 0u)
            : dice.Pick(0x1a4u, 0x1edu, 0x9edu, 0x180u, 0u, 0x1b6u),
        Uid = dice.Pick(0u, 0u, 0u, 5u, 1000u, 70_000u, 2_147_483_647u, 4_294_967_294u),
        Gid = dice.Pick(0u, 0u, 0u, 5u, 1000u, 70_000u, 3_000_000_000u),
        Modified = dice.Pick(
            new Time(0, 0), new Time(1, 1), new Time(1_700_000_000, 123_456_789), new Time(1_600_000_000 + dice.Below(9), 0),
            new Time(8_589_934_592, 999_999_999), new Time(-2, 500_000_000), new Time(-1_000_000_000, 0)),
        Xattrs = dice.Percent(25) ? Xattrs(dice, isRoot: entry.Name is "./" or "/" or "." or "a/..") : entry.Xattrs,
    };

    // an erofs image has room for some 2,700 bytes of attributes of its root
    private static Dictionary<string, string> Xattrs(Dice dice, bool isRoot)
    {
        Dictionary<string, string> xattrs = [];
        for (int count = 1 + dice.Below(3); count > 0; count--)
        {
            (string name, string value) = dice.Below(12) switch
            {
                0 => ("user.a", "1"),
                1 => ("user.a", "2"),
                2 => ("user.zero", "\0"), // an empty value cannot be said: to PAX it means that there is none
                3 => ("user.long", new string('v', 1 + dice.Below(isRoot ? 300 : 3000))),
                4 => ("user.\xe9" + Name(dice), "\0\xff\n="),
                5 => ("security.capability", Capability),
                6 => ("security.capability", OtherCapability),
                7 => ("trusted.overlay.opaque", "y"),
                8 => ("user.overlay.redirect", "/a"),
                9 => ("user.containers.override_stat", "0:0:0755"),
                10 => ("security.selinux", "system_u:object_r:bin_t:s0"),
                _ => ("trusted.a", "1"),
            };
            xattrs[name] = value;
        }

        return xattrs;
    }

    private static string Name(Dice dice) => dice.Below(40) switch
    {
        0 => "\xe9", // not UTF-8
        1 => LongName,
        2 => ".a",
        _ => dice.Pick(Names),
    };

    private static string Path(Dice dice)
    {
        string path = Name(dice);
        for (int depth = dice.Pick(0, 0, 1, 1, 1, 2, 3); depth > 0; depth--)
        {
            path += (dice.Percent(3) ? "//./" : dice.Percent(2) ? "/../" : "/") + Name(dice);
        }

        return dice.Pick("", "", "", "", "", "./", "/", "../") + path;
    }

    private static string Beside(string path, string name) => path[..(path.LastIndexOf('/') + 1)] + name;

    private static string Target(Dice dice) => dice.Pick(
        Name(dice), Name(dice), Name(dice) + "/" + Name(dice), "/" + Name(dice), "../" + Name(dice), "..", "/", ".",
        "../../../" + Name(dice) + "/", "/proc/1/" + Name(dice), "/" + Name(dice) + "/../" + Name(dice), "./" + Name(dice) + "//");

    private static string Earlier(Dice dice, List<LayerEntry> before) =>
        before.Count > 0 && dice.Percent(90) ? dice.Pick("", "", "/", "../") + before[dice.Below(before.Count)].Name : Path(dice);

    /// <summary>Whiteouts are known by their names, whatever they are.</summary>
    private static FileKind Disguise(Dice dice) =>
        dice.Pick(FileKind.File, FileKind.File, FileKind.File, FileKind.Directory, FileKind.Fifo);

    private static string Content(Dice dice) => dice.Below(20) switch
    {
        0 => "",
        1 => Filled(dice, 4096),
        2 => Filled(dice, 4095),
        3 => Filled(dice, 8193),
        4 => Filled(dice, 3000 + dice.Below(1200)),
        5 => Filled(dice, 1 + dice.Below(20_000)),
        _ => "content " + dice.Below(1000),
    };

    private static string Filled(Dice dice, int length)
    {
        char[] content = new char[length];
        content.AsSpan().Fill((char)dice.Below(256));
        content[^1] = (char)dice.Below(256);
        return new string(content);
    }
}
