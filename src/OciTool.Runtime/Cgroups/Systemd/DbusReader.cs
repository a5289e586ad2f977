using System.Buffers.Binary;
using System.Text;
using OciTool.Images;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>Reads values as D-Bus has them on the wire.</summary>
/// <param name="bytes">The bytes, from a place that is aligned by 8.</param>
/// <param name="isBigEndian">Whether the high byte is first.</param>
internal sealed class DbusReader(byte[] bytes, bool isBigEndian)
{
    internal int Position { get; private set; }

    internal void Align(int size) => Position = (Position + size - 1) / size * size;

    internal byte Byte() => Take(1)[0];

    internal bool Boolean() => UInt32() != 0;

    internal uint UInt32()
    {
        Align(sizeof(uint));
        ReadOnlySpan<byte> taken = Take(sizeof(uint));
        return isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(taken) : BinaryPrimitives.ReadUInt32LittleEndian(taken);
    }

    internal ulong UInt64()
    {
        Align(sizeof(ulong));
        ReadOnlySpan<byte> taken = Take(sizeof(ulong));
        return isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(taken) : BinaryPrimitives.ReadUInt64LittleEndian(taken);
    }

    /// <summary>A string or an object path.</summary>
    internal string String()
    {
        uint length = UInt32();
        string value = Encoding.UTF8.GetString(Take(length));
        Take(1);
        return value;
    }

    internal string Signature()
    {
        string value = Encoding.ASCII.GetString(Take(Byte()));
        Take(1);
        return value;
    }

    /// <summary>The end of an array whose length is next.</summary>
    internal int ArrayEnd(int alignment)
    {
        uint length = UInt32();
        Align(alignment);
        return length <= bytes.Length - Position ? Position + (int)length : throw Damaged();
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (Position > bytes.Length || count > bytes.Length - Position)
        {
            throw Damaged();
        }

        Position += (int)count;
        return bytes.AsSpan(Position - (int)count, (int)count);
    }

    private static OciException Damaged() => new("a message of D-Bus is damaged");
}
