using System.Globalization;

namespace OciTool.Cli.Output;

/// <summary>Moments as Go prints them.</summary>
internal static class GoTime
{
    /// <summary>Go's zero time: never.</summary>
    public static readonly DateTimeOffset Zero = DateTimeOffset.MinValue;

    /// <summary>As templates print it: <c>2024-09-26 21:31:42 +0000 UTC</c>.</summary>
    /// <param name="moment">The moment; printed in UTC.</param>
    public static string Print(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + " +0000 UTC";

    /// <summary>As JSON holds it: RFC 3339, with as many digits of the second as needed.</summary>
    /// <param name="moment">The moment; written in UTC.</param>
    public static string Rfc3339(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z";

    /// <summary>As <c>version</c> holds it: <c>Thu Jan  1 00:00:00 1970</c>.</summary>
    /// <param name="moment">The moment; printed in UTC.</param>
    public static string Ansi(DateTimeOffset moment)
    {
        string day = moment.UtcDateTime.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        return moment.UtcDateTime.ToString($"ddd MMM '{day}' HH:mm:ss yyyy", CultureInfo.InvariantCulture);
    }
}
