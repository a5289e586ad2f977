using System.Buffers.Binary;

namespace OciTool.Storage.Erofs;

/// <summary>Short strings of bytes, kept one behind the other.</summary>
internal sealed class NameArena
{
    private const int ChunkBits = 18;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly List<byte[]> _chunks = [];
    private int _used = ChunkSize;

    /// <summary>A string.</summary>
    /// <param name="place">What <see cref="Add"/> returned.</param>
    public ReadOnlySpan<byte> this[int place]
    {
        get
        {
            ReadOnlySpan<byte> bytes = _chunks[place >> ChunkBits].AsSpan(place & (ChunkSize - 1));
            return bytes.Slice(2, BinaryPrimitives.ReadUInt16LittleEndian(bytes));
        }
    }

    /// <summary>Keeps a string.</summary>
    /// <param name="bytes">At most 65,535 bytes.</param>
    /// <returns>Its place.</returns>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        if (_used + bytes.Length + 2 > ChunkSize)
        {
            _chunks.Add(new byte[ChunkSize]);
            _used = 0;
        }

        int place = ((_chunks.Count - 1) << ChunkBits) | _used;
        Span<byte> free = _chunks[^1].AsSpan(_used);
        BinaryPrimitives.WriteUInt16LittleEndian(free, (ushort)bytes.Length);
        bytes.CopyTo(free[2..]);
        _used += bytes.Length + 2;
        return place;
    }
}
