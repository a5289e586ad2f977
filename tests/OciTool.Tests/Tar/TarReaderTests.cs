using System.Text;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

/// <summary>Headers, names and errors, as Go's <c>archive/tar</c> has them.</summary>
public sealed class TarReaderTests
{
    private const string Ustar = "ustar\00000";
    private const string Gnu = "ustar  \0";

    [Theory]
    [InlineData(Ustar, "p/f")]
    [InlineData("ustar\0  ", "p/f")] // any version
    [InlineData(Gnu, "f")] // a time stands there
    [InlineData("ustar  x", "f")] // V7
    [InlineData("\0\0\0\0\0\0\0\0", "f")]
    public void The_prefix_is_ustars(string magic, string expected) =>
        Assert.Equal([expected], Listing.Names(Header(magic, header => header[345] = (byte)'p', time: magic == Gnu ? "0000" : null)));

    [Fact]
    public void A_prefix_of_star_ends_in_front_of_its_times()
    {
        static void Star(byte[] header)
        {
            header.AsSpan(345, 131).Fill((byte)'p');
            Write(header, 476, "00000000001 00000000002 ");
            Write(header, 508, "tar\0");
        }

        Assert.Equal([new string('p', 131) + "/f"], Listing.Names(Header(Ustar, Star)));
        Assert.Contains("entry \"" + new string('p', 131) + "/f\": damaged tar archive at offset 0: invalid atime", Listing.Damage(Header(Ustar, header =>
        {
            Star(header);
            header[476] = (byte)'z';
        })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("some/prefix", "", "some/prefix/f")] // Go before 1.8
    [InlineData("00000000001\0", "zzz", "00000000001/f")]
    [InlineData("\0zzz", "", "f")] // an unused time is not looked at
    [InlineData("00000000001\0", "\0zzz", "f")]
    [InlineData("pr\u00e9fix", "", "f")] // not ASCII
    public void A_prefix_in_a_GNU_header_is_taken_where_times_are_none(string first, string second, string expected) =>
        Assert.Equal([expected], Listing.Names(Header(Gnu, header =>
        {
            Write(header, 345, first);
            Write(header, 357, second);
        })));

    [Fact]
    public void Names_fill_their_fields_and_end_at_a_NUL()
    {
        string name = new('n', 100);
        string link = new('l', 100);
        Assert.Equal([$"SymbolicLink {name} -> {link} 644 0:0 0 1700000000.000000000 0:0 []"], Listing.Of(new TarBuilder().Add(name, '2', link).ToArray()));
        Assert.Equal(["a"], Listing.Names(new TarBuilder().Add("a\0b").ToArray()));
        Assert.Equal(["\u00ff\u0080\n"], Listing.Names(new TarBuilder().Add("\u00ff\u0080\n").ToArray()));
    }

    [Theory]
    [InlineData("xLKe", "L")]
    [InlineData("Lxe", "L")]
    [InlineData("xe", "x")]
    [InlineData("xxe", "x")]
    [InlineData("Le", "L")]
    [InlineData("le", "e")] // an empty long name is none
    [InlineData("Lle", "e")]
    [InlineData("Lge", "e")] // Go gives a global header like an entry: nothing passes it
    [InlineData("xge", "e")]
    [InlineData("gxe", "x")]
    public void Long_names_of_GNU_win_over_PAX_in_any_order(string headers, string expected)
    {
        TarBuilder tar = new();
        foreach (char header in headers)
        {
            _ = header switch
            {
                'x' => tar.Pax(("path", "x"), ("linkpath", "x")),
                'L' => tar.Long('L', "L").Long('K', "L"),
                'l' => tar.Long('L', "").Long('K', ""),
                'K' => tar.Long('K', "K").Long('K', "L"),
                'g' => tar.PaxBody(TarBuilder.Record("path", "g") + TarBuilder.Record("linkpath", "g"), 'g'),
                _ => tar.Add("e", '2', "e"),
            };
        }

        Assert.StartsWith($"SymbolicLink {expected} -> {expected} ", Assert.Single(Listing.Of(tar.ToArray())), StringComparison.Ordinal);
    }

    [Fact]
    public void Extensions_apply_to_one_entry_only()
    {
        byte[] archive = new TarBuilder().Pax(("path", "x"), ("uid", "7"), ("SCHILY.xattr.user.a", "1")).Long('K', "k").File("a").File("b").ToArray();
        Assert.Equal(
            ["RegularFile x -> k 644 7:0 3 1700000000.000000000 0:0 [user.a=1] @0:new", "RegularFile b ->  644 0:0 3 1700000000.000000000 0:0 [] @0:new"],
            Listing.Of(archive));
    }

    [Fact]
    public void Records_of_PAX_replace_the_fields_of_the_header()
    {
        byte[] archive = new TarBuilder().Pax(("uid", "4294967296"), ("gid", "-1"), ("mtime", "-1.5"), ("size", "2"), ("atime", "1"), ("ctime", "2.5"))
            .Add("f", size: 100).Data("ab"u8.ToArray()).ToArray();
        Assert.Equal(["RegularFile f ->  644 4294967296:-1 2 -2.500000000 0:0 [] @0:ab"], Listing.Of(archive));
    }

    [Theory]
    [InlineData("uid")]
    [InlineData("gid")]
    [InlineData("size")]
    [InlineData("mtime")]
    [InlineData("atime")]
    [InlineData("ctime")]
    public void Numbers_of_PAX_must_be_numbers(string key)
    {
        LayerException damage = Listing.Damage(new TarBuilder().Pax((key, "1x")).File("f\u001b").ToArray());
        Assert.Equal($"entry \"f\\x1b\": damaged tar archive at offset 1024: invalid {key} in a PAX record", damage.Message);
        Assert.Equal("f\\x1b", damage.Entry);
        Assert.Equal(1024, damage.Offset);
    }

    [Theory]
    [InlineData('0', "d/", "", "RegularFile")]
    [InlineData('\0', "d/", "", "Directory")]
    [InlineData('\0', "d", "", "RegularFile")]
    [InlineData('\0', "d", "pax/", "Directory")]
    [InlineData('\0', "d/", "pax", "RegularFile")]
    [InlineData('5', "d", "", "Directory")]
    [InlineData('7', "d/", "", "Other")]
    [InlineData('X', "d", "", "Other")]
    [InlineData('D', "d", "", "Other")]
    public void A_slash_makes_a_directory_of_the_oldest_type_only(char type, string name, string paxName, string kind) => Assert.StartsWith(
        kind + " ", Assert.Single(Listing.Of(new TarBuilder().Pax(("path", paxName)).Add(name, type).ToArray())), StringComparison.Ordinal);

    [Theory]
    [InlineData('1')]
    [InlineData('2')]
    [InlineData('3')]
    [InlineData('4')]
    [InlineData('5')]
    [InlineData('6')]
    public void What_has_no_data_has_none_whatever_its_size(char type)
    {
        byte[] archive = new TarBuilder().Add("a", type, size: 600).Pax(("size", "600")).Add("b", type).Add("c", type, size: -1).File("d").ToArray();
        List<string> entries = Listing.Of(archive);
        Assert.Equal(4, entries.Count);
        Assert.All(entries[..3], entry => Assert.Contains(" 644 0:0 0 ", entry, StringComparison.Ordinal));
        Assert.EndsWith("@0:new", entries[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Types_that_we_do_not_know_have_data() =>
        Assert.Equal(["z", "f"], Listing.Names(new TarBuilder().Add("z", 'Z', data: new byte[700]).File("f").ToArray()));

    [Fact]
    public void Devices_have_numbers_but_in_V7()
    {
        Assert.Contains(" 5:7 ", Assert.Single(Listing.Of(new TarBuilder().Add("d", '3', major: 5, minor: 7).ToArray())), StringComparison.Ordinal);
        byte[] old = new TarBuilder().Add("d", '3', major: 5, minor: 7, edit: header => header.AsSpan(257, 8).Clear()).ToArray();
        Assert.Contains(" 0:0 ", Assert.Single(Listing.Of(old)), StringComparison.Ordinal);
    }

    [Fact]
    public void Checksums_may_be_of_signed_bytes_and_written_in_many_ways()
    {
        byte[] header = new TarBuilder().Add("n\u00e4me\u00ff").ToArray();
        int unsigned = Convert.ToInt32(Encoding.ASCII.GetString(header, 148, 6), 8);
        foreach (int sum in new[] { unsigned, unsigned - 512 })
        {
            foreach (string text in new[] { "{0}\0 ", "  {0}", "{0} \0", "0{0}", "\0{0}\0" })
            {
                header.AsSpan(148, 8).Clear();
                Write(header, 148, text.Replace("{0}", Convert.ToString(sum, 8).PadLeft(5, '0'), StringComparison.Ordinal));
                Assert.Equal(["n\u00e4me\u00ff"], Listing.Names(header));
            }
        }

        header.AsSpan(148, 8).Clear();
        Write(header, 148, Convert.ToString(unsigned - 256, 8));
        Assert.Contains("invalid header checksum", Listing.Damage(header).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_largest_checksum_is_summed_right()
    {
        byte[] header = Enumerable.Repeat((byte)0xff, 512).ToArray();
        header[156] = (byte)'0';
        Assert.EndsWith(": negative size -1", Listing.Damage(TarBuilder.Seal(header)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100, "mode")]
    [InlineData(108, "uid")]
    [InlineData(116, "gid")]
    [InlineData(124, "size")]
    [InlineData(136, "mtime")]
    [InlineData(329, "device number")]
    [InlineData(337, "device number")]
    public void Fields_that_are_no_numbers_are_named(int place, string field)
    {
        byte[] archive = new TarBuilder().File("a").Add("b", edit: header => header[place] = (byte)'z').ToArray();
        Assert.Equal($"entry \"b\": damaged tar archive at offset 1024: invalid {field}", Listing.Damage(archive).Message);
    }

    [Fact]
    public void Where_no_header_tells_the_entry_the_last_one_is_named()
    {
        Assert.Equal("damaged tar archive at offset 0: invalid header checksum", Listing.Damage(new TarBuilder().Raw(new byte[511]).Raw([1]).ToArray()).Message);

        byte[] archive = new TarBuilder().File("a").File("b").ToArray();
        archive[1024]++;
        LayerException damage = Listing.Damage(archive);
        Assert.Equal("damaged tar archive at offset 1024, behind entry \"a\": invalid header checksum", damage.Message);
        Assert.Null(damage.Entry);

        Assert.Equal(
            "damaged tar archive at offset 1024, behind entry \"a\": invalid length of a PAX record",
            Listing.Damage(new TarBuilder().File("a").PaxBody("nonsense").File("b").ToArray()).Message);
        Assert.Equal(
            "damaged tar archive at offset 1324, behind entry \"a\": unexpected end",
            Listing.Damage(new TarBuilder().File("a").File("b").ToArray()[..1324]).Message);
        Assert.Equal(
            "damaged tar archive at offset 1024, behind entry \"a\": a lone block of zeros before the end",
            Listing.Damage(new TarBuilder().File("a").Raw(new byte[512]).File("b").ToArray()).Message);
        Assert.Equal(
            "entry \"a\": damaged tar archive at offset 514: unexpected end",
            Listing.Damage(new TarBuilder().File("a").ToArray()[..514]).Message);
        Assert.Equal(
            "entry \"a\": damaged tar archive at offset 0: negative size -1",
            Listing.Damage(new TarBuilder().Add("a", size: -1).ToArray()).Message);
    }

    [Fact]
    public void What_is_behind_the_end_means_nothing()
    {
        byte[] archive = new TarBuilder().File("a").End().ToArray();
        Assert.Equal(["a"], Listing.Names([.. archive, .. "garbage"u8]));
        Assert.Equal(["a"], Listing.Names([.. archive, .. archive]));
    }

    private static byte[] Header(string magic, Action<byte[]> edit, string? time = null) => new TarBuilder().Add("f", edit: header =>
    {
        Write(header, 257, magic);
        edit(header);
        Write(header, 345, time ?? "");
    }).ToArray();

    private static void Write(byte[] header, int place, string text) => Encoding.Latin1.GetBytes(text, header.AsSpan(place));
}
