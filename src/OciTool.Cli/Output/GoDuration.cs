using System.Globalization;
using OciTool.Images;

namespace OciTool.Cli.Output;

/// <summary>Durations as Go's <c>time.ParseDuration</c> reads them, for example <c>1m30s</c>, <c>1.5h</c> or <c>500ms</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)];

    /// <summary>Reads a duration that is not negative; a bare number counts seconds.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <exception cref="UsageException">It is not a duration.</exception>
    public static TimeSpan Parse(string text)
    {
        double seconds = 0;
        ReadOnlySpan<char> rest = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? $"{text}s" : text;
        do
        {
            int digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count))
            {
                throw Invalid(text);
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny("0123456789.");
            string unit = rest[..(letters < 0 ? rest.Length : letters)].ToString();
            rest = rest[unit.Length..];
            double factor = Units.FirstOrDefault(known => known.Unit == unit).Seconds;
            seconds += factor > 0 ? count * factor : throw Invalid(text);
        }
        while (!rest.IsEmpty);

        return seconds <= TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : throw Invalid(text);
    }

    private static UsageException Invalid(string text) => new($"invalid duration \"{Printable.Shorten(text)}\": write it as 30s, 1m30s or 500ms");
}
