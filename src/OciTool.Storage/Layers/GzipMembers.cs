using OciTool.Linux;

namespace OciTool.Storage.Layers;

/// <summary>The content of a gzip file (RFC 1952): any number of members, then nothing but zeros.</summary>
/// <remarks>
/// <see cref="System.IO.Compression.GZipStream"/> ends without a word on truncated data and before trailing data of any kind, and
/// has one text for all damage.
/// </remarks>
/// <param name="input">The compressed bytes, at the first member.</param>
internal sealed class GzipMembers(CompressedInput input) : ReadOnlyStream
{
    private GzipInflater? _member = new();

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (_member is not null)
        {
            ReadOnlySpan<byte> compressed = input.Buffered;
            InflateStatus status = _member.Inflate(compressed, buffer, out int consumed, out int produced);
            input.Skip(consumed);
            switch (status)
            {
                case InflateStatus.MemberEnd:
                    NextMember();
                    break;
                case InflateStatus.Damaged:
                    throw new LayerException(_member.Problem switch
                    {
                        "incorrect data check" => "gzip checksum mismatch",
                        "incorrect length check" => "gzip length mismatch",
                        var problem => $"damaged gzip data: {problem}",
                    });
                case InflateStatus.More when compressed.IsEmpty && produced == 0:
                    throw new LayerException("truncated gzip data");
                default:
                    break;
            }

            if (produced > 0)
            {
                return produced;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _member?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void NextMember()
    {
        _member!.Dispose();
        _member = null;
        if (input.Peek(2) is [0x1f, 0x8b, ..])
        {
            _member = new GzipInflater();
            return;
        }

        for (ReadOnlySpan<byte> rest = input.Buffered; !rest.IsEmpty; rest = input.Buffered)
        {
            if (rest.ContainsAnyExcept((byte)0))
            {
                throw new LayerException("trailing garbage behind the gzip data");
            }

            input.Skip(rest.Length);
        }
    }
}
