using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace OciTool.Tests;

/// <summary>docs/portability.md says who reads our images and whose we read; its table is written from the rows of the system tests.</summary>
public sealed partial class PortabilityDocumentTests
{
    [Fact]
    public void The_document_is_what_the_tests_say()
    {
        string tests = Path.GetFullPath(Path.Join(Path.GetDirectoryName(Here()), ".."));
        GeneratedDocument.Check(
            tests, "portability.md", nameof(PortabilityDocumentTests), Table([.. Cells(Path.Join(tests, "OciTool.SystemTests/Interop/InteropTests.cs"))]));
    }

    private static string Here([CallerFilePath] string here = "") => here;

    private static string Table(Cell[] cells)
    {
        string[] peers = [.. cells.Select(cell => cell.Peer).Distinct()];
        List<string> notes = [];
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", peers)} |\n|---|{string.Concat(peers.Select(_ => "---|"))}\n");
        foreach (string form in cells.Select(cell => cell.Form).Distinct())
        {
            text.Append(CultureInfo.InvariantCulture, $"| {form} |");
            foreach (string peer in peers)
            {
                Cell[] here = [.. cells.Where(cell => cell.Peer == peer && cell.Form == form)];
                string marks = string.Concat(here.Where(cell => cell.Why is null).Select(cell => cell.IsOut ? "→" : "←"));
                foreach (Cell cannot in here.Where(cell => cell.Why is not null))
                {
                    notes.Add($"{peer}, {form}: {cannot.Why}");
                    marks += $" [{notes.Count}]";
                }

                text.Append(CultureInfo.InvariantCulture, $" {marks.Trim()} |");
            }

            text.Append('\n');
        }

        foreach ((int number, string note) in notes.Index())
        {
            text.Append(CultureInfo.InvariantCulture, $"\n[{number + 1}] {note}  ");
        }

        return $"{text}\n";
    }

    private static IEnumerable<Cell> Cells(string file)
    {
        List<(string Peer, string Form, string? Why)> waiting = [];
        foreach (string line in File.ReadLines(file))
        {
            if (RowLine().Match(line) is { Success: true } row)
            {
                string why = row.Groups["why"].Value;
                waiting.Add((row.Groups["peer"].Value, row.Groups["form"].Value, why.Length == 0 ? null : why));
            }
            else if (MethodLine().Match(line) is { Success: true } method)
            {
                foreach ((string peer, string form, string? why) in waiting)
                {
                    yield return new Cell(peer, form, method.Groups["name"].Value == "What_we_write_runs_there", why);
                }

                waiting.Clear();
            }
        }

        Assert.Empty(waiting);
    }

    [GeneratedRegex(@"^\s*\[(InlineData|Cannot)\(""(?<peer>[^""]+)"", ""(?<form>[^""]+)""(, ""(?<why>[^""]+)"")?\)\]$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RowLine();

    [GeneratedRegex(@"^    public async Task (?<name>\w+)\(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MethodLine();

    /// <summary>One tool and one form in one direction.</summary>
    private sealed record Cell(string Peer, string Form, bool IsOut, string? Why);
}
