using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A directory tree as a list of entries with everything that an archive can say about them.</summary>
internal static class Tree
{
    // path, type, mode, owner, group, size, modification time to the nanosecond, device, number of links
    private const string Format = @"%n\0%F %a %u:%g %s %.9Y %t:%T %h\0";

    /// <summary>One line an entry, ordered by path; <c>.</c> is the directory itself.</summary>
    public static async Task<SortedDictionary<string, string>> ReadAsync(string root)
    {
        Need.Programs("stat", "find", "getfattr");
        SortedDictionary<string, string> entries = new(StringComparer.Ordinal);
        // Latin-1 keeps names that are not UTF-8 distinct
        ProgramResult stats = await CaptureAsync(
            root, $"find . -type d -exec stat --printf '{Format.Replace("%s", "-", StringComparison.Ordinal)}' {{}} +;"
                + $"find . ! -type d -exec stat --printf '{Format}' {{}} +");
        string[] fields = stats.Output.Split('\0');
        for (int index = 0; index + 1 < fields.Length; index += 2)
        {
            entries[fields[index]] = fields[index + 1];
        }

        ProgramResult links = await CaptureAsync(root, @"find . -type l -printf '%p\0%l\0'");
        fields = links.Output.Split('\0');
        for (int index = 0; index + 1 < fields.Length; index += 2)
        {
            entries[fields[index]] += $" -> {fields[index + 1]}";
        }

        ProgramResult hashes = await CaptureAsync(root, "find . -type f -size +0 -exec sha256sum -z {} +");
        foreach (string line in hashes.Output.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            entries[line[66..]] += $" sha256:{line[..64]}";
        }

        ProgramResult attributes = await CaptureAsync(root, "getfattr -R -P -h -d -m '^(user|security)[.]' -e hex .");
        foreach (string block in attributes.Output.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            string path = lines[0]["# file: ".Length..];
            entries[path == "." ? path : $"./{path}"] += $" {string.Join(' ', lines[1..].Order(StringComparer.Ordinal))}";
        }

        return entries;
    }

    /// <summary>A hash of everything, for a tree that must not change.</summary>
    public static async Task<string> HashAsync(string root)
    {
        SortedDictionary<string, string> entries = await ReadAsync(root);
        string all = string.Join('\n', entries.Select(entry => $"{entry.Key} {entry.Value}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    /// <summary>Fails with the first differences by name.</summary>
    public static void Equal(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
    {
        string[] differences =
        [
            .. expected.Where(entry => !actual.ContainsKey(entry.Key)).Select(entry => $"missing {entry.Key}"),
            .. actual.Where(entry => !expected.ContainsKey(entry.Key)).Select(entry => $"superfluous {entry.Key}"),
            .. expected.Where(entry => actual.TryGetValue(entry.Key, out string? other) && other != entry.Value)
                .Select(entry => $"{entry.Key}\n  expected {entry.Value}\n  actual   {actual[entry.Key]}"),
        ];
        Assert.True(
            differences.Length == 0,
            $"{differences.Length} differences:\n{string.Join('\n', differences.Take(20))}");
    }

    private static async Task<ProgramResult> CaptureAsync(string root, string script)
    {
        using TemporaryDirectory directory = new();
        ProgramResult result = await Shell.RunAsync(
            "sh", "-c", $"cd \"$0\" && {{ {script}; }} > \"$1\"", root, directory["output"]);
        Assert.True(result.Status == 0, result.ToString());
        return result with { Output = await File.ReadAllTextAsync(directory["output"], Encoding.Latin1) };
    }
}
