using System.Buffers.Binary;
using System.Text;

namespace OciTool.Runtime.Processes;

/// <summary>Writes numbers and strings one after the other: both ends are the same binary, so no names are needed.</summary>
internal sealed class PlanWriter
{
    private byte[] _bytes = new byte[8192];
    private int _length;

    public void Write(bool value) => Reserve(1)[0] = value ? (byte)1 : (byte)0;

    public void Write(int value) => BinaryPrimitives.WriteInt32LittleEndian(Reserve(4), value);

    public void Write(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    public void Write(string? value)
    {
        if (value is null)
        {
            Write(-1);
            return;
        }

        int length = Encoding.UTF8.GetByteCount(value);
        Write(length);
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    public void WriteOptional(int? value)
    {
        Write(value is not null);
        Write(value ?? 0);
    }

    public void Write(byte[] value)
    {
        Write(value.Length);
        value.CopyTo(Reserve(value.Length));
    }

    public void Write(IReadOnlyList<string> values) => Write(values, static (writer, value) => writer.Write(value));

    public void Write<T>(IReadOnlyList<T> values, Action<PlanWriter, T> write)
    {
        Write(values.Count);
        for (int i = 0; i < values.Count; i++)
        {
            write(this, values[i]);
        }
    }

    public byte[] ToArray() => _bytes.AsSpan(0, _length).ToArray();

    private Span<byte> Reserve(int length)
    {
        if (_bytes.Length - _length < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + length));
        }

        _length += length;
        return _bytes.AsSpan(_length - length, length);
    }
}

/// <summary>Reads what <see cref="PlanWriter"/> wrote; no count or length is believed beyond the bytes that are there.</summary>
internal sealed class PlanReader(byte[] bytes)
{
    private int _position;

    public bool ReadBoolean() => Take(1)[0] != 0;

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public int? ReadOptionalInt32()
    {
        bool given = ReadBoolean();
        int value = ReadInt32();
        return given ? value : null;
    }

    public string? ReadString()
    {
        int length = ReadInt32();
        return length == -1 ? null : Encoding.UTF8.GetString(Take(length));
    }

    public string[] ReadStrings() => ReadMany(static reader => reader.ReadString() ?? throw Damaged());

    public byte[] ReadBytes() => Take(ReadInt32()).ToArray();

    public T[] ReadMany<T>(Func<PlanReader, T> read)
    {
        int count = ReadInt32();
        if (count < 0 || count > bytes.Length - _position) // an element takes a byte at least
        {
            throw Damaged();
        }

        T[] values = new T[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = read(this);
        }

        return values;
    }

    public void ExpectEnd()
    {
        if (_position != bytes.Length)
        {
            throw Damaged();
        }
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)(bytes.Length - _position))
        {
            throw Damaged();
        }

        _position += length;
        return bytes.AsSpan(_position - length, length);
    }

    private static InvalidDataException Damaged() => new("the message between two of our processes is damaged");
}
