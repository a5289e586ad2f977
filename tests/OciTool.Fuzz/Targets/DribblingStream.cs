using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Model;

namespace OciTool.Fuzz.Targets;

/// <summary>Gives few bytes at a time, as a slow network does.</summary>
internal sealed class DribblingStream(byte[] content) : ReadOnlyStream
{
    private readonly Dice _dice = new((ulong)content.Length);
    private int _position;

    public override int Read(Span<byte> buffer)
    {
        int most = _dice.Percent(50) ? 7 : 700;
        int count = Math.Min(Math.Min(buffer.Length, 1 + _dice.Below(most)), content.Length - _position);
        content.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}
