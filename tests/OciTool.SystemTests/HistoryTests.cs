using System.Text.RegularExpressions;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>history, image tree, untag and container exists, beside podman on the same image.</summary>
public sealed partial class HistoryTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task History_says_what_podman_says_of_the_same_image()
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await TwoLayersAsync());
        await podman.PullAsync(image);
        foreach (string[] options in (string[][])
            [
                [], ["-q"], ["--no-trunc"], ["-q", "--no-trunc"], ["--human=false"],
                ["--format", "{{.Created}}|{{.CreatedAt}}|{{.CreatedSince}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}"],
                ["--format", "table {{.CreatedBy}} {{.Size}}"],
            ])
        {
            ProgramResult expected = (await podman.RunAsync(["history", .. options, image])).Succeeded();
            ProgramResult actual = (await Oci.RunAsync(["history", .. options, image])).Succeeded();
            // podman calls the image of an intermediate step missing, as we do
            Assert.Equal(Ages().Replace(expected.Output, "years"), Ages().Replace(actual.Output, "years"));
        }
    }

    [Fact]
    public async Task Image_tree_says_what_podman_says_of_the_layers()
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await TwoLayersAsync());
        await podman.PullAsync(image);

        string[] expected = (await podman.RunAsync("image", "tree", image)).Succeeded().Output.Split('\n');
        string[] actual = (await Oci.RunAsync("image", "tree", image)).Succeeded().Output.Split('\n');

        Assert.Equal(expected.Length, actual.Length);
        Assert.Equal(expected[..2], actual[..2]);
        Assert.Equal(expected[3], actual[3]);
        Assert.StartsWith("Size:     ", actual[2], StringComparison.Ordinal); // podman counts its own records, too
        Assert.Equal(expected[4], actual[4]); // the lowest layer's ID is its diffID
        Assert.Equal(expected[5][expected[5].IndexOf("Size:", StringComparison.Ordinal)..], actual[5][actual[5].IndexOf("Size:", StringComparison.Ordinal)..]);
    }

    [Fact]
    public async Task What_requires_an_image_are_the_images_that_stand_on_it()
    {
        string upper = await Oci.PullAsync(await TwoLayersAsync());
        string lower = await Oci.PullAsync(await Machine.PlainAsync());

        string output = (await Oci.RunAsync("image", "tree", "--whatrequires", lower)).Succeeded().Output;

        Assert.Contains($"Top Layer of: [{lower}]", output, StringComparison.Ordinal);
        Assert.Contains($"Top Layer of: [{upper}]", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Untag_takes_one_name_or_all_and_leaves_the_image()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("tag", image, "one", "two")).Succeeded();

        Assert.Equal("", (await Oci.RunAsync("untag", image, "one")).Succeeded().Output);
        Assert.Equal(1, (await Oci.RunAsync("image", "exists", "localhost/one")).Status);
        Failed(await Oci.RunAsync("untag", image, "two", "nosuch"), 125, "localhost/nosuch:latest: tag not known");
        Assert.Equal(0, (await Oci.RunAsync("image", "exists", "localhost/two")).Status);
        (await Oci.RunAsync("image", "untag", image)).Succeeded();

        Assert.Equal("<none>:<none>\n", (await Oci.RunAsync("images", "--format", "{{.Repository}}:{{.Tag}}")).Succeeded().Output);
        Failed(await Oci.RunAsync("untag", image), 125, "image not known");
        Failed(await Oci.RunAsync("untag"), 125, "requires at least 1 arg");
    }

    [Fact]
    public async Task Container_exists_answers_by_its_status()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--name", "here", image)).Succeeded();

        ProgramResult yes = await Oci.RunAsync("container", "exists", "here");
        ProgramResult no = await Oci.RunAsync("container", "exists", "elsewhere");

        Assert.Equal((0, "", ""), (yes.Status, yes.Output, yes.Error));
        Assert.Equal((1, "", ""), (no.Status, no.Output, no.Error));
        Failed(await Oci.RunAsync("container", "exists"), 125, "accepts 1 arg");
    }

    [Theory]
    [InlineData("nosuch: image not known", "history", "nosuch")]
    [InlineData("accepts 1 arg.s., received 0", "history")]
    [InlineData("accepts 1 arg.s., received 2", "history", "a", "b")]
    [InlineData("nosuch: image not known", "image", "tree", "nosuch")]
    [InlineData("accepts 1 arg.s., received 0", "image", "tree")]
    [InlineData("unknown flag: --bogus", "history", "--bogus", "x")]
    public async Task A_wrong_argument_is_an_error(string cause, params string[] arguments) =>
        Failed(await Oci.RunAsync(arguments), 125, cause);

    private Task<string> TwoLayersAsync() => Machine.PublishAsync(
        "verbs-two", Machine.Images.With(new Layer().Directory("more").File("more/file", "content")));

    // both programs look at the clock
    [GeneratedRegex(@"\d+ (?:months|years)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ages();
}
