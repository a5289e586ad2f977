using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace OciTool.Tests;

/// <summary>docs/runtime.md says what the runtime does of the specification; its table is written from the attributes of the system tests.</summary>
public sealed partial class RuntimeDocumentTests
{
    private static readonly string Tests = Path.GetFullPath(Path.Join(Path.GetDirectoryName(Here()), ".."));

    [Fact]
    public void The_document_is_what_the_tests_say() =>
        GeneratedDocument.Check(Tests, "runtime.md", nameof(RuntimeDocumentTests), Table(Shown()));

    private static string Here([CallerFilePath] string here = "") => here;

    private static string Table(IEnumerable<ShownRequirement> requirements)
    {
        StringBuilder text = new();
        foreach (IGrouping<string, ShownRequirement> section in requirements.GroupBy(shown => shown.Section).OrderBy(section => section.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : "\n")}### {section.Key}\n\n| requirement | oci-runtime | runc | test |\n|---|---|---|---|\n");
            foreach (ShownRequirement shown in section.OrderBy(shown => shown.Text, StringComparer.Ordinal).ThenBy(shown => shown.Test, StringComparer.Ordinal))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {Cell(shown.Text)} | {Cell(shown.Ours)} | {Cell(shown.Runc)} | `{shown.Test}` |\n");
            }
        }

        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>All in the sources of the system tests, which this project does not reference.</summary>
    private static IEnumerable<ShownRequirement> Shown() =>
        Directory.EnumerateFiles(Path.Join(Tests, "OciTool.SystemTests/Runtime"), "Runtime*Tests.cs").Order(StringComparer.Ordinal).SelectMany(InFile);

    private static List<ShownRequirement> InFile(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        List<ShownRequirement> all = [];
        List<(string Section, string Text)> waiting = [];
        string ours = "yes";
        string runc = "yes";
        foreach (string line in File.ReadLines(file))
        {
            if (RequirementLine().Match(line) is { Success: true } requirement)
            {
                waiting.Add((Regex.Unescape(requirement.Groups["section"].Value), Regex.Unescape(requirement.Groups["text"].Value)));
            }
            else if (DiffersLine().Match(line) is { Success: true } differs)
            {
                string why = Regex.Unescape(differs.Groups["why"].Value);
                (ours, runc) = differs.Groups["runtime"].Value == "Oci" ? (why, runc) : (ours, why);
            }
            else if (MethodLine().Match(line) is { Success: true } method)
            {
                all.AddRange(waiting.Select(row => new ShownRequirement(row.Section, row.Text, $"{name}.{method.Groups["name"].Value}", ours, runc)));
                waiting.Clear();
                (ours, runc) = ("yes", "yes");
            }
            else
            {
                Assert.False(AnyLine().IsMatch(line), $"{file}: not in one line with plain strings: {line}");
            }
        }

        Assert.Empty(waiting);
        return all;
    }

    [GeneratedRegex(@"^\s*\[Requirement\(""(?<section>([^""\\]|\\.)*)"", ""(?<text>([^""\\]|\\.)*)""\)\]$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RequirementLine();

    [GeneratedRegex(@"^\s*\[(?<runtime>Oci|Runc)Differs\(""(?<why>([^""\\]|\\.)*)""\)\]$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DiffersLine();

    [GeneratedRegex(@"^\s*\[(Requirement|(Oci|Runc)Differs)\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AnyLine();

    [GeneratedRegex(@"^    public (async )?Task (?<name>\w+)\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MethodLine();

    /// <summary>One attribute on one test, and what the two runtimes do of it.</summary>
    private sealed record ShownRequirement(string Section, string Text, string Test, string Ours, string Runc);
}
