using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>What one call of <see cref="GzipInflater.Inflate"/> came to.</summary>
public enum InflateStatus
{
    /// <summary>Progress was made, or more input is needed.</summary>
    More,

    /// <summary>The member is complete and its checksum is right.</summary>
    MemberEnd,

    /// <summary>The data are damaged: <see cref="GzipInflater.Problem"/> says how.</summary>
    Damaged,
}

/// <summary>Inflates one gzip member (RFC 1952) by the class library's zlib.</summary>
/// <remarks>
/// <see cref="System.IO.Compression.GZipStream"/> is the same code behind a face that hides where a member ends, so
/// that data behind it are lost without a word, and that has one text for every kind of damage.
/// </remarks>
public sealed unsafe class GzipInflater : IDisposable
{
    private Interop.Zlib.ZStream* _stream;

    /// <summary>Prepares for a member that starts with its header.</summary>
    public GzipInflater()
    {
        _stream = (Interop.Zlib.ZStream*)NativeMemory.AllocZeroed((nuint)sizeof(Interop.Zlib.ZStream));
        if (Interop.Zlib.InflateInit(ref *_stream, Interop.Zlib.GzipWindowBits) != Interop.Zlib.Z_OK)
        {
            NativeMemory.Free(_stream);
            _stream = null;
            throw new IOException("zlib could not be initialised");
        }
    }

    /// <summary>zlib's words for the damage, for example <c>incorrect data check</c>.</summary>
    public string Problem =>
        _stream is not null && _stream->Message is not null
            ? Marshal.PtrToStringUTF8((nint)_stream->Message) ?? ""
            : "invalid data";

    /// <summary>Inflates as much as input and output allow.</summary>
    /// <param name="input">Compressed bytes.</param>
    /// <param name="output">Where the content goes.</param>
    /// <param name="consumed">How many bytes of the input were used.</param>
    /// <param name="produced">How many bytes of the output were filled.</param>
    public InflateStatus Inflate(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        ObjectDisposedException.ThrowIf(_stream is null, this);
        int result;
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            _stream->NextIn = source;
            _stream->AvailableIn = (uint)input.Length;
            _stream->NextOut = target;
            _stream->AvailableOut = (uint)output.Length;
            result = Interop.Zlib.Inflate(ref *_stream, flush: 0);
            consumed = input.Length - (int)_stream->AvailableIn;
            produced = output.Length - (int)_stream->AvailableOut;
            _stream->NextIn = null;
            _stream->NextOut = null;
        }

        return result switch
        {
            Interop.Zlib.Z_OK or Interop.Zlib.Z_BUF_ERROR => InflateStatus.More,
            Interop.Zlib.Z_STREAM_END => InflateStatus.MemberEnd,
            _ => InflateStatus.Damaged,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_stream is not null)
        {
            _ = Interop.Zlib.InflateEnd(ref *_stream);
            NativeMemory.Free(_stream);
            _stream = null;
        }
    }
}
