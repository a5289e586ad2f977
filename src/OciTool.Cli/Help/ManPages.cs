using System.Text;

namespace OciTool.Cli.Help;

/// <summary>Manual pages, made from the same texts as the help.</summary>
internal static class ManPages
{
    /// <summary>All pages: file name and content.</summary>
    public static IEnumerable<(string FileName, string Content)> All()
    {
        CommandGroup root = CommandTable.Root;
        return [($"{root.Name}.1", PageOf(root, root.Name)), .. PagesOf(root, root.Name)];
    }

    private static IEnumerable<(string FileName, string Content)> PagesOf(CommandGroup group, string path)
    {
        foreach (CommandEntry entry in group.Entries)
        {
            string inner = $"{path} {entry.Name}";
            if (entry is CommandGroup { IsInternal: false } innerGroup)
            {
                yield return ($"{PageName(inner)}.1", PageOf(innerGroup, inner));
                foreach ((string FileName, string Content) page in PagesOf(innerGroup, inner))
                {
                    yield return page;
                }
            }
            else if (entry is VerbEntry { IsInternal: false } verb)
            {
                yield return ($"{PageName(inner)}.1", PageOf(verb.Build(path)));
            }
        }
    }

    private static string PageName(string path) => path.Replace(' ', '-');

    private static string PageOf(CommandGroup group, string path)
    {
        StringBuilder page = Begin(path, group.Summary);
        bool isRoot = group == CommandTable.Root;
        page.Append($".SH SYNOPSIS\n\\fB{Roff(path)}\\fR {(isRoot ? "[\\fIoptions\\fR] " : "")}\\fIcommand\\fR\n.SH COMMANDS\n");
        foreach ((string name, string summary) in HelpText.Listed(group, path))
        {
            page.Append($".TP\n.BR {Roff(PageName($"{path} {name}"))} (1)\n{Line(summary)}\n");
        }

        if (isRoot)
        {
            AppendOptions(page, HelpText.RootOptions());
            page.Append(".SH EXIT STATUS\n.TP\n.B 125\noci itself failed, or was called wrongly.\n"
                + ".TP\n.B 126\nThe container's command cannot be invoked.\n"
                + ".TP\n.B 127\nThe container's command is not found.\n"
                + ".TP\n.I otherwise\nThe status of the container's command; 128+\\fIn\\fR when signal \\fIn\\fR ended it.\n"
                + ".SH ENVIRONMENT\n.TP\n.B OCI_ROOT\nThe directory in which images and containers are stored.\n"
                + ".TP\n.B OCI_RUNROOT\nThe directory in which run-time state is stored.\n"
                + ".TP\n.B REGISTRY_AUTH_FILE\nThe file with credentials for registries.\n"
                + ".TP\n.B NO_COLOR\nPrint no colours.\n");
        }

        return page.ToString();
    }

    private static string PageOf(Verb verb)
    {
        StringBuilder page = Begin(verb.Path, verb.Description ?? "");
        string usage = HelpText.UsageLine(verb)[verb.Path.Length..];
        page.Append($".SH SYNOPSIS\n\\fB{Roff(verb.Path)}\\fR{Roff(usage)}\n.SH DESCRIPTION\n");
        string[] paragraphs = (verb.Details ?? $"{verb.Description}.").Split("\n\n");
        for (int i = 0; i < paragraphs.Length; i++)
        {
            page.Append(i > 0 ? ".PP\n" : "");
            foreach (string line in paragraphs[i].Split('\n'))
            {
                page.Append($"{Line(line)}\n");
            }
        }

        AppendOptions(page, HelpText.OptionRows(verb));
        if (verb.Examples.Count > 0)
        {
            page.Append(".SH EXAMPLES\n.EX\n");
            foreach (string example in verb.Examples)
            {
                page.Append($"{Line($"{CommandTable.Root.Name} {example}")}\n");
            }

            page.Append(".EE\n");
        }

        return page.Append(".SH SEE ALSO\n.BR oci (1)\n").ToString();
    }

    private static StringBuilder Begin(string path, string summary) => new StringBuilder()
        .Append(".\\\" Generated from the command line by: oci __man DIRECTORY\n")
        .Append($".TH {PageName(path).ToUpperInvariant()} 1 \"\" \"oci\" \"User Commands\"\n")
        .Append($".SH NAME\n{Roff(PageName(path))} \\- {Roff(summary)}\n");

    private static void AppendOptions(StringBuilder page, List<OptionRow> rows)
    {
        page.Append(rows.Count > 0 ? ".SH OPTIONS\n" : "");
        foreach (OptionRow row in rows)
        {
            page.Append(".TP\n")
                .Append(row.Short is null ? "" : $"\\fB{Roff(row.Short)}\\fR, ")
                .Append($"\\fB{Roff(row.Long)}\\fR")
                .Append(row.Type.Length > 0 ? $" \\fI{Roff(row.Type)}\\fR" : "")
                .Append($"\n{Line(row.Description)}\n");
        }
    }

    private static string Roff(string text) =>
        text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);

    // a line that begins with a dot or an apostrophe would be a request
    private static string Line(string text) => text.StartsWith('.') || text.StartsWith('\'') ? $"\\&{Roff(text)}" : Roff(text);
}
