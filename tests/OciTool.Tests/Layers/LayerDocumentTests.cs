using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Corpus;
using Xunit;

namespace OciTool.Tests.Layers;

/// <summary>docs/layers.md says what comes of every odd layer; it is written from the cases that the tests run.</summary>
[Collection("odd layers")] // one far canary for all
[Trait("Pace", "slow")]
public sealed class LayerDocumentTests
{
    private const string WriteVariable = "OCI_WRITE_DOCS";

    private static readonly (char Letter, string Heading)[] Sections =
    [
        ('A', "Names"), ('B', "Links"), ('C', "Whiteouts"), ('D', "Types"), ('E', "Extended attributes"), ('F', "Headers"),
        ('G', "Framing"), ('H', "Compression"), ('I', "Manifests"), ('J', "More of all"),
    ];

    [Fact]
    public void The_document_is_what_the_cases_say()
    {
        string file = DocumentFile();
        string generated = Generate();
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            File.WriteAllText(file, generated);
        }

        Assert.True(
            File.ReadAllText(file) == generated, $"docs/layers.md is not up to date: run the tests with {WriteVariable}=1 and commit it");
    }

    private static string DocumentFile([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(here), "../../../docs/layers.md"));

    private static string Generate()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # Odd layers, and what comes of them

            Written by `LayerDocumentTests`; do not edit (`{WriteVariable}=1` writes it anew).

            Layers come from strangers. A layer is applied exactly as the image specification and, where it is silent, Go's
            `archive/tar` have it, or it is refused as a whole with one line that names the layer, the entry and the reason. Names are
            clamped into the layer's root rather than refused; nothing outside of it is ever read or changed. The tests apply each case
            below from memory, pull it from a registry, and read it from a stored blob, once to a directory and once to an EROFS file; they
            mount what was accepted and compare the whole tree, watch two canary directories of the host (`/canary` below is one), and
            allow a second and 100 MiB for each.

            """);
        foreach ((char letter, string heading) in Sections)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"## {letter}: {heading}\n\n| | case | must be | is |\n|---|---|---|---|");
            foreach (OddLayer row in LayerCorpus.Rows.Where(row => row.IsKnown && row.Id[0] == letter))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Id} | {Cell(row.Title)} | {Cell(row.Must)} | {Cell(Result(row))} |");
            }

            foreach (OddManifest row in OddManifest.Rows.Where(_ => letter == 'I'))
            {
                string result = row.Refusal is null ? "pulled" : $"refused: …{row.Refusal}…";
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Id} | {Cell(row.Title)} | {Cell(row.Must)} | {Cell(result)} |");
            }

            text.AppendLine();
        }

        text.AppendLine("## Our own\n\n| family | cases | applied | refused |\n|---|---:|---:|---:|");
        foreach (IGrouping<string, OddLayer> family in LayerCorpus.Rows.Where(row => !row.IsKnown).GroupBy(row => row.Family))
        {
            int refused = family.Count(row => row.Refusal is not null);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {family.Key} | {family.Count()} | {family.Count() - refused} | {refused} |");
        }

        LayerLimits limits = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            Besides these, a thread exchanges directories for symbolic links under a layer that is being written (`LayerRaceTests`:
            300 layers in each run, as many as `OCI_RACE_ROUNDS` says otherwise).

            ## Limits

            | what | at most |
            |---|---|
            | entries of a layer | {limits.MaxEntries:n0} |
            | components of a path | {limits.MaxPathDepth:n0} |
            | bytes of a component, of a path, of a link's target | 255, 4095, 4095 |
            | PAX header, GNU long name, sparse map | 1 MiB |
            | extended attribute | 64 KiB |
            | zstd window | 128 MiB |
            | uncompressed bytes of a layer | the free space of the store's file system less 5 percent |
            | layers of an image | 500 |
            """);
        return text.ToString();
    }

    private static string Result(OddLayer row)
    {
        string directory = Result(row, SnapshotForm.Directory);
        string erofs = Result(row, SnapshotForm.Erofs);
        return directory == erofs ? directory : $"{directory} (in a file: {erofs})";
    }

    private static string Result(OddLayer row, SnapshotForm form)
    {
        using LayerStack stack = new(form);
        foreach (OddBlob lower in row.Layers.SkipLast(1))
        {
            stack.Apply(lower);
        }

        if (row.Refusal is not null)
        {
            return "refused: " + Assert.Throws<LayerException>(() => stack.Apply(row.Layers[^1])).Message.Replace(LayerCorpus.Far, "/canary", StringComparison.Ordinal);
        }

        stack.Apply(row.Layers[^1]);
        return "applied: " + Change(row);
    }

    /// <summary>What the topmost layer changes; that the tree becomes so is what the other tests show.</summary>
    private static string Change(OddLayer row)
    {
        using LayerStack stack = new(SnapshotForm.Directory);
        foreach (OddBlob lower in row.Layers.SkipLast(1))
        {
            stack.Apply(lower);
        }

        IReadOnlyDictionary<string, TreeEntry> tree = row.Tree!.Entries;
        IReadOnlyDictionary<string, TreeEntry> below = stack.Merged();
        string[] made = [.. tree.Keys.Where(path => path == "."
            ? tree[path].Modified != 0
            : !below.TryGetValue(path, out TreeEntry? old) || IsOther(old, tree[path]))];
        string[] gone = [.. below.Keys.Where(path => !tree.ContainsKey(path))];
        string additions = Listed("", made.Where(path => path == "." || !made.Any(other => other.StartsWith(path + "/", StringComparison.Ordinal))));
        string removals = Listed("without ", gone.Where(path => !gone.Any(other => path.StartsWith(other + "/", StringComparison.Ordinal))));
        string result = string.Join("; ", new[] { additions, removals }.Where(part => part.Length > 0));
        return result.Length > 0 ? result : "no change";

        static bool IsOther(TreeEntry old, TreeEntry now) =>
            old.Type != now.Type || old.Mode != now.Mode || old.Content != now.Content || (now.Modified is not null && now.Type != 'd' && old.Modified != now.Modified);
    }

    private static string Listed(string before, IEnumerable<string> paths)
    {
        string[] names = [.. paths.Select(path => path.Replace(LayerCorpus.Far[1..], "canary", StringComparison.Ordinal)).Select(Name)];
        string more = names.Length > 3 ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - 3} more") : "";
        return names.Length == 0 ? "" : before + string.Join(", ", names.Take(3)) + more;

        static string Name(string path)
        {
            string printable = Printable.Escape(Encoding.Latin1.GetBytes(path));
            return $"`{(printable.Length > 40 ? printable[..40] + "…" : printable)}`";
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);
}
