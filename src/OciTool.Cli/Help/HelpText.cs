using System.CommandLine;

namespace OciTool.Cli.Help;

/// <summary>Help in the layout that podman's users know.</summary>
internal static class HelpText
{
    /// <summary>Prints the help of a group of verbs.</summary>
    /// <param name="group">The group.</param>
    /// <param name="path">The words that lead to it.</param>
    /// <param name="output">Where to.</param>
    public static void Write(CommandGroup group, string path, TextWriter output)
    {
        bool isRoot = group == CommandTable.Root;
        output.Write($"{group.Summary}\n");
        if (!isRoot)
        {
            output.Write($"\nDescription:\n  {group.Summary}\n");
        }

        output.Write($"\nUsage:\n  {path} {(isRoot ? "[options] " : "")}[command]\n\nAvailable Commands:\n");
        foreach ((string name, string summary) in Listed(group, path))
        {
            output.Write($"  {name,-11} {summary}\n");
        }

        if (isRoot)
        {
            output.Write("\nOptions:\n");
            WriteOptions(RootOptions(), output);
        }
    }

    /// <summary>Prints the help of a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="output">Where to.</param>
    public static void Write(Verb verb, TextWriter output)
    {
        output.Write($"{verb.Description}\n");
        if (verb.Details is not null)
        {
            output.Write("\nDescription:\n");
            foreach (string line in verb.Details.Split('\n'))
            {
                output.Write(line.Length > 0 ? $"  {line}\n" : "\n");
            }
        }

        output.Write($"\nUsage:\n  {UsageLine(verb)}\n");
        if (verb.Examples.Count > 0)
        {
            output.Write("\nExamples:\n");
            foreach (string example in verb.Examples)
            {
                output.Write($"  {CommandTable.Root.Name} {example}\n");
            }
        }

        List<OptionRow> rows = OptionRows(verb);
        if (rows.Count > 0)
        {
            output.Write("\nOptions:\n");
            WriteOptions(rows, output);
        }
    }

    /// <summary>The usage line, for example <c>oci pull [options] IMAGE [IMAGE...]</c>.</summary>
    /// <param name="verb">The verb.</param>
    public static string UsageLine(Verb verb)
    {
        string options = OptionRows(verb).Count > 0 ? " [options]" : "";
        string operands = verb.Operands.Length > 0 ? $" {verb.Operands}" : "";
        return $"{verb.Path}{options}{operands}";
    }

    /// <summary>The names of a group that people should see, with their summaries.</summary>
    /// <param name="group">The group.</param>
    /// <param name="path">The words that lead to it.</param>
    public static IEnumerable<(string Name, string Summary)> Listed(CommandGroup group, string path)
    {
        foreach (CommandEntry entry in group.Entries)
        {
            if (!entry.IsInternal)
            {
                yield return (entry.Name, entry switch
                {
                    CommandGroup inner => inner.Summary,
                    VerbEntry verb => verb.Build(path).Description ?? "",
                    _ => "",
                });
            }
        }
    }

    /// <summary>The options of a verb, sorted by name.</summary>
    /// <param name="verb">The verb.</param>
    public static List<OptionRow> OptionRows(Verb verb)
    {
        List<OptionRow> rows = [];
        foreach (Option option in verb.Options)
        {
            if (!option.Hidden)
            {
                rows.Add(new OptionRow(ShortOf(option), option.Name, TypeOf(option), option.Description ?? ""));
            }
        }

        rows.Sort((a, b) => string.CompareOrdinal(a.Long, b.Long));
        return rows;
    }

    /// <summary>The options of the program itself.</summary>
    public static List<OptionRow> RootOptions()
    {
        List<OptionRow> rows = [new OptionRow(null, "--help", "", "Help for oci")];
        foreach ((string name, string type, string description) in GlobalOptions.Descriptions)
        {
            rows.Add(new OptionRow(null, name, type, description));
        }

        rows.Add(new OptionRow("-v", "--version", "", "Print the version of oci"));
        return rows;
    }

    private static void WriteOptions(List<OptionRow> rows, TextWriter output)
    {
        int width = rows.Max(row => row.Left.Length);
        foreach (OptionRow row in rows)
        {
            output.Write($"{row.Left.PadRight(width)}   {row.Description}\n");
        }
    }

    private static string? ShortOf(Option option)
    {
        foreach (string alias in option.Aliases)
        {
            if (alias.Length == 2)
            {
                return alias;
            }
        }

        return null;
    }

    private static string TypeOf(Option option) => option.HelpName
        ?? (FlagArguments.IsSwitch(option) ? ""
            : option.ValueType == typeof(int) || option.ValueType == typeof(int?) ? "int"
            : option.ValueType.IsArray ? "strings"
            : "string");
}

/// <summary>An option as help shows it.</summary>
/// <param name="Short">The short form, with its dash; null for none.</param>
/// <param name="Long">The long form, with its dashes.</param>
/// <param name="Type">What its value is called; empty for a switch.</param>
/// <param name="Description">What it does.</param>
internal sealed record OptionRow(string? Short, string Long, string Type, string Description)
{
    /// <summary>The left column.</summary>
    public string Left => $"  {(Short is null ? "   " : $"{Short},")} {Long}{(Type.Length > 0 ? $" {Type}" : "")}";
}
