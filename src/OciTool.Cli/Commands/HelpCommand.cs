using System.CommandLine;
using OciTool.Cli.Help;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary><c>oci help [VERB]</c>: prints the help of a verb.</summary>
internal sealed class HelpCommand : Verb
{
    private readonly Argument<string[]> _words = new("COMMAND") { Arity = ArgumentArity.ZeroOrMore };

    public HelpCommand()
        : base("help", "Help about any command")
    {
        Operands = "[COMMAND]";
        Examples = ["help run", "help image exists"];
        Add(_words);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        CommandGroup group = CommandTable.Root;
        string path = group.Name;
        foreach (string word in command.GetValue(_words) ?? [])
        {
            switch (group.Find(word))
            {
                case CommandGroup inner:
                    group = inner;
                    path = $"{path} {inner.Name}";
                    break;
                case VerbEntry entry:
                    HelpText.Write(entry.Build(path), output);
                    return ExitCode.Success;
                default:
                    command.InvocationConfiguration.Error.Write($"Unknown help topic [`{Printable.Escape(word)}`]\n");
                    HelpText.Write(group, path, command.InvocationConfiguration.Error);
                    return ExitCode.Success;
            }
        }

        HelpText.Write(group, path, output);
        return ExitCode.Success;
    }
}

/// <summary><c>oci __man DIRECTORY</c>: writes the manual pages, for the build.</summary>
internal sealed class ManCommand : Verb
{
    private readonly Argument<string> _directory = new("DIRECTORY");

    public ManCommand()
        : base("__man", "Write the manual pages")
    {
        OperandKind = OperandKind.File;
        Add(_directory);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        string directory = command.GetRequiredValue(_directory);
        Directory.CreateDirectory(directory);
        foreach ((string fileName, string content) in ManPages.All())
        {
            File.WriteAllText(System.IO.Path.Join(directory, fileName), content);
        }

        return ExitCode.Success;
    }
}
