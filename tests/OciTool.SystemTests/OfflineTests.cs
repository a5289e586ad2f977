using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary><c>OCI_OFFLINE=1</c>: what needs a registry fails at once, all else works, and no connection is opened.</summary>
public sealed class OfflineTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task What_needs_a_registry_fails_with_a_hint()
    {
        string image = await Machine.PlainAsync();
        ProgramResult pull = await OfflineAsync("pull", image);
        Failed(pull, 125, "^Error: offline: ");
        Assert.Contains("Hint: ", pull.Error, StringComparison.Ordinal);
        Failed(await OfflineAsync("run", "--rm", image, "true"), 125, "^Error: offline: ");
    }

    [Fact]
    public async Task Images_that_are_here_are_run_and_need_not_be_pulled()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        ProgramResult run = await OfflineAsync("run", "--rm", image, "echo", "hello");
        Assert.Equal("hello\n", run.Succeeded().Output);
        ProgramResult pull = await OfflineAsync("pull", "-q", "--policy", "missing", image);
        Assert.Single(pull.Succeeded().Lines);
        Failed(await OfflineAsync("run", "--rm", "--pull", "always", image, "true"), 125, "^Error: offline: ");
    }

    [Theory]
    [InlineData("pull", "IMAGE")]
    [InlineData("pull", "short-name")]
    [InlineData("run", "--rm", "quay.invalid/x", "true")]
    [InlineData("run", "--rm", "--pull", "newer", "IMAGE", "true")]
    [InlineData("images")]
    [InlineData("inspect", "IMAGE")]
    [InlineData("ps", "-a")]
    [InlineData("info")]
    public async Task No_verb_opens_a_socket(params string[] arguments)
    {
        Need.Programs("strace");
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string trace = Oci["trace"];
        string[] command = [.. arguments.Select(argument => argument == "IMAGE" ? image : argument)];

        await Shell.RunAsync(
            "strace",
            ["-f", "-qq", "-o", trace, "-e", "trace=network", Oci.Binary, .. Oci.Arguments(command)],
            Oci.CleanEnvironment(("OCI_OFFLINE", "1")));

        string[] calls = await File.ReadAllLinesAsync(trace, Cancellation);
        Assert.DoesNotContain(
            calls,
            call => (call.Contains("socket(", StringComparison.Ordinal) || call.Contains("connect(", StringComparison.Ordinal))
                && !call.Contains("AF_UNIX", StringComparison.Ordinal));
    }

    private Task<ProgramResult> OfflineAsync(params string[] arguments) => Oci.RunAsync([("OCI_OFFLINE", "1")], null, arguments);
}
