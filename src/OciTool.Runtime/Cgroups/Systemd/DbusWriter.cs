using System.Buffers.Binary;
using System.Text;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>Writes values as D-Bus has them on the wire, the low byte first (D-Bus specification, "Marshaling").</summary>
internal sealed class DbusWriter
{
    private readonly List<byte> _bytes = [];

    /// <summary>What was written.</summary>
    internal byte[] ToArray() => [.. _bytes];

    internal int Length => _bytes.Count;

    internal void Align(int size)
    {
        while (_bytes.Count % size != 0)
        {
            _bytes.Add(0);
        }
    }

    internal void Byte(byte value) => _bytes.Add(value);

    internal void Boolean(bool value) => UInt32(value ? 1u : 0u);

    internal void UInt32(uint value)
    {
        Align(sizeof(uint));
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    internal void UInt64(ulong value)
    {
        Align(sizeof(ulong));
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    /// <summary>A string or an object path.</summary>
    internal void String(string value)
    {
        UInt32((uint)Encoding.UTF8.GetByteCount(value));
        _bytes.AddRange(Encoding.UTF8.GetBytes(value));
        _bytes.Add(0);
    }

    internal void Signature(string value)
    {
        _bytes.Add((byte)value.Length);
        _bytes.AddRange(Encoding.ASCII.GetBytes(value));
        _bytes.Add(0);
    }

    /// <summary>An array.</summary>
    /// <param name="alignment">That of its elements; 8 for structures.</param>
    /// <param name="write">Writes the elements.</param>
    internal void Array(int alignment, Action<DbusWriter> write)
    {
        UInt32(0);
        int length = _bytes.Count - sizeof(uint);
        Align(alignment); // which is not part of the length
        int start = _bytes.Count;
        write(this);
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)(_bytes.Count - start));
        for (int i = 0; i < bytes.Length; i++)
        {
            _bytes[length + i] = bytes[i];
        }
    }
}
