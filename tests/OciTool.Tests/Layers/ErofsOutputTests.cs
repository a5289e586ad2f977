using System.Buffers;
using OciTool.Storage.Erofs;
using Xunit;

namespace OciTool.Tests.Layers;

public sealed class ErofsOutputTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    /// <summary>A buffer that is given back twice becomes the buffer of two layers that are written at once.</summary>
    [Fact]
    public void A_write_that_fails_gives_its_buffer_back_once()
    {
        byte[] megabyte = Enumerable.Repeat((byte)1, 1 << 20).ToArray();
        using (ErofsOutput output = new(File.OpenHandle(_path, FileMode.Open, FileAccess.Read), _path))
        {
            Assert.ThrowsAny<Exception>(() => output.Append(megabyte));
        }

        byte[] first = ArrayPool<byte>.Shared.Rent(512 * 1024);
        byte[] second = ArrayPool<byte>.Shared.Rent(512 * 1024);
        Assert.NotSame(first, second);
    }
}
