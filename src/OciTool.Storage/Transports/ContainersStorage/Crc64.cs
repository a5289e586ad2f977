using System.Buffers.Binary;

namespace OciTool.Storage.Transports;

/// <summary>The checksum of files in tar-split: CRC-64 of ISO 3309, eight bytes at a time.</summary>
internal struct Crc64
{
    private const ulong Polynomial = 0xd800_0000_0000_0000;

    private static readonly ulong[] Tables = MakeTables();

    private ulong _state;

    /// <summary>The checksum of what was appended since the beginning.</summary>
    internal readonly ulong Value => _state;

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        ulong crc = ~_state;
        ReadOnlySpan<ulong> tables = Tables;
        while (bytes.Length >= 8)
        {
            crc ^= BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            crc = tables[(7 << 8) + (int)(crc & 0xff)]
                ^ tables[(6 << 8) + (int)((crc >> 8) & 0xff)]
                ^ tables[(5 << 8) + (int)((crc >> 16) & 0xff)]
                ^ tables[(4 << 8) + (int)((crc >> 24) & 0xff)]
                ^ tables[(3 << 8) + (int)((crc >> 32) & 0xff)]
                ^ tables[(2 << 8) + (int)((crc >> 40) & 0xff)]
                ^ tables[(1 << 8) + (int)((crc >> 48) & 0xff)]
                ^ tables[(int)(crc >> 56)];
            bytes = bytes[8..];
        }

        foreach (byte value in bytes)
        {
            crc = tables[(byte)crc ^ value] ^ (crc >> 8);
        }

        _state = ~crc;
    }

    private static ulong[] MakeTables()
    {
        ulong[] tables = new ulong[8 << 8];
        for (int i = 0; i < 256; i++)
        {
            ulong crc = (ulong)i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * Polynomial);
            }

            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            ulong before = tables[i - 256];
            tables[i] = tables[(byte)before] ^ (before >> 8);
        }

        return tables;
    }
}
