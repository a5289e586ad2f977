using System.Text;
using OciTool.Storage.Tar;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

public sealed class PaxRecordsTests
{
    private readonly PaxRecords _records = new();

    [Fact]
    public void Values_are_bytes_with_anything_in_them()
    {
        Assert.Null(Parse("14 path=a=b\nc\n" + TarBuilder.Record("mtime", "\u00ff\0")));
        Assert.Equal("a=b\nc", Value(PaxKey.Path));
        Assert.Equal("\u00ff\0", Value(PaxKey.ModificationTime));
        Assert.Null(Value(PaxKey.Uid));
    }

    [Fact]
    public void Each_known_key_has_a_value_of_its_own()
    {
        (string Key, PaxKey Known)[] keys =
        [
            ("path", PaxKey.Path), ("linkpath", PaxKey.LinkPath), ("uname", PaxKey.UserName), ("gname", PaxKey.GroupName),
            ("uid", PaxKey.Uid), ("gid", PaxKey.Gid), ("size", PaxKey.Size), ("mtime", PaxKey.ModificationTime),
            ("atime", PaxKey.AccessTime), ("ctime", PaxKey.ChangeTime), ("GNU.sparse.major", PaxKey.SparseMajor),
            ("GNU.sparse.minor", PaxKey.SparseMinor), ("GNU.sparse.name", PaxKey.SparseName),
            ("GNU.sparse.size", PaxKey.SparseSize), ("GNU.sparse.realsize", PaxKey.SparseRealSize),
            ("GNU.sparse.map", PaxKey.SparseMap), ("GNU.sparse.numblocks", PaxKey.SparseBlocks),
        ];
        Assert.Equal(Enum.GetValues<PaxKey>().Order(), keys.Select(key => key.Known).Order());

        Assert.Null(Parse(string.Concat(keys.Select(key => TarBuilder.Record(key.Key, "value of " + key.Key)))));
        Assert.All(keys, key => Assert.Equal("value of " + key.Key, Value(key.Known)));
    }

    [Fact]
    public void The_last_record_of_a_key_wins_also_when_it_is_empty()
    {
        Assert.Null(Parse(TarBuilder.Record("path", "one") + TarBuilder.Record("path", "two")
            + TarBuilder.Record("linkpath", "one") + TarBuilder.Record("linkpath", "")));
        Assert.Equal("two", Value(PaxKey.Path));
        Assert.Null(Value(PaxKey.LinkPath));
    }

    [Fact]
    public void A_second_header_replaces_the_first_as_a_whole()
    {
        Assert.Null(Parse(TarBuilder.Record("path", "one") + TarBuilder.Record("SCHILY.xattr.user.a", "1")
            + TarBuilder.Record("GNU.sparse.offset", "0") + TarBuilder.Record("GNU.sparse.numbytes", "1")));
        Assert.False(_records.IsEmpty);
        Assert.Null(Parse(TarBuilder.Record("uid", "7")));

        Assert.Null(Value(PaxKey.Path));
        Assert.Empty(Xattrs());
        Assert.Empty(_records.SparseNumbers);
        Assert.Equal("7", Value(PaxKey.Uid));
        Assert.Null(Parse(""));
        Assert.True(_records.IsEmpty);
        Assert.Null(Value(PaxKey.Uid));
    }

    [Fact]
    public void Attributes_keep_their_order_the_last_value_and_no_empty_one()
    {
        Assert.Null(Parse(
            TarBuilder.Record("SCHILY.xattr.user.b", "1") + TarBuilder.Record("SCHILY.xattr.user.\u00ff", "\0\n=")
            + TarBuilder.Record("SCHILY.xattr.user.gone", "x") + TarBuilder.Record("SCHILY.xattr.user.b", "2")
            + TarBuilder.Record("SCHILY.xattr.user.gone", "") + TarBuilder.Record("LIBARCHIVE.xattr.user.c", "eA==")));
        Assert.Equal(["user.b\0=2", "user.\u00ff\0=\0\n="], Xattrs());
    }

    [Fact]
    public void Forty_thousand_attributes_cost_no_more_than_reading_them()
    {
        Assert.Null(Parse(string.Concat(Enumerable.Range(0, 40_000).Select(i => TarBuilder.Record($"SCHILY.xattr.{i:x}", "x")))));
        Assert.Equal(40_000, Xattrs().Distinct().Count());
    }

    [Theory]
    [InlineData("path=x\n")]
    [InlineData(" path=x\n")]
    [InlineData("x path=x\n")]
    [InlineData("8 path=x\n")] // one too few
    [InlineData("11 path=x\n")] // one too many
    [InlineData("10 path=xx")]
    [InlineData("10path=xxx\n")]
    [InlineData("-10 path=x\n")]
    [InlineData("0 path=x\n")]
    [InlineData("2 path=x\n")]
    [InlineData("99999999999999999999 path=x\n")]
    [InlineData("9223372036854775807 path=x\n")]
    [InlineData("10 path=x\n\0")]
    public void Wrong_lengths(string body) => Assert.Equal("invalid length of a PAX record", Parse(body));

    [Theory]
    [InlineData("+11 path=x\n")]
    [InlineData("0012 path=x\n")]
    public void Lengths_that_Go_takes(string body)
    {
        Assert.Null(Parse(body));
        Assert.Equal("x", Value(PaxKey.Path));
    }

    [Theory]
    [InlineData("9 nothing\n", "invalid length of a PAX record")]
    [InlineData("10 nothing\n", "invalid length of a PAX record")]
    [InlineData("11 nothing\n", "invalid PAX record")]
    [InlineData("5 =x\n", "invalid PAX record")]
    [InlineData("3 \n5 =\n", "invalid PAX record")]
    [InlineData("11 path=\0x\n", "NUL in a PAX record")]
    [InlineData("15 linkpath=\0x\n", "NUL in a PAX record")]
    [InlineData("12 uname=\0x\n", "NUL in a PAX record")]
    [InlineData("12 gname=\0x\n", "NUL in a PAX record")]
    [InlineData("8 k\0y=x\n", "NUL in a PAX record")]
    public void Wrong_records(string body, string problem) => Assert.Equal(problem, Parse(body));

    [Theory]
    [InlineData("GNU.sparse.numbytes", "1", "GNU.sparse.offset", "0")]
    [InlineData("GNU.sparse.offset", "0", "GNU.sparse.offset", "0")]
    [InlineData("GNU.sparse.offset", "0", "path", "x")]
    [InlineData("GNU.sparse.offset", "0", "GNU.sparse.numbytes", "1,2")]
    [InlineData("GNU.sparse.offset", "", "GNU.sparse.numbytes", "1")]
    public void Wrong_sparse_numbers(string key1, string value1, string key2, string value2) =>
        Assert.Equal("invalid sparse map", Parse(TarBuilder.Record(key1, value1) + TarBuilder.Record(key2, value2)));

    private string? Parse(string body)
    {
        // bytes behind the body must not matter
        byte[] buffer = Encoding.Latin1.GetBytes(body + "7 a=xx\n");
        return _records.Parse(ref buffer, body.Length);
    }

    private string? Value(PaxKey key) => _records.TryGet(key, out ReadOnlySpan<byte> value) ? Encoding.Latin1.GetString(value) : null;

    private List<string> Xattrs()
    {
        List<TarXattr> xattrs = [];
        _records.AddXattrsTo(xattrs);
        return xattrs.ConvertAll(xattr => Encoding.Latin1.GetString(xattr.Name) + "=" + Encoding.Latin1.GetString(xattr.Value));
    }
}
