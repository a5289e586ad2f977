namespace OciTool.Storage.Layers;

/// <summary>A stream with a buffer that can be looked into before it is read.</summary>
/// <param name="source">The stream; it stays open.</param>
internal sealed class CompressedInput(Stream source) : ReadOnlyStream
{
    private readonly byte[] _buffer = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _endOfStream;

    /// <summary>What is in the buffer, at least one byte unless the stream is at its end.</summary>
    public ReadOnlySpan<byte> Buffered => Peek(1);

    /// <summary>Looks ahead.</summary>
    /// <param name="wanted">How many bytes are wanted.</param>
    /// <returns>At least as many, or all that are left.</returns>
    public ReadOnlySpan<byte> Peek(int wanted)
    {
        if (_end - _start < wanted && !_endOfStream)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            while (_end < wanted && !_endOfStream)
            {
                int count = source.Read(_buffer, _end, _buffer.Length - _end);
                _end += count;
                _endOfStream = count == 0;
            }
        }

        return _buffer.AsSpan(_start, _end - _start);
    }

    /// <summary>Goes past bytes that were looked at.</summary>
    /// <param name="count">How many.</param>
    public void Skip(int count) => _start += count;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_start == _end)
        {
            return _endOfStream ? 0 : source.Read(buffer);
        }

        int count = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }
}
