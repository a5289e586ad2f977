using System.Globalization;

namespace OciTool.Images;

/// <summary>The time that what is made is to have, so that it is the same each time: <c>SOURCE_DATE_EPOCH</c>.</summary>
/// <remarks>https://reproducible-builds.org/specs/source-date-epoch/</remarks>
public static class SourceDate
{
    private const long Last = 253402300799; // the end of the year 9999

    /// <summary>Reads it.</summary>
    /// <returns>Null when it is not set.</returns>
    /// <exception cref="OciException">It is no number of seconds since 1970.</exception>
    public static DateTimeOffset? Read() => Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") switch
    {
        null or "" => null,
        { } text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds <= Last =>
            DateTimeOffset.FromUnixTimeSeconds(seconds),
        { } text => throw new OciException($"SOURCE_DATE_EPOCH '{Printable.Shorten(text)}' is not a number of seconds since 1970"),
    };
}
