using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>docs/registries.md says what comes of every fault; its table is written from the attributes of the tests.</summary>
public sealed partial class RegistryDocumentTests
{
    private static readonly string Tests = Path.GetFullPath(Path.Join(Path.GetDirectoryName(Here()), "../.."));

    [Fact]
    public void The_document_is_what_the_tests_say() =>
        GeneratedDocument.Check(Tests, "registries.md", nameof(RegistryDocumentTests), Table(ShownFault.In(Tests)));

    [Fact]
    public void Every_row_is_shown_or_waits()
    {
        int[] shown = [.. ShownFault.In(Tests).Select(fault => fault.Row).Distinct()];
        int[] missing = [.. Enumerable.Range(1, FaultMatrix.Rows.Length).Except(shown)];
        Assert.Empty(missing);
    }

    [Fact]
    public void What_is_read_from_the_sources_is_what_was_compiled()
    {
        IEnumerable<ShownFault> compiled = Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(method => method.GetCustomAttributes<FaultAttribute>()
                .Select(fault => new ShownFault(fault.Row, fault.Outcome, method.DeclaringType!.Name, method.Name)));
        Assert.Equal(Sorted(compiled), Sorted(ShownFault.In(Path.Join(Tests, "OciTool.Tests"))));
    }

    private static string Here([CallerFilePath] string here = "") => here;

    private static string[] Sorted(IEnumerable<ShownFault> faults) => [.. faults.Select(fault => fault.ToString()).Order(StringComparer.Ordinal)];

    private static string Table(IReadOnlyList<ShownFault> faults)
    {
        StringBuilder text = new();
        for (int row = 1; row <= FaultMatrix.Rows.Length; row++)
        {
            if (FaultMatrix.Sections.FirstOrDefault(section => section.First == row) is { Heading: { } heading })
            {
                text.Append(CultureInfo.InvariantCulture, $"{(row == 1 ? "" : "\n")}### {heading}\n\n| | when | what happens | shown by |\n|---|---|---|---|\n");
            }

            string when = $"| {row} | {FaultMatrix.Rows[row - 1]} |";
            foreach (ShownFault fault in faults.Where(fault => fault.Row == row).OrderBy(fault => fault.Class, StringComparer.Ordinal))
            {
                text.Append(CultureInfo.InvariantCulture, $"{when} {fault.Outcome.Replace("|", "\\|", StringComparison.Ordinal)} | `{fault.Class}.{fault.Method}` |\n");
                when = "| | |";
            }
        }

        return text.ToString();
    }

    /// <summary>One attribute on one test.</summary>
    private sealed partial record ShownFault(int Row, string Outcome, string Class, string Method)
    {
        /// <summary>All in the sources below a directory; one that is not written in one line above its test fails.</summary>
        internal static IReadOnlyList<ShownFault> In(string directory) =>
        [
            .. Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .SelectMany(InFile),
        ];

        private static IEnumerable<ShownFault> InFile(string file)
        {
            string name = "";
            bool isTest = false;
            List<(int Row, string Outcome)> waiting = [];
            foreach (string line in File.ReadLines(file))
            {
                if (ClassLine().Match(line) is { Success: true } declared)
                {
                    name = declared.Groups["name"].Value;
                }
                else if (FaultLine().Match(line) is { Success: true } fault)
                {
                    waiting.Add((int.Parse(fault.Groups["row"].Value, CultureInfo.InvariantCulture), Regex.Unescape(fault.Groups["outcome"].Value)));
                }
                else if (line.TrimStart().StartsWith("[Fault(", StringComparison.Ordinal))
                {
                    Assert.Fail($"{file}: not in one line with a number and a plain string: {line}");
                }
                else if (line.Contains("[Fact", StringComparison.Ordinal) || line.Contains("[Theory", StringComparison.Ordinal))
                {
                    isTest = true;
                }
                else if (MethodLine().Match(line) is { Success: true } method)
                {
                    Assert.True(isTest || waiting.Count == 0, $"{file}: not a test: {line}");
                    foreach ((int row, string outcome) in waiting)
                    {
                        Assert.InRange(row, 1, FaultMatrix.Rows.Length);
                        yield return new ShownFault(row, outcome, name, method.Groups["name"].Value);
                    }

                    waiting.Clear();
                    isTest = false;
                }
            }

            Assert.Empty(waiting);
        }

        [GeneratedRegex(@"^\s*(public|internal)\s[\w\s]*\bclass (?<name>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
        private static partial Regex ClassLine();

        [GeneratedRegex(@"^\s*\[Fault\((?<row>\d+), ""(?<outcome>([^""\\]|\\.)*)""\)\]$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
        private static partial Regex FaultLine();

        [GeneratedRegex(@"^    public [\w<>\[\], ?]+ (?<name>\w+)\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
        private static partial Regex MethodLine();
    }
}
