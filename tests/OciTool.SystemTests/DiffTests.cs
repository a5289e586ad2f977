using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>diff: which files of a container or an image are new, changed or gone, in podman's words.</summary>
public sealed class DiffTests(Machine machine) : OciTest(machine)
{
    private const string Change = "rm /etc/group; echo x > /etc/passwd; mkdir -p /d/e; touch /d/e/f; rm -r /home; chmod 700 /tmp; ln -s x /l";

    [Fact]
    public async Task Of_a_container_podman_says_the_same()
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await podman.PullAsync(image);
        string[] run = ["run", "--name", "c1", "--network", "none", image, "sh", "-c", Change];
        (await podman.RunAsync(run)).Succeeded();
        (await Oci.RunAsync(run)).Succeeded();

        string[] expected = [.. (await podman.RunAsync("diff", "c1")).Succeeded().Lines.Order(StringComparer.Ordinal)];

        Assert.Equal(expected, (await Oci.RunAsync("diff", "c1")).Succeeded().Lines.Order(StringComparer.Ordinal));
        Assert.Equal(expected, (await Oci.RunAsync("container", "diff", "c1")).Succeeded().Lines.Order(StringComparer.Ordinal));
        Assert.Equal(
            (await podman.RunAsync("diff", "--format", "json", "c1")).Succeeded().Lines.Length,
            (await Oci.RunAsync("diff", "--format", "json", "c1")).Succeeded().Lines.Length);
    }

    [Fact]
    public async Task Of_an_image_it_tells_the_topmost_layer_and_of_two_what_makes_one_the_other()
    {
        string lower = await Oci.PullAsync(await Machine.PlainAsync());
        string upper = await Oci.PullAsync(await Machine.PublishAsync(
            "verbs-diff", Machine.Images.With(new Layer().Directory("more").File("more/file", "content").File("etc/passwd", "root:x:0:0::/:/bin/sh\n"))));

        string expected = "C /etc\nC /etc/passwd\nA /more\nA /more/file\n";
        Assert.Equal(expected, (await Oci.RunAsync("image", "diff", upper)).Succeeded().Output);
        Assert.Equal(expected, (await Oci.RunAsync("diff", upper, lower)).Succeeded().Output);
        Assert.Equal("C /etc\nC /etc/passwd\nD /more\n", (await Oci.RunAsync("image", "diff", lower, upper)).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("diff", upper, upper)).Succeeded().Output);
        Assert.Equal("{}\n", (await Oci.RunAsync("diff", "--format", "json", upper, upper)).Succeeded().Output);
        Assert.Contains("A /bin/busybox\n", (await Oci.RunAsync("image", "diff", lower)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Join(Oci.Root, "tmp")));
    }

    [Fact]
    public async Task A_container_is_compared_with_another_image_and_while_it_runs()
    {
        string lower = await Oci.PullAsync(await Machine.PlainAsync());
        string upper = await Oci.PullAsync(await Machine.PublishAsync("verbs-diff-2", Machine.Images.With(new Layer().File("more", "content"))));
        using RunningProgram run = Oci.Start("run", "--name", "live", "--network", "none", upper, "sh", "-c", "touch /x; echo ready; exec sleep 1000", Oci.Marker());
        await run.OutputHasAsync("ready");

        Assert.Equal("C /etc\nA /x\n", (await Oci.RunAsync("diff", "live")).Succeeded().Output);
        Assert.Equal("C /etc\nA /more\nA /x\n", (await Oci.RunAsync("diff", "live", lower)).Succeeded().Output);
        await run.SignalAsync("KILL");
    }

    [Theory]
    [InlineData("nosuch not found: layer not known", "diff", "nosuch")]
    [InlineData("nosuch not found: container not known", "container", "diff", "nosuch")]
    [InlineData("nosuch not found: nosuch: image not known", "image", "diff", "nosuch")]
    [InlineData("accepts between 1 and 2 arg.s., received 0", "image", "diff")]
    [InlineData("requires a name or ID", "diff")]
    [InlineData("only supported value for '--format' is 'json'", "diff", "--format", "x", "nosuch")]
    public async Task A_wrong_argument_is_an_error(string cause, params string[] arguments) =>
        Failed(await Oci.RunAsync(arguments), 125, cause);
}
