using System.IO.Compression;
using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Storage.Layers;
using Xunit;
using LayerContent = OciTool.Storage.Layers.LayerContent;

namespace OciTool.Tests.Layers;

public sealed class LayerContentTests
{
    private const int Large = (9 << 20) + 12345; // more than is read without a thread, and not whole buffers

    [Theory]
    [InlineData(0, false)]
    [InlineData(1000, true)]
    [InlineData(2 << 20, true)]
    [InlineData((2 << 20) + 1, false)]
    [InlineData(Large, true)]
    [InlineData(Large, false)]
    public void What_is_read_and_its_digest_are_the_content_however_it_is_read(int size, bool compressed)
    {
        byte[] expected = RandomNumberGenerator.GetBytes(size);
        using MemoryStream stored = new(compressed ? Gzip(expected) : expected);
        using LayerContent content = LayerContent.Open(stored, Digest.Of(expected), long.MaxValue);
        using MemoryStream read = new();
        byte[] buffer = new byte[300_001];
        for (int count = 1, turn = 1; count > 0; turn++)
        {
            count = content.Read(buffer, 0, 1 + (turn * 7919 % buffer.Length));
            read.Write(buffer, 0, count);
        }

        Assert.Equal(Digest.Of(expected), content.Finish());
        Assert.Equal(size, content.Count);
        Assert.True(read.ToArray().AsSpan().SequenceEqual(expected));
    }

    [Fact]
    public void What_is_behind_the_archive_is_hashed_too()
    {
        byte[] expected = RandomNumberGenerator.GetBytes(Large);
        using MemoryStream stored = new(Gzip(expected));
        using LayerContent content = LayerContent.Open(stored, Digest.Of(expected), long.MaxValue);
        content.ReadExactly(new byte[5 << 20]);

        Assert.Equal(Digest.Of(expected), content.Finish());
        Assert.Equal(Large, content.Count);
    }

    [Fact]
    public void A_failure_comes_behind_all_content_before_it()
    {
        byte[] expected = RandomNumberGenerator.GetBytes(Large);
        byte[] whole = Gzip(expected);
        using MemoryStream stored = new(whole, 0, whole.Length - 4); // random bytes are stored, not compressed: only the trailer lacks
        using LayerContent content = LayerContent.Open(stored, Digest.Of(expected), long.MaxValue);
        byte[] read = new byte[Large];
        content.ReadExactly(read);

        LayerException failure = Assert.Throws<LayerException>(() => content.ReadByte());

        Assert.Equal("truncated gzip data", failure.Message);
        Assert.True(read.AsSpan().SequenceEqual(expected));
    }

    [Fact]
    public void More_than_the_allowed_bytes_are_refused_where_they_are_read_ahead()
    {
        using MemoryStream stored = new(Gzip(new byte[Large]));
        using LayerContent content = LayerContent.Open(stored, Digest.Of(""u8), Large - 1);

        Assert.StartsWith(
            $"more than {Large - 1} uncompressed bytes", Assert.Throws<LayerException>(() => content.Finish()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Giving_up_ends_a_read_of_the_source_that_waits()
    {
        using WaitingStream stored = new(new byte[4 << 20]);
        LayerContent content = LayerContent.Open(stored, Digest.Of(""u8), long.MaxValue);
        await content.ReadExactlyAsync(new byte[3 << 20], TestContext.Current.CancellationToken);
        Assert.True(stored.Waits.Wait(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));

        await Task.Run(content.Dispose, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Memory_does_not_grow_with_the_content()
    {
        using MemoryStream stored = new(Gzip(new byte[256 << 20]));
        byte[] buffer = new byte[256 << 10];
        long before = GC.GetAllocatedBytesForCurrentThread();
        using (LayerContent content = LayerContent.Open(stored, Digest.Of(""u8), long.MaxValue))
        {
            while (content.Read(buffer, 0, buffer.Length) > 0)
            {
                // to the end
            }

            Assert.Equal(256 << 20, content.Count);
        }

        // the reading thread's own part; the other's buffers are what ReadAhead holds, and no more
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }

    /// <summary>Gives its bytes, and then waits until it is abandoned.</summary>
    private sealed class WaitingStream(byte[] content) : ReadOnlyStream
    {
        private readonly ManualResetEventSlim _abandoned = new();
        private int _given;

        public ManualResetEventSlim Waits { get; } = new();

        public override int Read(Span<byte> buffer)
        {
            if (_given == content.Length)
            {
                Waits.Set();
                _abandoned.Wait();
                throw new IOException("abandoned");
            }

            int count = Math.Min(buffer.Length, content.Length - _given);
            content.AsSpan(_given, count).CopyTo(buffer);
            _given += count;
            return count;
        }

        public override void Abandon() => _abandoned.Set();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _abandoned.Dispose();
                Waits.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
