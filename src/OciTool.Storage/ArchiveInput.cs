using System.Diagnostics.CodeAnalysis;
using OciTool.Images;
using OciTool.Storage.Layers;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.Xz;

namespace OciTool.Storage;

/// <summary>An archive that somebody made, compressed or not: gzip, zstd, xz and bzip2 are told by their first bytes.</summary>
public static class ArchiveInput
{
    /// <summary>Whether an archive is compressed, by its first six bytes.</summary>
    internal static bool IsCompressed(ReadOnlySpan<byte> magic) => magic is [0x1f, 0x8b, ..] or [0x28, 0xb5, 0x2f, 0xfd, ..]
        or [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] or [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31 or 0x17, ..];

    /// <summary>Copies the uncompressed content.</summary>
    /// <param name="content">The archive.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The number of uncompressed bytes.</returns>
    /// <exception cref="OciException">It is damaged.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the streams have nothing but the one that the caller disposes")]
    public static long Copy(Stream content, Stream output, CancellationToken cancellationToken)
    {
        CompressedInput input = new(content);
        byte[] buffer = new byte[128 << 10];
        long count = 0;
        try
        {
            Stream uncompressed = input.Peek(6) switch
            {
                [0x1f, 0x8b, ..] => new GzipMembers(input),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => new ZstdFrames(input),
                [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => new XZStream(new CountedInput(input)),
                [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31 or 0x17, ..] =>
                    BZip2Stream.Create(input, SharpCompress.Compressors.CompressionMode.Decompress, decompressConcatenated: true),
                _ => input,
            };
            for (int read; (read = uncompressed.Read(buffer, 0, buffer.Length)) > 0; count += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                output.Write(buffer, 0, read);
            }

            return count;
        }
        catch (LayerException e)
        {
            throw new OciException($"the archive cannot be decompressed: {e.Message}", e);
        }
        catch (Exception e) when (e is SharpCompress.Common.SharpCompressException or InvalidDataException or EndOfStreamException
            or IndexOutOfRangeException)
        {
            throw new OciException($"the archive cannot be decompressed: {Printable.Shorten(e.Message)}", e);
        }
    }

    /// <summary>Knows where it is, which the xz format's padding depends on.</summary>
    private sealed class CountedInput(Stream input) : Layers.ReadOnlyStream
    {
        private long _position;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = input.Read(buffer);
            _position += count;
            return count;
        }
    }
}
