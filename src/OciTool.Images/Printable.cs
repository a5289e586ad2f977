using System.Globalization;
using System.Text;

namespace OciTool.Images;

/// <summary>Makes text that came from a registry or an image safe to print.</summary>
/// <remarks>
/// Control characters (C0, DEL, C1) and bidirectional overrides could drive a terminal or disguise a name
/// (Trojan Source, CVE-2021-42574); they are written as <c>\xNN</c> and <c>\uNNNN</c>.
/// </remarks>
public static class Printable
{
    /// <summary>Escapes what a terminal would act on; everything else stays as it is.</summary>
    /// <param name="text">Text from outside.</param>
    public static string Escape(ReadOnlySpan<char> text)
    {
        int first = 0;
        while (first < text.Length && !IsActive(text[first]))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text.ToString();
        }

        StringBuilder escaped = new(text.Length + 16);
        foreach (char c in text)
        {
            _ = !IsActive(c) ? escaped.Append(c)
                : c < 0x100 ? escaped.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}")
                : escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return escaped.ToString();
    }

    /// <summary>Decodes bytes as UTF-8, byte by byte where they are not, and escapes the result.</summary>
    /// <param name="bytes">A name from an archive: any bytes.</param>
    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
            {
                text.Append(Escape(rune.ToString()));
            }
            else
            {
                consumed = 1;
                text.Append(CultureInfo.InvariantCulture, $"\\x{bytes[0]:x2}");
            }

            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <summary>Escapes text and cuts it to a length that fits an error line.</summary>
    /// <param name="text">Text from outside, of any length.</param>
    /// <param name="length">The most characters to keep.</param>
    public static string Shorten(ReadOnlySpan<char> text, int length = 160) =>
        text.Length <= length ? Escape(text) : $"{Escape(text[..length])}…";

    private static bool IsActive(char c) =>
        char.IsControl(c) || c is '\u061c' or '\u200e' or '\u200f' or '\u2028' or '\u2029'
            or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff';
}
