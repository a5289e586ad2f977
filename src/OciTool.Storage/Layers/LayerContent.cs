using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Layers;

/// <summary>The uncompressed bytes of a layer, hashed as they pass.</summary>
/// <remarks>
/// The compression is told by the first bytes, not by the media type: labels are wrong in the wild, and other tools
/// sniff too. zstd's window is at most 128 MiB, which is the limit of every other reader.
/// </remarks>
internal sealed class LayerContent : ReadOnlyStream
{
    private readonly Stream _uncompressed;
    private readonly IncrementalHash _hash;
    private readonly long _maxBytes;

    private LayerContent(Stream uncompressed, IncrementalHash hash, long maxBytes)
    {
        _uncompressed = uncompressed;
        _hash = hash;
        _maxBytes = maxBytes;
    }

    /// <summary>How many uncompressed bytes passed.</summary>
    public long Count { get; private set; }

    /// <summary>Starts to read a layer.</summary>
    /// <param name="content">The layer as it is stored; it stays open.</param>
    /// <param name="expected">The diffID, which says by which algorithm to hash.</param>
    /// <param name="maxBytes">The most uncompressed bytes.</param>
    /// <exception cref="LayerException">The compression is not supported.</exception>
    public static LayerContent Open(Stream content, Digest expected, long maxBytes)
    {
        CompressedInput input = new(content);
        ReadOnlySpan<byte> magic = input.Peek(6);
        Stream uncompressed = magic switch
        {
            [0x1f, 0x8b, ..] => new GzipMembers(input),
            [0x28, 0xb5, 0x2f, 0xfd, ..] or [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..] => new ZstdFrames(input),
            [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => throw Unsupported("xz"),
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31 or 0x17, ..] => throw Unsupported("bzip2"),
            _ => input,
        };
        return new LayerContent(uncompressed, expected.CreateHash(), maxBytes);
    }

    /// <summary>Reads what is left, so that the digest covers all.</summary>
    /// <returns>The digest of the uncompressed bytes.</returns>
    public Digest Finish()
    {
        byte[] rest = new byte[64 * 1024];
        while (Read(rest, 0, rest.Length) > 0)
        {
            // only hashed: what is behind the archive's end has no meaning
        }

        return Digest.Of(_hash);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int count = _uncompressed.Read(buffer);
        _hash.AppendData(buffer[..count]);
        Count += count;
        return Count <= _maxBytes
            ? count
            : throw new LayerException(
                $"more than {_maxBytes} uncompressed bytes: there is no room for it", Count, new ErrnoException("write", null, Errno.ENOSPC));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _uncompressed.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private static LayerException Unsupported(string compression) =>
        new($"{compression}-compressed layers are not supported");
}
