using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Nothing piles up.</summary>
public sealed class LeakTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task A_hundred_runs_leave_no_mount_cgroup_process_or_file()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        (await Oci.RunAsync("run", "--rm", image, "true")).Succeeded();
        string[] before = Files();

        for (int index = 0; index < 100; index += 4)
        {
            ProgramResult[] runs = await Task.WhenAll(Enumerable.Range(index, 4).Select(number => Oci.RunAsync(
                "run", "--rm", "--cidfile", Oci[$"cid-{number}"], image, "sh", "-c", "exit 0", marker)));
            Assert.All(runs, run => run.Succeeded());
        }

        Assert.Empty(Mounts.Under(Oci.Root));
        Assert.Empty(Processes.With(marker));
        Assert.Equal(before, Files());
        HashSet<string> ids = [.. Enumerable.Range(0, 100).Select(number => File.ReadAllText(Oci[$"cid-{number}"]))];
        Assert.Equal(100, ids.Count);
        Assert.DoesNotContain(
            Directory.EnumerateDirectories("/sys/fs/cgroup", "*", Skipping),
            cgroup => ids.Any(id => cgroup.Contains(id, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Runs_that_fail_leave_nothing_either()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await Oci.RunAsync("run", "--rm", image, "nosuchcommand");
        string[] before = Files();

        foreach (string[] run in new string[][]
        {
            ["--rm", image, "nosuchcommand"], ["--rm", image, "/etc"], ["--rm", "-u", "nosuchuser", image, "true"],
            ["--rm", "-v", $"{Oci["absent"]}:/x", image, "true"], [image, "nosuchcommand"], ["-u", "nosuchuser", image, "true"],
        })
        {
            Assert.InRange((await Oci.RunAsync(["run", .. run])).Status, 125, 127);
        }

        foreach (string id in (await Oci.RunAsync("ps", "-aq")).Succeeded().Lines)
        {
            (await Oci.RunAsync("rm", id)).Succeeded();
        }

        Assert.Equal(before, Files());
        Assert.Empty(Mounts.Under(Oci.Root));
    }

    // a cgroup of another test may go while we look
    private static EnumerationOptions Skipping => new() { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 4 };

    private string[] Files() =>
        [.. Directory.EnumerateFileSystemEntries(Oci.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
