using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>export: the tree of a container as one archive that other programs read.</summary>
public sealed class ExportTests(Machine machine) : OciTest(machine)
{
    private const string Script = """
        rm /etc/group; echo new > /etc/passwd; mkdir -p /d/e; ln /etc/passwd /d/same; ln -s ../x /d/link; chmod 4755 /bin/busybox
        rm -r /home/guest; mkdir -m 700 /home/guest; chown 1000:1000 /home/guest; mknod /d/null c 1 3
        """;

    [Fact]
    public async Task GNU_tar_reads_the_tree_that_the_container_saw()
    {
        string container = await ChangedAsync("tree");
        string archive = Oci["tree.tar"];

        ProgramResult export = (await Oci.RunAsync("export", "-o", archive, container)).Succeeded();

        Assert.Equal("", export.Output);
        Assert.Equal(0, new FileInfo(archive).Length % 10240);
        string listing = (await Shell.RunAsync("tar", "--numeric-owner", "-tvf", archive)).Succeeded().Output;
        Assert.DoesNotContain("etc/group", listing, StringComparison.Ordinal);
        Assert.DoesNotContain(".wh.", listing, StringComparison.Ordinal);
        Assert.Matches(@"h\S+ 0/0 +0 \S+ \S+ etc/passwd link to d/same", listing);
        Assert.Matches(@"l\S+ 0/0 +0 \S+ \S+ d/link -> \.\./x", listing);
        Assert.Matches(@"-rwsr-xr-x 0/0 .* bin/busybox\n", listing);
        Assert.Matches(@"drwx------ 1000/1000 .* home/guest/\n", listing);
        Assert.Matches(@"c\S+ 0/0 +1,3 .* d/null\n", listing);
        string[] names = [.. (await Shell.RunAsync("tar", "-tf", archive)).Succeeded().Lines.Select(name => name.TrimEnd('/'))];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal("new\n", (await Shell.RunAsync("tar", "-xOf", archive, "d/same")).Succeeded().Output);
    }

    [Fact]
    public async Task To_standard_output_come_the_same_bytes_as_to_a_file()
    {
        string container = await ChangedAsync("same");
        (await Oci.RunAsync("export", "-o", Oci["a.tar"], container)).Succeeded();

        (await Shell.RunAsync("sh", "-c", "out=$1; shift; exec \"$@\" > \"$out\"", "sh", Oci["b.tar"], Fixtures.Oci.Binary, "--root", Oci.Root, "container", "export", container)).Succeeded();

        Assert.Equal(await File.ReadAllBytesAsync(Oci["a.tar"], Cancellation), await File.ReadAllBytesAsync(Oci["b.tar"], Cancellation));
    }

    [Fact]
    public async Task A_container_is_exported_while_it_runs_and_runs_on()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using RunningProgram run = Oci.Start(
            "run", "--name", "live", "--network", "none", image, "sh", "-c", "echo 1 > /one; trap 'cat /one; exit 0' TERM; echo ready; while :; do sleep 0.1; done", Oci.Marker());
        await run.OutputHasAsync("ready");

        (await Oci.RunAsync("export", "-o", Oci["live.tar"], "live")).Succeeded();

        Assert.Equal("1\n", (await Shell.RunAsync("tar", "-xOf", Oci["live.tar"], "one")).Succeeded().Output);
        await run.SignalAsync("TERM");
        Assert.Equal("ready\n1\n", (await run.EndAsync()).Succeeded().Output);
    }

    [Fact]
    public async Task It_refuses_terminals_and_what_is_not_there()
    {
        string container = await ChangedAsync("c1");
        using Terminal terminal = await Terminal.StartAsync(Oci, "oci export c1; echo \"status $?\"");

        await terminal.ShowsAsync("refusing to export to terminal. Use -o flag or redirect");
        await terminal.ShowsAsync("status 125");
        Failed(await Oci.RunAsync("export", "nosuch"), 125, "no container with name or ID \"nosuch\" found: no such container");
        Failed(await Oci.RunAsync("export"), 125, "accepts 1 arg.s., received 0");
        Failed(await Oci.RunAsync("export", "-o", Oci["no/such/dir"], container), 125, "no such file or directory");
        Failed(await Oci.RunAsync("export", "-o", "/dev/full", container), 125, "No space left on device");
    }

    private async Task<string> ChangedAsync(string name)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", name, "--network", "none", "--cap-add", "MKNOD", image, "sh", "-c", Script)).Succeeded();
        return name;
    }
}
