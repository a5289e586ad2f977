using System.Globalization;

namespace OciTool.Images.Compatibility;

/// <summary>The tables of dates and pairings that are in the binary: lines of fields with commas between them, and comments.</summary>
internal static class SupportTable
{
    /// <summary>How old a table may be before its age is said.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromDays(180);

    /// <summary>The first row that is wanted, as its fields; null where there is none.</summary>
    /// <param name="resource">The table's file name.</param>
    /// <param name="first">The first field.</param>
    /// <param name="second">The second field.</param>
    public static string[]? Find(string resource, string first, string second)
    {
        if (first.AsSpan().ContainsAny(",#") || second.Contains(',', StringComparison.Ordinal))
        {
            return null; // an image must not find a row by parts of it
        }

        using Stream stream = typeof(SupportTable).Assembly.GetManifestResourceStream(resource)!;
        using StreamReader reader = new(stream);
        string start = $"{first},{second},";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line.Split(',');
            }
        }

        return null;
    }

    /// <summary>A day, as <c>YYYY-MM-DD</c>; null for anything else.</summary>
    public static DateOnly? Day(string? text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? day : null;

    /// <summary>A day as it is written.</summary>
    public static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
