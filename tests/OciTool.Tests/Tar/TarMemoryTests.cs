using System.Text;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

public sealed class TarMemoryTests
{
    private static readonly byte[] Group = new TarBuilder()
        .PaxBody(TarBuilder.Record("comment", "0123456789abcdef"), 'g')
        .Pax(("path", "d/" + new string('p', 150)), ("mtime", "1700000000.123456789"), ("atime", "1.5"), ("uid", "70000"), ("size", "3"))
        .File("f", "abc")
        .Long('L', new string('l', 300))
        .Long('K', new string('k', 300))
        .Symlink("s", "t")
        .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "sparse"), ("GNU.sparse.realsize", "100"))
        .Add("x", data: [.. Encoding.ASCII.GetBytes("2\n10\n3\n50\n2\n".PadRight(512, '\0')), .. "abcde"u8])
        .Pax(("GNU.sparse.map", "1,1,5,1"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.size", "9"))
        .File("sparse01", "ab")
        .Directory("d")
        .ToArray();

    [Fact]
    public void Entries_cost_no_memory()
    {
        using RepeatingStream stream = new(Group, 2_500);
        TarReader tar = new(stream);
        Read(tar, 10);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int entries = Read(tar, int.MaxValue);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(12_490, entries);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Attributes_cost_what_they_are()
    {
        byte[] group = new TarBuilder().Pax(("SCHILY.xattr.user.a", "12345678"), ("SCHILY.xattr.user.b", "12345678")).File("f").ToArray();
        using RepeatingStream stream = new(group, 1_010);
        TarReader tar = new(stream);
        Read(tar, 10);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int entries = Read(tar, int.MaxValue);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // An array has 24 bytes in front of its content: four arrays of 7 or 8 bytes. Code that the JIT has not
        // optimized yet boxes the dictionary's two keys, of 24 bytes each, when it compares them with null.
        Assert.Equal(1_000, entries);
        Assert.InRange(allocated, 1_000 * 4 * 32, (1_000 * ((4 * 32) + (2 * 24))) + 1_000);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    [InlineData('0')]
    [InlineData('S')]
    public void A_claimed_size_costs_no_memory(char type)
    {
        foreach (long size in new[] { 1L << 20, 1L << 40, long.MaxValue })
        {
            byte[] archive = new TarBuilder().Add("f", type, size: size).ToArray();
            using MemoryStream stream = new(archive);
            TarReader tar = new(stream);

            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<LayerException>(() => Read(tar, int.MaxValue));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        }
    }

    private static int Read(TarReader tar, int most)
    {
        int entries = 0;
        while (entries < most && tar.Next())
        {
            entries++;
            while (!tar.NextData(out _).IsEmpty)
            {
                // only what reading costs matters
            }
        }

        return entries;
    }

    /// <summary>The same bytes again and again.</summary>
    private sealed class RepeatingStream(byte[] content, int times) : ReadOnlyStream
    {
        private long _position;

        public override int Read(Span<byte> buffer)
        {
            int start = (int)(_position % content.Length);
            int count = _position == (long)content.Length * times ? 0 : Math.Min(buffer.Length, content.Length - start);
            content.AsSpan(start, count).CopyTo(buffer);
            _position += count;
            return count;
        }
    }
}
