using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>System calls of a whole run, as the kernel saw them.</summary>
public sealed class StraceTests(Machine machine) : OciTest(machine)
{
    /// <summary>CVE-2019-14271: a library that is loaded after the root changed is the image's library.</summary>
    [Theory]
    [InlineData("--rm")]
    [InlineData("--rm", "--init", "--user", "guest", "--network", "none")]
    [InlineData("--rm", "--privileged", "-t")]
    [Cve("CVE-2019-14271", "a library that is loaded after the root has changed is the library of the image")]
    public async Task No_shared_object_is_opened_after_the_root_has_changed(params string[] options)
    {
        Need.Programs("strace");
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string trace = Oci["trace"];

        ProgramResult run = await Shell.RunAsync(
            "strace",
            ["-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2,pivot_root",
                Oci.Binary, .. Oci.Arguments(["run", .. options, image, "true"])],
            Oci.CleanEnvironment());

        run.Succeeded();
        string[] calls = await File.ReadAllLinesAsync(trace, Cancellation);
        int pivot = Array.FindIndex(calls, call => call.Contains("pivot_root(", StringComparison.Ordinal));
        Assert.True(pivot >= 0, "no pivot_root in the trace");
        Assert.DoesNotContain(
            calls[pivot..],
            call => call.Contains(".so", StringComparison.Ordinal) && !call.Contains("ENOENT", StringComparison.Ordinal));
    }
}
