using System.Globalization;

namespace OciTool.Cli.Commands;

/// <summary>Spans of time as Go writes them: numbers with units, such as <c>1h30m</c> or <c>0.5s</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)];

    /// <summary>Reads a span.</summary>
    /// <param name="text">The text.</param>
    /// <param name="span">The span.</param>
    /// <returns>False when the text is none, or longer than can be counted.</returns>
    public static bool TryParse(string text, out TimeSpan span)
    {
        span = default;
        double seconds = 0;
        ReadOnlySpan<char> rest = text.AsSpan().TrimStart('+');
        if (rest.SequenceEqual("0"))
        {
            return true;
        }

        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return false;
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny("0123456789.");
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            int known = -1;
            for (int i = 0; i < Units.Length; i++)
            {
                known = unit.SequenceEqual(Units[i].Unit) ? i : known;
            }

            if (known < 0)
            {
                return false;
            }

            seconds += number * Units[known].Seconds;
            rest = rest[unit.Length..];
        }

        if (text.Length == 0 || seconds > TimeSpan.MaxValue.TotalSeconds / 2)
        {
            return false;
        }

        span = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
