using System.Text.RegularExpressions;

namespace OciTool.SystemTests.Audit;

/// <summary>A <see cref="CveAttribute"/> on a test, read from the sources, for the tests are in two programs.</summary>
internal sealed partial record ShownAttack(string Id, string Attack, string Class, string Method)
{
    public static IReadOnlyList<ShownAttack> In(string directory)
    {
        List<ShownAttack> attacks = [];
        foreach (string file in Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string source = File.ReadAllText(file);
            foreach (Match method in TaggedMethod().Matches(source))
            {
                foreach (Match attribute in Tag().Matches(method.Groups["attributes"].Value))
                {
                    attacks.Add(new(
                        attribute.Groups["id"].Value, attribute.Groups["attack"].Value, Path.GetFileNameWithoutExtension(file), method.Groups["name"].Value));
                }
            }
        }

        return attacks;
    }

    // attributes are one to a line, a line each
    [GeneratedRegex("""(?<attributes>(^    \[.*\]( //.*)?\n)+)    public (async )?(Task|void) (?<name>\w+)\(""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex TaggedMethod();

    [GeneratedRegex("""\[Cve\("(?<id>[^"]+)", "(?<attack>[^"]+)"\)\]""", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Tag();
}
