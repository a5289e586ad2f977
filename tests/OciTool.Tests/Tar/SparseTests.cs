using System.Text;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

/// <summary>GNU's four ways to store holes, and what Go refuses of them.</summary>
public sealed class SparseTests
{
    private const string Tail = " 644 0:0 100 1700000000.000000000 0:0 [] @10:abc @50:de";

    [Fact]
    public void Format_0_0_has_a_record_for_each_number() => Assert.Equal(
        [$"RegularFile f -> {Tail}", Next],
        Listing.Of(Archive(Records(("GNU.sparse.size", "100"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.offset", "10"),
            ("GNU.sparse.numbytes", "3"), ("GNU.sparse.offset", "50"), ("GNU.sparse.numbytes", "2")))));

    [Fact]
    public void Format_0_1_has_a_record_for_the_map() => Assert.Equal(
        [$"RegularFile real -> {Tail}", Next],
        Listing.Of(Archive(Records(("GNU.sparse.size", "100"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "10,3,50,2"), ("GNU.sparse.name", "real")))));

    [Fact]
    public void Format_1_0_has_the_map_in_front_of_the_data() => Assert.Equal(
        [$"RegularFile real -> {Tail}", Next], Listing.Of(Archive(Version1("100"), InData("2\n10\n3\n50\n2\n"))));

    [Fact]
    public void A_map_in_front_of_the_data_can_have_many_blocks()
    {
        string map = "500\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"{i * 10}\n1\n"));
        byte[] data = [.. InData(map)[..^5], .. Enumerable.Repeat((byte)'x', 500)];
        Assert.Equal(
            ["RegularFile real ->  644 0:0 5000 1700000000.000000000 0:0 []" + string.Concat(Enumerable.Range(0, 500).Select(i => $" @{i * 10}:x")), Next],
            Listing.Of(Archive(Version1("5000"), data)));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(25, 1)]
    [InlineData(26, 2)]
    [InlineData(4, 3)] // blocks without runs
    public void The_old_format_has_runs_in_the_header_and_in_blocks_behind_it(int runs, int blocks)
    {
        byte[] archive = Old(runs, blocks);
        Assert.Equal(
            ["RegularFile f ->  644 0:0 100000 1700000000.000000000 0:0 []" + string.Concat(Enumerable.Range(0, runs).Select(i => $" @{i * 100}:x")), Next],
            Listing.Of(archive));
    }

    [Fact]
    public void The_size_of_PAX_is_what_the_old_format_stores()
    {
        byte[] archive = [.. new TarBuilder().Pax(("size", "2")).ToArray(), .. Old(2, 0, size: 0)];
        Assert.Equal(["RegularFile f ->  644 0:0 100000 1700000000.000000000 0:0 [] @0:x @100:x", Next], Listing.Of(archive));
    }

    [Fact]
    public void A_sparse_file_can_be_one_hole() => Assert.Equal(
        ["RegularFile real ->  644 0:0 100 1700000000.000000000 0:0 []", Next],
        Listing.Of(Archive(Version1("100"), InData("0\n")[..^5])));

    [Fact]
    public void An_unknown_version_is_an_ordinary_file() => Assert.Equal(
        ["RegularFile f ->  644 0:0 5 1700000000.000000000 0:0 [] @0:abcde", Next],
        Listing.Of(Archive(Records(("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "real"),
            ("GNU.sparse.map", "10,3,50,2"), ("GNU.sparse.size", "100")))));

    [Fact]
    public void The_size_wins_over_the_real_size() => Assert.Equal(
        [$"RegularFile f -> {Tail}", Next],
        Listing.Of(Archive(Records(("GNU.sparse.size", "100"), ("GNU.sparse.realsize", "7"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "10,3,50,2")))));

    [Fact]
    public void The_name_of_a_sparse_file_wins_over_a_long_name()
    {
        byte[] archive = new TarBuilder().Long('L', "long").Raw(Archive(Records(
            ("GNU.sparse.size", "100"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "10,3,50,2"), ("GNU.sparse.name", "real")))).ToArray();
        Assert.Equal(["real", "next"], Listing.Names(archive));
    }

    [Fact]
    public void A_sparse_map_in_a_global_header_means_nothing() => Assert.Equal(
        ["RegularFile f ->  644 0:0 5 1700000000.000000000 0:0 [] @0:abcde", Next],
        Listing.Of(new TarBuilder().PaxBody(Records(("GNU.sparse.map", "10,3,50,2"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.size", "100")), 'g')
            .File("f", "abcde").File("next", "").End().ToArray()));

    [Theory]
    [InlineData("10,3,50,2", "2", "51")] // beyond the end
    [InlineData("10,3,50,2", "2", "-1")]
    [InlineData("10,3,50,2", "1", "100")]
    [InlineData("10,3,50,2", "3", "100")]
    [InlineData("10,3,50,2", "", "100")]
    [InlineData("10,3,50,2", "x", "100")]
    [InlineData("10,3,50,2,", "2", "100")]
    [InlineData(",10,3,50,2", "2", "100")]
    [InlineData("10,3,50", "2", "100")]
    [InlineData("10,3, 50,2", "2", "100")]
    [InlineData("50,2,10,3", "2", "100")] // out of order
    [InlineData("10,3,12,2", "2", "100")] // one on the other
    [InlineData("10,3,50,1", "2", "100")] // fewer bytes than are stored
    [InlineData("10,3,50,3", "2", "100")] // more
    [InlineData("10,5,50,-1", "2", "100")]
    [InlineData("-1,3,50,2", "2", "100")]
    [InlineData("10,3,9223372036854775807,2", "2", "100")]
    [InlineData("10,9223372036854775807", "1", "100")]
    public void Wrong_maps(string map, string count, string size)
    {
        string problem = Listing.Damage(Archive(Records(
            ("GNU.sparse.size", size), ("GNU.sparse.numblocks", count), ("GNU.sparse.map", map)))).Message;
        Assert.Contains(
            count == "x" ? "invalid GNU.sparse.numblocks in a PAX record" : "invalid sparse map", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n")] // no number
    [InlineData("x\n")]
    [InlineData("-1\n")]
    [InlineData("1\n\n5\n")]
    [InlineData("1\n0\n")] // too few lines
    [InlineData("2\n0\n5\n")]
    [InlineData("9223372036854775807\n0\n5\n")]
    [InlineData("99999999999999999999\n0\n5\n")]
    [InlineData("1\n0\n6\n")]
    [InlineData("1\n0\n4\n")]
    [InlineData("1\n99\n5\n")]
    public void Wrong_maps_in_front_of_the_data(string map) =>
        Assert.Contains("invalid sparse map", Listing.Damage(Archive(Version1("100"), InData(map))).Message, StringComparison.Ordinal);

    [Fact]
    public void Maps_of_more_than_1_MiB_are_refused()
    {
        byte[] data = InData("300000\n" + string.Concat(Enumerable.Repeat("0\n0\n", 300_000)));
        Assert.Contains("a sparse map is longer than 1 MiB", Listing.Damage(Archive(Version1("100"), data)).Message, StringComparison.Ordinal);
        Assert.Contains("a sparse map is longer than 1 MiB", Listing.Damage(Old(4, 2048)).Message, StringComparison.Ordinal);
        Assert.Equal(2, Listing.Of(Old(4, 2047)).Count);
    }

    [Theory]
    [InlineData('1')]
    [InlineData('2')]
    [InlineData('5')]
    [InlineData('6')]
    public void What_has_no_data_cannot_be_sparse(char type) => Assert.Contains(
        "entry \"f\": damaged tar archive at offset 1024: invalid sparse map",
        Listing.Damage(new TarBuilder().Pax(("GNU.sparse.map", "0,0"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.size", "0")).Add("f", type).ToArray()).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("ustar\0")] // star's own sparse format, which nobody wrote for decades
    [InlineData("\0\0\0\0\0\0\0\0")]
    public void The_old_format_is_GNUs_alone(string magic) => Assert.Contains(
        "invalid sparse map", Listing.Damage(Old(2, 0, magic: magic)).Message, StringComparison.Ordinal);

    [Fact]
    public void Numbers_of_the_old_format_must_be_numbers()
    {
        byte[] archive = new TarBuilder().Add("f", 'S', data: [1], edit: header =>
        {
            Encoding.Latin1.GetBytes("ustar  \0", header.AsSpan(257));
            Encoding.Latin1.GetBytes("zzz", header.AsSpan(386));
            Encoding.Latin1.GetBytes("00000000001", header.AsSpan(483));
        }).ToArray();
        Assert.Contains("invalid sparse map", Listing.Damage(archive).Message, StringComparison.Ordinal);
    }

    private static string Next => "RegularFile next ->  644 0:0 0 1700000000.000000000 0:0 []";

    private static string Records(params (string Key, string Value)[] records) =>
        string.Concat(records.Select(record => TarBuilder.Record(record.Key, record.Value)));

    private static string Version1(string size) => Records(
        ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "real"), ("GNU.sparse.realsize", size));

    /// <summary>A map in whole blocks, and five bytes.</summary>
    private static byte[] InData(string map) =>
        [.. Encoding.ASCII.GetBytes(map.PadRight((map.Length + 511) & ~511, '\0')), .. "abcde"u8];

    private static byte[] Archive(string records, byte[]? data = null) =>
        new TarBuilder().PaxBody(records).Add("f", data: data ?? "abcde"u8.ToArray()).File("next", "").End().ToArray();

    /// <summary>A file of runs of one byte at each hundredth, with so many blocks of the map behind the header.</summary>
    private static byte[] Old(int runs, int blocks, int? size = null, string magic = "ustar  \0")
    {
        byte[] map = new byte[blocks * 512];
        TarBuilder tar = new TarBuilder().Add("f", 'S', size: size ?? runs, edit: header =>
        {
            Encoding.Latin1.GetBytes(magic, header.AsSpan(257));
            Encoding.Latin1.GetBytes("00000303240", header.AsSpan(483)); // 100,000
            header[482] = blocks > 0 ? (byte)1 : (byte)0;
            for (int i = 0; i < runs; i++)
            {
                Span<byte> run = i < 4 ? header.AsSpan(386 + (i * 24)) : map.AsSpan(((i - 4) / 21 * 512) + ((i - 4) % 21 * 24));
                Encoding.Latin1.GetBytes(Convert.ToString(i * 100, 8).PadLeft(11, '0'), run);
                Encoding.Latin1.GetBytes("00000000001", run[12..]);
            }

            for (int i = 1; i < blocks; i++)
            {
                map[(i * 512) - 8] = 1;
            }
        });
        return tar.Raw(map).Data(Encoding.ASCII.GetBytes(new string('x', runs))).File("next", "").End().ToArray();
    }
}
