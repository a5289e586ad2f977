using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>What <c>search --filter</c> keeps.</summary>
/// <param name="Stars">The least number of stars.</param>
/// <param name="IsOfficial">Only official ones, or only others; null for both.</param>
/// <param name="IsAutomated">Only automated ones, or only others; null for both.</param>
internal sealed record SearchFilter(int Stars, bool? IsOfficial, bool? IsAutomated)
{
    /// <summary>Keeps everything.</summary>
    public static readonly SearchFilter None = new(0, null, null);

    /// <summary>Parses the option's values, each of which may hold several behind commas.</summary>
    /// <param name="texts">For example <c>stars=10,is-official</c>.</param>
    /// <exception cref="UsageException">One of them is not a filter.</exception>
    public static SearchFilter Parse(IEnumerable<string> texts)
    {
        SearchFilter filter = None;
        foreach (string text in texts.SelectMany(text => text.Split(',')))
        {
            string[] parts = text.Split('=', 2);
            bool yes = parts is not [_, "false"];
            filter = parts[0] switch
            {
                "stars" => filter with { Stars = Number(parts) },
                "is-official" => filter with { IsOfficial = yes },
                "is-automated" => filter with { IsAutomated = yes },
                _ => throw new UsageException($"invalid filter type \"{Printable.Shorten(text)}\""),
            };
        }

        return filter;
    }

    /// <summary>Whether a repository is kept.</summary>
    /// <param name="found">The repository.</param>
    public bool Keeps(FoundRepository found) =>
        found.Stars >= Stars && (IsOfficial ?? found.IsOfficial) == found.IsOfficial && (IsAutomated ?? found.IsAutomated) == found.IsAutomated;

    private static int Number(string[] parts) =>
        parts.Length < 2 ? throw new UsageException("invalid `stars` filter, should be stars=<value>")
        : int.TryParse(parts[1], out int stars) ? stars
        : throw new UsageException(
            $"incorrect value type for stars filter: strconv.Atoi: parsing \"{Printable.Shorten(parts[1])}\": invalid syntax");
}
