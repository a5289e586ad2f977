using System.Buffers.Text;
using OciTool.Linux;

namespace OciTool.Storage.Tar;

/// <summary>The number formats of tar headers and PAX records.</summary>
internal static class TarNumber
{
    /// <summary>A header's field: octal digits, or base-256 when the first bit is set.</summary>
    public static bool TryParse(ReadOnlySpan<byte> field, out long value) =>
        (field[0] & 0x80) != 0 ? TryParseBinary(field, out value) : TryParseOctal(field, out value);

    /// <summary>Octal digits with blanks and NULs around them; an empty field is 0, and a NUL behind a digit ends it.</summary>
    public static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        int start = 0;
        int end = field.Length;
        while (start < end && field[start] is (byte)' ' or 0)
        {
            start++;
        }

        while (end > start && field[end - 1] is (byte)' ' or 0)
        {
            end--;
        }

        foreach (byte digit in field[start..end])
        {
            if (digit == 0)
            {
                break;
            }

            if (digit is < (byte)'0' or > (byte)'7' || value >> 60 != 0)
            {
                return false;
            }

            value = (value << 3) | (long)(digit - '0');
        }

        return true;
    }

    /// <summary>A decimal number of a PAX record, the whole of it; it may have a sign and zeros in front.</summary>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out int consumed) && consumed == text.Length;

    /// <summary>A time of a PAX record: seconds with an optional fraction; digits beyond nanoseconds are cut.</summary>
    public static bool TryParseTime(ReadOnlySpan<byte> text, out FileTime time)
    {
        time = default;
        int point = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> fraction = point < 0 ? [] : text[(point + 1)..];
        if (!TryParseDecimal(point < 0 ? text : text[..point], out long seconds)
            || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        uint nanoseconds = 0;
        for (int i = 0; i < 9; i++)
        {
            nanoseconds = (nanoseconds * 10) + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        }

        bool negative = text[0] == (byte)'-' && nanoseconds != 0 && seconds > long.MinValue;
        time = negative ? new(seconds - 1, 1_000_000_000 - nanoseconds) : new(seconds, nanoseconds);
        return true;
    }

    private static bool TryParseBinary(ReadOnlySpan<byte> field, out long value)
    {
        // two's complement in as many bytes as the field has; the first bit only marks the format
        byte inverse = (field[0] & 0x40) != 0 ? (byte)0xff : (byte)0;
        ulong magnitude = 0;
        for (int i = 0; i < field.Length; i++)
        {
            byte digit = (byte)(field[i] ^ inverse);
            digit = i == 0 ? (byte)(digit & 0x7f) : digit;
            if (magnitude >> 56 != 0)
            {
                value = 0;
                return false;
            }

            magnitude = (magnitude << 8) | digit;
        }

        value = inverse == 0 ? (long)magnitude : ~(long)magnitude;
        return magnitude >> 63 == 0;
    }
}
