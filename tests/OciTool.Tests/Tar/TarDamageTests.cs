using System.Text;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

/// <summary>An archive of everything: cut at every byte, changed at every byte, and read in odd parts.</summary>
[Trait("Pace", "slow")]
public sealed class TarDamageTests
{
    private static readonly byte[] Everything = new TarBuilder()
        .Directory("d/")
        .File("d/f", new string('x', 700))
        .Pax(("path", "d/pax"), ("mtime", "1.5"), ("uid", "7"), ("SCHILY.xattr.user.a", "1"))
        .File("pax", "content")
        .PaxBody(TarBuilder.Record("comment", "global"), 'g')
        .Long('L', "d/" + new string('l', 200))
        .Long('K', "d/" + new string('k', 200))
        .Symlink("link", "target")
        .Link("hard", "d/f")
        .Add("null", '3', major: 1, minor: 3)
        .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "sparse"), ("GNU.sparse.realsize", "100"))
        .Add("x", data: [.. Encoding.ASCII.GetBytes("2\n10\n3\n50\n2\n".PadRight(512, '\0')), .. "abcde"u8])
        .Pax(("GNU.sparse.map", "1,1,5,1"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.size", "9"))
        .File("sparse01", "ab")
        .Add("gnu", data: "g"u8.ToArray(), uid: 1L << 40, edit: header => Encoding.ASCII.GetBytes("ustar  \0", header.AsSpan(257)))
        .End()
        .ToArray();

    /// <summary>Headers and what follows them, by the sizes in the headers alone: no other block of them is special.</summary>
    private static readonly List<Part> Parts = [.. Split()];

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    public void Reading_in_parts_gives_the_same(int chunk) => Assert.Equal(Listing.Of(Everything), Listing.Of(Everything, chunk));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_archive_may_end_behind_data_and_nowhere_else(bool skipData)
    {
        List<string> all = Listing.Of(Everything, skipData: skipData);
        Assert.Equal(all.Count, Parts[^1].Entries);
        int end = Parts[^1].Next;
        for (int length = 0; length <= Everything.Length; length++)
        {
            Part part = Parts.Last(part => part.DataEnd <= length);
            byte[] cut = Everything[..length];
            if (length <= part.Next || length == end + 512 || length == end + 1024)
            {
                Assert.Equal(all[..part.Entries], Listing.Of(cut, skipData: skipData));
            }
            else
            {
                LayerException damage = Assert.Throws<LayerException>(() => Listing.Of(cut, skipData: skipData));
                Assert.EndsWith(": unexpected end", damage.Message, StringComparison.Ordinal);
                Assert.Equal(length, damage.Offset);
            }
        }
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0xff)]
    public void A_changed_byte_gives_entries_or_a_clear_refusal(int mask)
    {
        int refused = 0;
        for (int i = 0; i < Everything.Length; i++)
        {
            int block = i & ~511;
            bool isHeader = Parts.Any(part => part.Header == block);
            if (!isHeader && Everything[i] == 0)
            {
                continue; // padding: nobody looks at it
            }

            byte[] changed = [.. Everything];
            changed[i] ^= (byte)mask;
            refused += IsRefused(changed) ? 1 : 0;
            if (isHeader)
            {
                TarBuilder.Seal(changed.AsSpan(block, 512).ToArray()).CopyTo(changed, block);
                refused += IsRefused(changed) ? 1 : 0;
            }
        }

        Assert.InRange(refused, 512, Everything.Length * 2);
    }

    private static bool IsRefused(byte[] archive)
    {
        try
        {
            _ = Listing.Of(archive);
            return false;
        }
        catch (LayerException e)
        {
            Assert.Matches(@"^(entry "".*"": )?damaged tar archive at offset [0-9]+(, behind entry "".*"")?: [a-zA-Z]", e.Message);
            return true;
        }
    }

    private static IEnumerable<Part> Split()
    {
        int entries = 0;
        yield return new(-1, 0, 0, 0);
        for (int header = 0; Everything[header] != 0;)
        {
            char type = (char)Everything[header + 156];
            int size = Convert.ToInt32(Encoding.ASCII.GetString(Everything, header + 124, 11), 8);
            int dataEnd = header + 512 + size;
            int next = (dataEnd + 511) & ~511;
            entries += type is 'x' or 'g' or 'L' or 'K' ? 0 : 1;
            yield return new(header, dataEnd, next, entries);
            header = next;
        }
    }

    /// <param name="Header">Where the header starts.</param>
    /// <param name="DataEnd">Where the data end.</param>
    /// <param name="Next">Where the next header starts.</param>
    /// <param name="Entries">How many entries there are by then.</param>
    private sealed record Part(int Header, int DataEnd, int Next, int Entries);
}
