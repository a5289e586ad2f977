using System.IO.Enumeration;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Reads the conditions of <c>images --filter</c>.</summary>
internal static class ImageFilter
{
    /// <summary>Parses a condition, <c>name=value</c> or <c>name!=value</c>.</summary>
    /// <exception cref="UsageException">The condition is unknown.</exception>
    public static Predicate<ImagesCommand.Row> Parse(string filter)
    {
        int at = filter.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            throw new UsageException(
                $"invalid image filter \"{Printable.Shorten(filter)}\": must be in the format \"filter=value or filter!=value\"");
        }

        bool negated = filter[at - 1] == '!';
        string name = filter[..(negated ? at - 1 : at)];
        string value = filter[(at + 1)..];
        Predicate<ImagesCommand.Row> matches = name switch
        {
            "dangling" => bool.TryParse(value, out bool dangling)
                ? row => row.Name is null == dangling
                : throw new UsageException($"non-boolean value \"{Printable.Shorten(value)}\" for dangling filter"),
            "id" => row => row.Image.Id.Hex.StartsWith(value, StringComparison.Ordinal),
            "label" => row => HasLabel(row, value),
            "reference" => row => row.Name is not null
                && (row.Answers(value) || FileSystemName.MatchesSimpleExpression(value, row.Name, ignoreCase: false)
                    || FileSystemName.MatchesSimpleExpression(value, row.Repository, ignoreCase: false)),
            _ => throw new UsageException($"unsupported image filter \"{Printable.Shorten(name)}\""),
        };
        return negated ? row => !matches(row) : matches;
    }

    private static bool HasLabel(ImagesCommand.Row row, string wanted)
    {
        int at = wanted.IndexOf('=', StringComparison.Ordinal);
        string key = at < 0 ? wanted : wanted[..at];
        return row.Image.Labels is { } labels && labels.TryGetValue(key, out string? value) && (at < 0 || value == wanted[(at + 1)..]);
    }
}
