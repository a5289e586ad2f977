using System.CommandLine;
using OciTool.Cli.Help;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>The command line of an OCI runtime, as engines call it: <c>oci-runtime VERB</c> or <c>oci runtime VERB</c>.</summary>
/// <remarks>Every failure has the status 1, one line in the log file, and the same text on standard error.</remarks>
internal static class RuntimeProgram
{
    /// <summary>The name by which the binary is this program.</summary>
    public const string Name = "oci-runtime";

    /// <summary>The name of the group of verbs in <c>oci</c>.</summary>
    public const string GroupName = "runtime";

    private const int Failed = 1;

    /// <summary>Whether the binary was called by the runtime's name.</summary>
    public static bool IsCalled =>
        Environment.GetCommandLineArgs() is [{ } program, ..] && Path.GetFileName(program.AsSpan()) is Name;

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The words behind the program's name.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Errors.</param>
    public static int Run(ReadOnlySpan<string> args, TextWriter output, TextWriter error)
    {
        RuntimeOptions options = new();
        string verb = "";
        try
        {
            options = RuntimeOptions.Read(args);
            args = args[options.Next..];
            if (options.ShowVersion)
            {
                output.Write($"{Name} version {Program.Version}\nspec: {RuntimeSpec.Version}\n");
                output.Flush();
                return ExitCode.Success;
            }

            if (args.IsEmpty || options.ShowHelp || args[0] is "help")
            {
                HelpText.Write(CommandTable.Runtime, Name, output);
                output.Flush();
                return args.IsEmpty && !options.ShowHelp ? Failed : ExitCode.Success;
            }

            verb = args[0];
            int status = Invoke(options, verb, args[1..], output, error);
            output.Flush();
            return status;
        }
        catch (Exception e) when (Explain(e, verb) is { } text)
        {
            Log(options, text);
            error.Write($"{text}\n");
            return Failed;
        }
    }

    private static int Invoke(RuntimeOptions options, string word, ReadOnlySpan<string> words, TextWriter output, TextWriter error)
    {
        if (CommandTable.Runtime.Find(word) is not VerbEntry entry)
        {
            throw new UsageException($"unknown command \"{Printable.Shorten(word)}\" for \"{Name}\"");
        }

        RuntimeVerb verb = (RuntimeVerb)entry.Build(Name);
        FlagArguments arguments = FlagArguments.Read(verb, words, verb.Global);
        if (arguments.Help)
        {
            HelpText.Write(verb, output);
            return ExitCode.Success;
        }

        arguments.CheckOperandCount(verb);
        verb.Runtime = options;
        ParseResult command = verb.Parse(
            arguments.Canonical(verb),
            new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        return command.Errors.Count > 0
            ? throw new UsageException(Printable.Escape(command.Errors[0].Message))
            : command.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
                Error = error,
            });
    }

    // engines match these texts: contracts are in docs/runtime.md
    private static string? Explain(Exception exception, string verb) => exception switch
    {
        ContainerStartException e => $"{verb} failed: unable to start container process: {Cause(e)}",
        OciException or IOException or UnauthorizedAccessException or ArgumentException => verb is "create" or "run" or "exec"
            ? $"{verb} failed: {Printable.Escape(exception.Message)}"
            : Printable.Escape(exception.Message),
        _ => null,
    };

    private static string Cause(ContainerStartException e)
    {
        string name = Printable.Shorten(e.Operand);
        bool isPath = e.Operand.Contains('/', StringComparison.Ordinal);
        string reason = ErrnoException.Describe(e.Errno).ToLowerInvariant();
        return (e.Step, e.Errno) switch
        {
            (ContainerStartException.ExecuteStep, Errno.ENOENT) when !isPath => $"exec: \"{name}\": executable file not found in $PATH",
            (ContainerStartException.ExecuteStep, Errno.ENOENT or Errno.ENOTDIR) => $"exec: \"{name}\": stat {name}: {reason}",
            (ContainerStartException.ExecuteStep, _) => $"exec: \"{name}\": {reason}",
            (ContainerStartException.DirectoryStep, Errno.EXDEV) =>
                $"chdir to cwd (\"{name}\") set in config.json failed: it is outside of the container mount namespace root",
            (ContainerStartException.DirectoryStep, _) => $"chdir to cwd (\"{name}\") set in config.json failed: {reason}",
            _ => $"error during container init: {e.Step}: {LowerReason(e.Operand, e.Errno)}",
        };
    }

    // engines look for the words of Go's library, which are lower-case
    private static string LowerReason(string message, Errno errno)
    {
        string reason = ErrnoException.Describe(errno);
        return Printable.Escape(errno != Errno.None && message.EndsWith(reason, StringComparison.Ordinal)
            ? message[..^reason.Length] + reason.ToLowerInvariant()
            : message);
    }

    private static void Log(RuntimeOptions options, string text)
    {
        if (options.Log is null)
        {
            return;
        }

        try
        {
            RuntimeLog.Append(options.Log, options.IsJson, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // standard error has it all the same
        }
    }
}
