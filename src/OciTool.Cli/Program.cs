using System.CommandLine;
using System.CommandLine.Invocation;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using OciTool.Cli.ContainerRuntime;
using OciTool.Cli.Help;
using OciTool.Images;

namespace OciTool.Cli;

/// <summary>Main: find the verb, run it, explain how it failed.</summary>
internal static class Program
{
    /// <summary>The version of this tool.</summary>
    public static string Version => ThisAssembly.Version;

    [SuppressMessage("Reliability", "CA2025", Justification = "the task is waited for")]
    private static int Main(string[] args)
    {
        if (args.Length > 0 && Stages.Find(args[0]) is { } stage)
        {
            return stage(args);
        }

        // our own writers: Console's are slower to build, and flush after every piece
        using StreamWriter output = new(new StandardOutput(1), new UTF8Encoding(false), bufferSize: 4096);
        using StreamWriter error = new(new StandardOutput(2), new UTF8Encoding(false), bufferSize: 1024) { AutoFlush = true };
        if (RuntimeProgram.IsCalled)
        {
            return RuntimeProgram.Run(args, output, error);
        }

        if (args is [RuntimeProgram.GroupName, _, ..])
        {
            return RuntimeProgram.Run(args.AsSpan(1), output, error);
        }

        if (args is ["--version" or "-v"])
        {
            output.Write(VersionLine("oci"));
            return ExitCode.Success;
        }

        return RunAsync(args, output, error).GetAwaiter().GetResult();
    }

    /// <summary>Runs one command line; tests call this with writers of their own.</summary>
    /// <param name="args">The words after the program's name.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Everything for people.</param>
    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        using SignalCancellation signals = new();
        try
        {
            int status = await DispatchAsync(args, output, error, signals);
            await output.FlushAsync();
            return status;
        }
        catch (Exception e) when (ExitCode.TryExplain(e, signals.Signal, out Failure? failure))
        {
            await ReportAsync(e, failure, output, error);
            return failure.Status;
        }
#pragma warning disable CA1031 // whatever reaches this place is a defect of ours: it is shown whole, under our own status
        catch (Exception e)
#pragma warning restore CA1031
        {
            await output.FlushAsync();
            await error.WriteLineAsync($"Error: defect in oci {Version}, please report it: {e}");
            return ExitCode.ToolFailed;
        }
    }

    private static string VersionLine(string program) => $"{program} version {Version}\n";

    private static async Task<int> DispatchAsync(
        string[] args, TextWriter output, TextWriter error, SignalCancellation signals)
    {
        CommandLineStart start = CommandLineStart.Read(args);
        switch (start)
        {
            case { ShowVersion: true }:
                await output.WriteAsync(VersionLine(CommandTable.Root.Name));
                return ExitCode.Success;
            case { Verb: null, ShowHelp: true }:
                HelpText.Write(start.Group, start.Path, output);
                return ExitCode.Success;
            case { Verb: null }:
                HelpText.Write(start.Group, start.Path, output);
                throw new UsageException($"missing command '{start.Path} COMMAND'");
        }

        Verb verb = start.Verb;
        FlagArguments arguments = FlagArguments.Read(verb, args.AsSpan(start.Next), start.Global);
        if (arguments.Help)
        {
            HelpText.Write(verb, output);
            return ExitCode.Success;
        }

        arguments.CheckOperandCount(verb);
        verb.Global = arguments.Global;
        ParseResult command = verb.Parse(
            arguments.Canonical(verb),
            new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (command.Errors.Count > 0)
        {
            throw new UsageException(Printable.Escape(command.Errors[0].Message)) { Advice = $"See '{verb.Path} --help'" };
        }

        if (verb.Action is AsynchronousCommandLineAction && !verb.OwnsSignals)
        {
            signals.Listen();
        }

        return await command.InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
                Error = error,
            },
            signals.Token);
    }

    private static async Task ReportAsync(Exception exception, Failure failure, TextWriter output, TextWriter error)
    {
        try
        {
            await output.FlushAsync();
        }
        catch (IOException) when (failure.Message.Length == 0)
        {
            return;
        }

        if (failure.Message.Length > 0)
        {
            await error.WriteAsync($"Error: {failure.Message}\n");
        }

        if (exception is UsageException { Advice: { } advice })
        {
            await error.WriteAsync($"{advice}\n");
        }

        if (failure.Hint is { } hint)
        {
            await error.WriteAsync($"Hint: {hint}\n");
        }
    }
}
