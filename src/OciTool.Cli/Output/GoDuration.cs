using System.Buffers;
using System.Globalization;
using OciTool.Images;

namespace OciTool.Cli.Output;

/// <summary>Durations as Go's <c>time.ParseDuration</c> reads them, for example <c>1m30s</c>, <c>1.5h</c> or <c>500ms</c>; never negative.</summary>
internal static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, double Seconds)[] Units =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)];

    /// <summary>Reads a duration; a bare number counts seconds.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <exception cref="UsageException">It is not a duration.</exception>
    public static TimeSpan Parse(string text)
    {
        bool isNumber = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        return TryParse(isNumber ? $"{text}s" : text, out TimeSpan duration)
            ? duration
            : throw new UsageException($"invalid duration \"{Printable.Shorten(text)}\": write it as 30s, 1m30s or 500ms");
    }

    /// <summary>Reads a duration; of bare numbers only 0 is one.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="duration">The duration.</param>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        double seconds = 0;
        ReadOnlySpan<char> rest = text.StartsWith('+') ? text.AsSpan(1) : text;
        if (rest is "0")
        {
            return true;
        }

        do
        {
            int digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count))
            {
                return false;
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny(NumberCharacters);
            string unit = rest[..(letters < 0 ? rest.Length : letters)].ToString();
            rest = rest[unit.Length..];
            double factor = Units.FirstOrDefault(known => known.Unit == unit).Seconds;
            if (factor == 0)
            {
                return false;
            }

            seconds += count * factor;
        }
        while (!rest.IsEmpty);

        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
