using System.Diagnostics;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>What a finished program left: its status and both streams, apart.</summary>
public sealed record ProgramResult(string CommandLine, int Status, string Output, string Error)
{
    /// <summary>The lines of standard output, without their ends.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails the test unless the program succeeded.</summary>
    public ProgramResult Succeeded()
    {
        Assert.True(Status == 0, ToString());
        return this;
    }

    public override string ToString() => $"{CommandLine}\nstatus {Status}\nstdout:\n{Output}\nstderr:\n{Error}";
}

/// <summary>Runs programs of the host to their end.</summary>
public static class Shell
{
    /// <summary>Long enough for the slowest peer on a loaded machine; a program that needs longer hangs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public static Task<ProgramResult> RunAsync(string program, params string[] arguments) =>
        RunAsync(program, arguments, environment: null);

    public static async Task<ProgramResult> RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        string? input = null)
    {
        using RunningProgram running = RunningProgram.Start(program, arguments, environment);
        if (input is not null)
        {
            await running.Input.WriteAsync(input.AsMemory(), TestContext.Current.CancellationToken);
        }

        running.Input.Close();
        return await running.EndAsync();
    }
}

/// <summary>A program that runs while the test talks to it; disposing kills it and all its descendants.</summary>
public sealed class RunningProgram : IDisposable
{
    private readonly Process _process;
    private readonly string _commandLine;
    private readonly TextCollector _output;
    private readonly TextCollector _error;

    private RunningProgram(Process process, string commandLine)
    {
        _process = process;
        _commandLine = commandLine;
        _output = new(process.StandardOutput);
        _error = new(process.StandardError);
    }

    public int Id => _process.Id;

    public StreamWriter Input => _process.StandardInput;

    public static RunningProgram Start(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        return new(process, $"{program} {string.Join(' ', arguments)}");
    }

    /// <summary>Waits until standard output has <paramref name="text"/> and returns all output so far.</summary>
    public Task<string> OutputHasAsync(string text) => _output.HasAsync(text, ToString);

    /// <summary>Waits until standard error has <paramref name="text"/> and returns all of it so far.</summary>
    public Task<string> ErrorHasAsync(string text) => _error.HasAsync(text, ToString);

    /// <summary>Waits for the end of the program and of both streams.</summary>
    public Task<ProgramResult> EndAsync() => EndAsync(Shell.Patience);

    /// <inheritdoc cref="EndAsync()"/>
    public async Task<ProgramResult> EndAsync(TimeSpan patience)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await Task.WhenAll(_output.Completion, _error.Completion).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            string state = ToString();
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"still running after {patience}: {state}");
        }

        return new(_commandLine, _process.ExitCode, _output.Text, _error.Text);
    }

    /// <summary>Sends a signal by its name without SIG, as kill(1) takes it.</summary>
    public Task SignalAsync(string signal) => Shell.RunAsync("kill", $"-{signal}", $"{Id}");

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    public override string ToString() => $"{_commandLine}\nstdout:\n{_output.Text}\nstderr:\n{_error.Text}";
}
