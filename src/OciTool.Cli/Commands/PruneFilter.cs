using System.Globalization;
using OciTool.Cli.Output;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The conditions of the prune verbs: <c>label=</c>, <c>label!=</c> and <c>until=</c>. All of them must hold.</summary>
internal sealed class PruneFilter
{
    private readonly List<Func<DateTimeOffset?, IReadOnlyDictionary<string, string>?, bool>> _conditions = [];

    /// <summary>Whether there is no condition.</summary>
    public bool IsEmpty => _conditions.Count == 0;

    /// <summary>Reads conditions.</summary>
    /// <param name="filters">Each <c>name=value</c>.</param>
    /// <param name="now">What durations count back from.</param>
    /// <exception cref="UsageException">One is unknown or has no meaning.</exception>
    public static PruneFilter Parse(IEnumerable<string> filters, DateTimeOffset now)
    {
        PruneFilter parsed = new();
        foreach (string filter in filters)
        {
            int at = filter.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw new UsageException($"invalid filter \"{Printable.Shorten(filter)}\": must be in the format \"filter=value\"");
            }

            string value = filter[(at + 1)..];
            switch (filter[..at])
            {
                case "label":
                    parsed._conditions.Add((_, labels) => Has(labels, value));
                    break;
                case "label!":
                    parsed._conditions.Add((_, labels) => !Has(labels, value));
                    break;
                case "until":
                    DateTimeOffset until = ParseUntil(value, now);
                    parsed._conditions.Add((created, _) => created < until);
                    break;
                default:
                    throw new UsageException($"{Printable.Shorten(filter.AsSpan(0, at))} is an invalid filter");
            }
        }

        return parsed;
    }

    /// <summary>Whether all conditions hold.</summary>
    /// <param name="created">When the object was made; unknown counts as not before anything.</param>
    /// <param name="labels">Its labels.</param>
    public bool Matches(DateTimeOffset? created, IReadOnlyDictionary<string, string>? labels) =>
        _conditions.TrueForAll(condition => condition(created, labels));

    private static bool Has(IReadOnlyDictionary<string, string>? labels, string wanted)
    {
        int at = wanted.IndexOf('=', StringComparison.Ordinal);
        string key = at < 0 ? wanted : wanted[..at];
        return labels is not null && labels.TryGetValue(key, out string? value) && (at < 0 || value == wanted[(at + 1)..]);
    }

    // seconds since 1970, a date or time, or a duration that counts back from now
    private static DateTimeOffset ParseUntil(string text, DateTimeOffset now)
    {
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds < 250_000_000_000)
        {
            return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        }

        return GoDuration.TryParse(text, out TimeSpan duration) ? now - duration
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset time) ? time
            : throw new UsageException($"cannot read \"{Printable.Shorten(text)}\" as a time: write a duration such as 24h, a date or the seconds since 1970");
    }
}
