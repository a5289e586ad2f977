using System.CommandLine;
using OciTool.Cli.Help;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary><c>oci completion SHELL</c>: prints the script that makes a shell complete our command lines.</summary>
internal sealed class CompletionCommand : Verb
{
    private readonly Argument<string> _shell = new("SHELL") { Description = "The shell." };

    public CompletionCommand()
        : base("completion", "Print a completion script for a shell")
    {
        Details = "Prints a script that makes a shell complete the command lines of oci:\n"
            + "verbs, options and the names of images and containers.";
        Operands = "bash|fish|zsh";
        Examples = ["completion bash > /etc/bash_completion.d/oci", "completion fish | source"];
        _shell.CompletionSources.Add(CompletionScripts.Shells);
        Add(_shell);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        string shell = command.GetRequiredValue(_shell);
        if (!CompletionScripts.Shells.Contains(shell))
        {
            throw new UsageException(
                $"invalid argument \"{Printable.Escape(shell)}\" for \"{Path}\": choose from: {string.Join(", ", CompletionScripts.Shells)}");
        }

        command.InvocationConfiguration.Output.Write(CompletionScripts.Of(shell));
        return ExitCode.Success;
    }
}

/// <summary><c>oci __complete WORDS</c>: answers the completion scripts.</summary>
internal sealed class CompleteCommand : Verb
{
    private readonly Func<OperandKind, GlobalOptions, IEnumerable<string>> _names;
    private readonly Argument<string[]> _words = new("WORDS") { Arity = ArgumentArity.ZeroOrMore };

    /// <summary>Creates the verb.</summary>
    /// <param name="name"><c>__complete</c>, or <c>__completeNoDesc</c> for answers without descriptions.</param>
    /// <param name="names">The names of images or containers.</param>
    public CompleteCommand(string name, Func<OperandKind, GlobalOptions, IEnumerable<string>> names)
        : base(name, "Answer a completion script")
    {
        _names = names;
        ReadsRawWords = true;
        Add(_words);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        new Completion(_names).Write(
            command.GetValue(_words) ?? [], Name == "__complete", command.InvocationConfiguration.Output);
        return ExitCode.Success;
    }
}
