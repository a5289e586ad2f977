using OciTool.Images;

namespace OciTool.Cli;

/// <summary>The beginning of a command line: the global options and the words that lead to a verb.</summary>
/// <param name="Group">The group that the words led to last.</param>
/// <param name="Path">The words so far, for example <c>oci image</c>.</param>
/// <param name="Global">The global options so far.</param>
internal sealed record CommandLineStart(CommandGroup Group, string Path, GlobalOptions Global)
{
    /// <summary>The verb; null when the words end at a group.</summary>
    public Verb? Verb { get; private init; }

    /// <summary>Where the verb's own arguments begin.</summary>
    public int Next { get; private init; }

    /// <summary>Whether help was asked for before a verb was named, or nothing was.</summary>
    public bool ShowHelp { get; private init; }

    /// <summary>Whether <c>--version</c> was given.</summary>
    public bool ShowVersion { get; private init; }

    /// <summary>Reads the beginning of a command line.</summary>
    /// <param name="args">The whole of it.</param>
    /// <exception cref="UsageException">An option or a verb is unknown.</exception>
    public static CommandLineStart Read(ReadOnlySpan<string> args)
    {
        CommandLineStart start = new(CommandTable.Root, CommandTable.Root.Name, new GlobalOptions());
        for (int i = 0; i < args.Length; i++)
        {
            string word = args[i];
            if (word is "--help" or "-h")
            {
                return start with { ShowHelp = true };
            }

            if (word is "--version" or "-v" && start.Group == CommandTable.Root)
            {
                return start with { ShowVersion = true };
            }

            if (word.Length > 1 && word[0] == '-')
            {
                start = start with { Global = ReadGlobal(start, args, ref i) };
                continue;
            }

            switch (start.Group.Find(word))
            {
                case CommandGroup group:
                    start = start with { Group = group, Path = $"{start.Path} {group.Name}" };
                    break;
                case VerbEntry entry:
                    return start with { Verb = entry.Build(start.Path), Next = i + 1 };
                default:
                    throw start.Group.Unrecognized(start.Path, word);
            }
        }

        return start;
    }

    private static GlobalOptions ReadGlobal(CommandLineStart start, ReadOnlySpan<string> args, ref int i)
    {
        string word = args[i];
        UsageException Wrong(string message) => new(message) { Advice = $"See '{start.Path} --help'" };

        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        if (!GlobalOptions.IsName(name))
        {
            throw word.StartsWith("--", StringComparison.Ordinal)
                ? Wrong($"unknown flag: {Printable.Escape(name)}")
                : Wrong($"unknown shorthand flag: '{Printable.Escape(word.AsSpan(1, 1))}' in {Printable.Escape(word)}");
        }

        if (equals >= 0)
        {
            return start.Global.With(name, word[(equals + 1)..]);
        }

        return i + 1 < args.Length
            ? start.Global.With(name, args[++i])
            : throw Wrong($"flag needs an argument: {name}");
    }
}
