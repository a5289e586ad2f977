using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Layers;

/// <summary>The uncompressed bytes of a layer, hashed as they pass.</summary>
/// <remarks>
/// The compression is told by the first bytes, not by the media type: labels are wrong in the wild, and other tools
/// sniff too. zstd's window is at most 128 MiB, which is the limit of every other reader. What is decompressed takes a
/// second thread only when it is more than a little: most layers are small, and a thread costs more than it saves.
/// </remarks>
internal sealed class LayerContent : ReadOnlyStream
{
    private const long AloneUpTo = 2 << 20;

    [SuppressMessage("Usage", "CA2213", Justification = "it stays open")]
    private readonly Stream _content;

    private readonly Stream _uncompressed;
    private readonly IncrementalHash _hash;
    private readonly long _maxBytes;
    private ReadAhead? _ahead;

    private LayerContent(Stream content, Stream uncompressed, IncrementalHash hash, long maxBytes)
    {
        _content = content;
        _uncompressed = uncompressed;
        _hash = hash;
        _maxBytes = maxBytes;
    }

    /// <summary>How many uncompressed bytes passed.</summary>
    public long Count { get; private set; }

    /// <summary>Starts to read a layer.</summary>
    /// <param name="content">The layer as it is stored; it stays open, and is abandoned when this is disposed within it.</param>
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
        return new LayerContent(content, uncompressed, expected.CreateHash(), maxBytes);
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

        _ahead?.FinishHash();
        return Digest.Of(_hash);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int count;
        if (_ahead is not null)
        {
            count = _ahead.Read(buffer);
        }
        else
        {
            count = _uncompressed.Read(buffer);
            _hash.AppendData(buffer[..count]);
        }

        Count += count;
        if (Count > _maxBytes)
        {
            throw new LayerException(
                $"more than {_maxBytes} uncompressed bytes: there is no room for it", Count, new ErrnoException("write", null, Errno.ENOSPC));
        }

        if (Count >= AloneUpTo)
        {
            _ahead ??= new ReadAhead(_uncompressed, _hash);
        }

        return count;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (_ahead is { HasEnded: false })
            {
                (_content as ReadOnlyStream)?.Abandon();
            }

            _ahead?.Dispose();
            _uncompressed.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private static LayerException Unsupported(string compression) =>
        new($"{compression}-compressed layers are not supported");
}
