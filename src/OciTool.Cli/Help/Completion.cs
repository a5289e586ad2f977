using System.CommandLine;
using System.CommandLine.Completions;
using OciTool.Images;

namespace OciTool.Cli.Help;

/// <summary>What could stand at the end of a command line, in the protocol of podman's shell scripts.</summary>
/// <param name="names">The names of images or containers.</param>
internal sealed class Completion(Func<OperandKind, GlobalOptions, IEnumerable<string>> names)
{
    private const int Files = 0;
    private const int NoSpace = 2;
    private const int NoFiles = 4;

    private readonly List<(string Word, string Description)> _candidates = [];
    private int _directive = NoFiles;

    /// <summary>Prints the candidates, one a line, and then the directive for the shell.</summary>
    /// <param name="words">The command line without the program's name; the last word is the one to complete.</param>
    /// <param name="descriptions">Whether descriptions stand behind the candidates.</param>
    /// <param name="output">Where to.</param>
    public void Write(IReadOnlyList<string> words, bool descriptions, TextWriter output)
    {
        string last = words.Count > 0 ? words[^1] : "";
        Find([.. words.Take(words.Count - 1)], last);
        foreach ((string word, string description) in _candidates)
        {
            if (word.StartsWith(last, StringComparison.Ordinal))
            {
                output.Write(descriptions && description.Length > 0 ? $"{word}\t{description}\n" : $"{word}\n");
            }
        }

        output.Write($":{_directive}\n");
    }

    private static Option? FindOption(Verb verb, string flag)
    {
        foreach (Option option in verb.Options)
        {
            if (option.Name == flag || option.Aliases.Contains(flag))
            {
                return option;
            }
        }

        return null;
    }

    private void Find(string[] before, string last)
    {
        CommandLineStart start;
        try
        {
            start = CommandLineStart.Read(before);
        }
        catch (UsageException)
        {
            _directive = before is [.., var flag] && GlobalOptions.IsName(flag) ? Files : NoFiles;
            return;
        }

        if (start.Verb is { } verb)
        {
            FindForVerb(verb, before.AsSpan(start.Next), start.Global, last);
        }
        else if (last.StartsWith('-'))
        {
            AddOptions(HelpText.RootOptions());
        }
        else
        {
            _candidates.AddRange(HelpText.Listed(start.Group, start.Path));
        }
    }

    private void FindForVerb(Verb verb, ReadOnlySpan<string> words, GlobalOptions global, string last)
    {
        if (words is [.., var flag] && FindOption(verb, flag) is { } option && !FlagArguments.IsSwitch(option))
        {
            FindValues(verb, option, last);
            return;
        }

        FlagArguments read;
        try
        {
            read = FlagArguments.Read(verb, words, global);
        }
        catch (UsageException)
        {
            _directive = words is [.., var open] && GlobalOptions.IsName(open) ? Files : NoFiles;
            return;
        }

        bool inContainer = verb.OptionsEndAtOperand && read.OperandCount > 0;
        if (inContainer)
        {
            _directive = Files;
        }
        else if (last.StartsWith('-'))
        {
            AddOptions(HelpText.OptionRows(verb));
            _candidates.Add(("--help", $"help for {verb.Name}"));
        }
        else if (read.OperandCount < verb.Arguments.Sum(argument => Math.Min(argument.Arity.MaximumNumberOfValues, 1000)))
        {
            FindOperands(verb, read);
        }
    }

    private void FindOperands(Verb verb, FlagArguments read)
    {
        switch (verb.OperandKind)
        {
            case OperandKind.File:
                _directive = Files;
                break;
            case OperandKind.None:
                Add(verb.Arguments[0].GetCompletions(CompletionContext.Empty));
                break;
            default:
                foreach (string name in names(verb.OperandKind, read.Global))
                {
                    _candidates.Add((Printable.Escape(name), ""));
                }

                break;
        }
    }

    private void FindValues(Verb verb, Option option, string last)
    {
        if (option.Name == "--format" && verb.TemplateFields.Count > 0)
        {
            _candidates.Add(("json", ""));
            int open = last.LastIndexOf("{{.", StringComparison.Ordinal);
            string prefix = open < 0 ? "{{." : last[..(open + 3)];
            foreach (string field in verb.TemplateFields)
            {
                _candidates.Add(($"{prefix}{field}}}}}", ""));
            }

            _directive = NoSpace | NoFiles;
            return;
        }

        Add(option.GetCompletions(CompletionContext.Empty));
        _directive = _candidates.Count > 0 ? NoFiles : Files;
    }

    private void Add(IEnumerable<CompletionItem> items)
    {
        foreach (CompletionItem item in items)
        {
            _candidates.Add((item.Label, item.Detail ?? ""));
        }
    }

    private void AddOptions(List<OptionRow> rows)
    {
        foreach (OptionRow row in rows)
        {
            _candidates.Add((row.Long, row.Description));
            if (row.Short is { } shortName)
            {
                _candidates.Add((shortName, row.Description));
            }
        }
    }
}
