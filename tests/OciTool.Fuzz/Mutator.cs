using System.Text;
using OciTool.Tests.Layers.Model;

namespace OciTool.Fuzz;

/// <summary>Makes damaged inputs of sound ones.</summary>
/// <param name="dice">Decides.</param>
/// <param name="isTar">Whether headers of tar get a right checksum again, mostly: without it nothing is read behind them.</param>
internal sealed class Mutator(Dice dice, bool isTar)
{
    private const int MostBytes = 24 * 1024;
    private const int Block = 512;

    private static readonly byte[] OddBytes = [0, 1, 0x7f, 0x80, 0xff, .. "07/. \n=xgLKS1256"u8];

    private static readonly string[] OddTexts =
    [
        "0", "-1", "18446744073709551615", "9223372036854775807", "77777777777", "../", ".wh.", ".wh..wh..opq", "./", "//",
        "path=", "size=", "linkpath=", "mtime=-1.5", "uid=", "GNU.sparse.map=", "SCHILY.xattr.user.a=", "user.", "\0",
    ];

    /// <summary>One input made of another.</summary>
    /// <param name="input">Stays as it is.</param>
    /// <param name="other">Gives parts of itself.</param>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        List<byte> bytes = [.. input];
        for (int count = 1 << dice.Below(4); count > 0; count--)
        {
            Change(bytes, other);
        }

        if (bytes.Count > MostBytes)
        {
            bytes.RemoveRange(MostBytes, bytes.Count - MostBytes);
        }

        byte[] mutated = [.. bytes];
        if (isTar && !dice.Percent(5))
        {
            Seal(mutated);
        }

        return mutated;
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(other);
            return;
        }

        int at = dice.Below(bytes.Count);
        int length = Math.Min(1 + dice.Below(dice.Pick(4, 32, 600)), bytes.Count - at);
        switch (dice.Below(12))
        {
            case 0:
                bytes[at] ^= (byte)(1 << dice.Below(8));
                break;
            case 1:
                bytes[at] = OddBytes[dice.Below(OddBytes.Length)];
                break;
            case 2:
                bytes[at] = (byte)(bytes[at] + dice.Pick(-1, 1, 16, -16));
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(dice.Below(bytes.Count - length + 1), length));
                break;
            case 5:
                Overwrite(bytes, at, Encoding.Latin1.GetBytes(OddTexts[dice.Below(OddTexts.Length)]));
                break;
            case 6:
                Overwrite(bytes, at, [.. bytes.GetRange(dice.Below(bytes.Count - length + 1), length)]);
                break;
            case 7 when bytes.FindIndex(at, value => value is >= (byte)'0' and <= (byte)'9') is >= 0 and var digit:
                bytes[digit] = (byte)('0' + dice.Below(10));
                break;
            case 8:
                // of a header: its type, and the fields before it
                Overwrite(bytes, (at & -Block) + dice.Pick(0, 100, 108, 124, 136, 156, 157, 257, 345, 482, 483), [OddBytes[dice.Below(OddBytes.Length)]]);
                break;
            case 9 or 10:
                MoveBlocks(bytes, other);
                break;
            default:
                bytes.RemoveRange(at, dice.Percent(20) ? bytes.Count - at : 0);
                break;
        }
    }

    /// <summary>Whole blocks come, go or double, also from the other input.</summary>
    private void MoveBlocks(List<byte> bytes, byte[] other)
    {
        int at = dice.Below((bytes.Count / Block) + 1) * Block;
        int count = Math.Min((1 + dice.Below(4)) * Block, bytes.Count - at);
        int from = dice.Below((other.Length / Block) + 1) * Block;
        byte[] foreign = other[from..Math.Min(from + ((1 + dice.Below(6)) * Block), other.Length)];
        switch (dice.Below(3))
        {
            case 0:
                bytes.RemoveRange(at, count);
                break;
            case 1:
                bytes.InsertRange(at, bytes.GetRange(at, count));
                break;
            default:
                bytes.InsertRange(at, foreign);
                break;
        }
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] with)
    {
        for (int i = 0; i < with.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = with[i];
        }
    }

    private static void Seal(byte[] bytes)
    {
        for (int at = 0; at + Block <= bytes.Length; at += Block)
        {
            Span<byte> header = bytes.AsSpan(at, Block);
            Span<byte> field = header.Slice(148, 8);
            if (field[..6].ContainsAnyExceptInRange((byte)'0', (byte)'7'))
            {
                continue; // not a header
            }

            field.Fill((byte)' ');
            int sum = 0;
            foreach (byte value in header)
            {
                sum += value;
            }

            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0", field);
        }
    }
}
