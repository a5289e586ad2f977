using System.Text.RegularExpressions;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A test with a store of its own.</summary>
public abstract partial class OciTest(Machine machine) : IAsyncLifetime
{
    private Oci? _oci;

    protected Machine Machine { get; } = machine;

    protected Oci Oci => _oci!;

    /// <summary>Ends the test early when the run is stopped.</summary>
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public virtual ValueTask InitializeAsync()
    {
        _oci = new Oci();
        return ValueTask.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_oci is not null)
        {
            await _oci.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Runs a command in a new container of the plain image, which is removed afterwards.</summary>
    protected async Task<ProgramResult> RunInPlainAsync(string[] options, params string[] command)
    {
        // pulled before, so that standard error is the container's alone
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        return await Oci.RunAsync(["run", "--rm", .. options, image, .. command]);
    }

    /// <summary>The same for a script of the shell.</summary>
    protected Task<ProgramResult> ScriptAsync(string script, params string[] options) =>
        RunInPlainAsync(options, "sh", "-c", script);

    /// <summary>One clear line on standard error, nothing on standard output, the right status, no stack trace.</summary>
    protected static void Failed(ProgramResult result, int status, params string[] causes)
    {
        Assert.True(result.Status == status, $"expected status {status}: {result}");
        string[] errors = [.. result.Error.Split('\n').Where(line => line.StartsWith("Error: ", StringComparison.Ordinal))];
        Assert.True(errors.Length == 1, $"expected exactly one line 'Error: …': {result}");
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.True(
            causes.All(cause => Regex.IsMatch(errors[0], cause, RegexOptions.IgnoreCase, TimeSpan.FromSeconds(1))),
            $"expected {string.Join(" and ", causes)}: {result}");
    }

    /// <summary>After a failure the same store still does the main job.</summary>
    protected async Task StillWorksAsync()
    {
        await Oci.BlobsAreWholeAsync();
        string image = await Machine.PlainAsync();
        (await Oci.RunAsync("pull", "-q", image)).Succeeded();
        ProgramResult run = await Oci.RunAsync("run", "--rm", image, "cat", "/etc/redhat-release");
        Assert.Equal("Fedora release 34 (Thirty Four)\n", run.Succeeded().Output);
    }
}
