using OciTool.Tests.Layers.Model;

namespace OciTool.Fuzz.Targets;

/// <summary>Gives few bytes at a time, as a slow network does.</summary>
internal sealed class DribblingStream(byte[] content) : Stream
{
    private readonly Dice _dice = new((ulong)content.Length);
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int most = _dice.Percent(50) ? 7 : 700;
        int count = Math.Min(Math.Min(buffer.Length, 1 + _dice.Below(most)), content.Length - _position);
        content.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
