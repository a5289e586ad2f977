using System.Globalization;
using System.Text;

namespace OciTool.Cli.Output.Templates;

/// <summary>The part of Go's package fmt that templates can reach.</summary>
internal static class GoFormat
{
    /// <summary>Prints values; a space stands between two of which neither is a text.</summary>
    /// <param name="values">The values.</param>
    public static string Print(IReadOnlyList<TemplateValue> values)
    {
        StringBuilder text = new();
        for (int i = 0; i < values.Count; i++)
        {
            if (i > 0 && values[i] is not StringValue && values[i - 1] is not StringValue)
            {
                text.Append(' ');
            }

            values[i].Print(text);
        }

        return text.ToString();
    }

    /// <summary>Prints values with spaces between them and a line end.</summary>
    /// <param name="values">The values.</param>
    public static string PrintLine(IReadOnlyList<TemplateValue> values) => $"{string.Join(' ', values)}\n";

    /// <summary>Prints values by a format.</summary>
    /// <param name="format">Text with verbs such as <c>%-12s</c>.</param>
    /// <param name="values">What the verbs print.</param>
    public static string PrintFormatted(string format, IReadOnlyList<TemplateValue> values)
    {
        StringBuilder text = new();
        int used = 0;
        int i = 0;
        while (i < format.Length)
        {
            if (format[i] != '%')
            {
                text.Append(format[i++]);
                continue;
            }

            i++;
            Verb verb = ReadVerb(format, ref i);
            if (verb.Letter == '%')
            {
                text.Append('%');
            }
            else if (verb.Letter == '\0')
            {
                text.Append("%!(NOVERB)");
            }
            else
            {
                text.Append(used < values.Count ? Format(verb, values[used++]) : $"%!{verb.Letter}(MISSING)");
            }
        }

        if (used < values.Count)
        {
            text.Append("%!(EXTRA ");
            text.AppendJoin(", ", values.Skip(used).Select(value => $"{value.TypeName}={value}"));
            text.Append(')');
        }

        return text.ToString();
    }

    private static Verb ReadVerb(string format, ref int i)
    {
        int start = i;
        while (i < format.Length && "+-# 0".Contains(format[i], StringComparison.Ordinal))
        {
            i++;
        }

        string flags = format[start..i];
        int width = ReadNumber(format, ref i) ?? 0;
        int? precision = null;
        if (i < format.Length && format[i] == '.')
        {
            i++;
            precision = ReadNumber(format, ref i) ?? 0;
        }

        return new Verb(flags, width, precision, i < format.Length ? format[i++] : '\0');
    }

    private static int? ReadNumber(string format, ref int i)
    {
        int start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i]))
        {
            i++;
        }

        return int.TryParse(format.AsSpan(start, i - start), out int number) ? Math.Min(number, 1024) : null;
    }

    private static string Format(Verb verb, TemplateValue value)
    {
        string? text = (verb.Letter, value) switch
        {
            ('v', _) => value.ToString(),
            ('s', StringValue or ListValue or MapValue or RecordValue or TimeValue) => Cut(value.ToString(), verb.Precision),
            ('q', StringValue s) => Quote(s.Value),
            ('q', ListValue list) => $"[{string.Join(' ', list.Items.Select(item => Quote(item.ToString())))}]",
            ('x', StringValue s) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(s.Value)),
            ('d', IntegerValue n) => Signed(verb, n.Value.ToString(CultureInfo.InvariantCulture)),
            ('x', IntegerValue n) => n.Value.ToString("x", CultureInfo.InvariantCulture),
            ('X', IntegerValue n) => n.Value.ToString("X", CultureInfo.InvariantCulture),
            ('o', IntegerValue n) => Convert.ToString(n.Value, 8),
            ('b', IntegerValue n) => Convert.ToString(n.Value, 2),
            ('c', IntegerValue { Value: >= 0 and < 0xd800 } n) => ((char)n.Value).ToString(),
            ('f', FloatValue f) => f.Value.ToString($"F{Math.Min(verb.Precision ?? 6, 99)}", CultureInfo.InvariantCulture),
            ('g', FloatValue f) => f.ToString(),
            ('t', BoolValue) => value.ToString(),
            ('T', _) => value.TypeName,
            _ => null,
        };
        text ??= value is NilValue ? $"%!{verb.Letter}(<nil>)" : $"%!{verb.Letter}({value.TypeName}={value})";
        int missing = verb.Width - text.Length;
        return missing <= 0 ? text
            : verb.Flags.Contains('-', StringComparison.Ordinal) ? text + new string(' ', missing)
            : verb.Flags.Contains('0', StringComparison.Ordinal) && value is IntegerValue or FloatValue ? ZeroPadded(text, missing)
            : new string(' ', missing) + text;
    }

    private static string ZeroPadded(string number, int missing) => number[0] is '-' or '+'
        ? $"{number[0]}{new string('0', missing)}{number.AsSpan(1)}"
        : $"{new string('0', missing)}{number}";

    private static string Signed(Verb verb, string number) =>
        verb.Flags.Contains('+', StringComparison.Ordinal) && number[0] != '-' ? $"+{number}" : number;

    private static string Cut(string text, int? precision) => precision < text.Length ? text[..precision.Value] : text;

    private static string Quote(string text)
    {
        StringBuilder quoted = new("\"", text.Length + 2);
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                '\r' => quoted.Append("\\r"),
                < ' ' or '\x7f' => quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    private readonly record struct Verb(string Flags, int Width, int? Precision, char Letter);
}
