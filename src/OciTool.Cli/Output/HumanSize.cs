using System.Globalization;

namespace OciTool.Cli.Output;

/// <summary>A number of bytes with a decimal unit, by podman's rules.</summary>
internal static class HumanSize
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

    /// <summary>Three significant digits and a blank before the unit, as in lists of images: <c>4.66 MB</c>.</summary>
    /// <param name="bytes">The number of bytes.</param>
    public static string Spaced(long bytes) => Format(bytes, digits: 3, " ");

    /// <summary>Four significant digits and no blank, as in <c>system df</c>: <c>9.322MB</c>.</summary>
    /// <param name="bytes">The number of bytes.</param>
    public static string Compact(long bytes) => Format(bytes, digits: 4, "");

    private static string Format(double size, int digits, string blank)
    {
        int unit = 0;
        while (size >= 1000 && unit < Units.Length - 1)
        {
            size /= 1000;
            unit++;
        }

        return $"{Significant(size, digits)}{blank}{Units[unit]}";
    }

    // Go's %.3g: significant digits without trailing zeros; what rounds up to 1000 becomes 1e+03
    private static string Significant(double size, int digits)
    {
        double limit = Math.Pow(10, digits);
        int before = size < 1 ? 1 : (int)Math.Floor(Math.Log10(size)) + 1;
        double rounded = Math.Round(size, Math.Clamp(digits - before, 0, 15), MidpointRounding.ToEven);
        return rounded >= limit
            ? string.Create(CultureInfo.InvariantCulture, $"{rounded / limit:0.###}e+{digits:00}")
            : rounded.ToString("0.###", CultureInfo.InvariantCulture);
    }
}
