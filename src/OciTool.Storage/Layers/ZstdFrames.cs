using SharpCompress.Common;
using SharpCompress.Compressors.ZStandard;

namespace OciTool.Storage.Layers;

/// <summary>The content of zstd frames (RFC 8878), one after the other; skippable frames are skipped.</summary>
internal sealed class ZstdFrames : ReadOnlyStream
{
    private readonly DecompressionStream _frames;

    /// <summary>Starts to decompress.</summary>
    /// <param name="input">The compressed bytes, at the first frame.</param>
    public ZstdFrames(CompressedInput input) =>
        _frames = new DecompressionStream(input, bufferSize: 128 * 1024, checkEndOfStream: true, leaveOpen: true);

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            return _frames.Read(buffer);
        }
        catch (Exception e) when (e is EndOfStreamException or IncompleteArchiveException)
        {
            throw new LayerException("truncated zstd data", innerException: e);
        }
        catch (ZstdException e) when (e.Message.Contains("memory", StringComparison.OrdinalIgnoreCase))
        {
            throw new LayerException("zstd window size exceeded: at most 128 MiB are allowed", innerException: e);
        }
        catch (ZstdException e)
        {
            throw new LayerException($"damaged zstd data: {e.Message}", innerException: e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _frames.Dispose();
        }

        base.Dispose(disposing);
    }
}
