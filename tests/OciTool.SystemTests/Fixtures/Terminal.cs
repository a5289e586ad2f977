using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A pseudo-terminal on which a script runs, typed at and looked at from outside.</summary>
/// <remarks>script(1) makes the terminal; stty(1) on its device shows and changes what a terminal emulator would.</remarks>
internal sealed class Terminal : IDisposable
{
    private readonly RunningProgram _program;

    private Terminal(RunningProgram program, string device)
    {
        _program = program;
        Device = device;
    }

    /// <summary>For example <c>/dev/pts/3</c>.</summary>
    public string Device { get; }

    /// <summary>Starts a script on a new terminal of 24 lines and 80 columns.</summary>
    /// <param name="script">For sh(1); <c>$OCI</c> is the binary with the arguments that select the store.</param>
    public static async Task<Terminal> StartAsync(Oci oci, string script, params string[] words)
    {
        Need.Programs("script", "stty");
        string file = oci["terminal.sh"];
        // script(1) takes one command line; the file keeps quoting out of it
        await File.WriteAllTextAsync(file, $"""
            stty rows 24 cols 80
            oci() {'{'} {Quote([Oci.Binary, .. oci.Arguments()])} "$@"; {'}'}
            echo "terminal=$(tty) end"
            set -- {Quote(words)}
            {script}
            """);
        var program = RunningProgram.Start("script", ["-qefc", $"sh {file}", "/dev/null"], oci.CleanEnvironment());
        string output = await program.OutputHasAsync(" end");
        int begin = output.IndexOf("terminal=", StringComparison.Ordinal) + "terminal=".Length;
        return new(program, output[begin..output.IndexOf(" end", StringComparison.Ordinal)]);
    }

    public async Task TypeAsync(string text)
    {
        await _program.Input.WriteAsync(text);
        await _program.Input.FlushAsync();
    }

    public Task<string> ShowsAsync(string text) => _program.OutputHasAsync(text);

    public async Task ResizeAsync(int rows, int columns) =>
        (await Shell.RunAsync("stty", "-F", Device, "rows", $"{rows}", "cols", $"{columns}")).Succeeded();

    /// <summary>All settings, as <c>stty -a</c> shows them.</summary>
    public async Task<string> SettingsAsync() =>
        (await Shell.RunAsync("stty", "-F", Device, "-a")).Succeeded().Output;

    public Task<ProgramResult> EndAsync() => _program.EndAsync();

    public void Dispose() => _program.Dispose();

    private static string Quote(IEnumerable<string> words) =>
        string.Join(' ', words.Select(word => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
}
