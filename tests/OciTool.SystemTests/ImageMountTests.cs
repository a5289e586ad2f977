using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>image mount and unmount: an image's tree for people to look at, and not to write.</summary>
public sealed class ImageMountTests(Machine machine) : OciTest(machine)
{
    [Theory]
    [InlineData("erofs")]
    [InlineData("directory")]
    public async Task The_tree_is_that_of_a_container_and_cannot_be_written(string form)
    {
        string image = await Machine.PublishAsync(
            "verbs-mount", Machine.Images.With(new Layer().Directory("more").File("more/file", "content").File("etc/.wh.group", "")));
        (await Oci.RunAsync("--snapshotter", form, "pull", "-q", image)).Succeeded();

        string point = (await Oci.RunAsync("image", "mount", image)).Succeeded().Output.TrimEnd('\n');
        try
        {
            Assert.Equal("content", await File.ReadAllTextAsync($"{point}/more/file", Cancellation));
            Assert.False(File.Exists($"{point}/etc/group"));
            Assert.True(File.Exists($"{point}/etc/passwd"));
            Assert.Contains("Read-only file system", (await Shell.RunAsync("touch", $"{point}/x")).Error, StringComparison.Ordinal);
            Assert.Equal("755 0", (await Shell.RunAsync("stat", "-c", "%a %u", point)).Succeeded().Output.Trim());
            Assert.Equal($"{point}\n", (await Oci.RunAsync("image", "mount", image)).Succeeded().Output);
            Assert.Single(Mounts.Under(point));
            Assert.Equal($"{image}  {point}\n", (await Oci.RunAsync("image", "mount")).Succeeded().Output);
        }
        finally
        {
            ProgramResult unmount = await Oci.RunAsync("image", "umount", image);
            Assert.Matches("^[0-9a-f]{64}\n$", unmount.Succeeded().Output);
        }

        Assert.Empty(Mounts.Under(Oci["runroot"]));
        Assert.Equal("", (await Oci.RunAsync("image", "unmount", image)).Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("image", "mount")).Succeeded().Output);
        Assert.Equal("[]\n", (await Oci.RunAsync("image", "mount", "--format", "json")).Succeeded().Output);
    }

    [Fact]
    public async Task All_images_are_mounted_listed_as_JSON_and_unmounted()
    {
        string one = await Oci.PullAsync(await Machine.PlainAsync());
        string two = await Oci.PullAsync(await Machine.PublishAsync("verbs-mount-2", Machine.Images.With(new Layer().File("x", "1"))));

        ProgramResult mount = (await Oci.RunAsync("image", "mount", "-a", "--format", "json")).Succeeded();
        try
        {
            JsonArray mounted = JsonNode.Parse(mount.Output)!.AsArray();
            Assert.Equal(2, mounted.Count);
            Assert.Equal([one, two], mounted.Select(image => (string)image!["Repositories"]![0]!).Order(StringComparer.Ordinal));
            Assert.All(mounted, image => Assert.True(File.Exists($"{image!["mountpoint"]}/bin/busybox")));
        }
        finally
        {
            Assert.Equal(2, (await Oci.RunAsync("image", "unmount", "--all")).Succeeded().Lines.Length);
        }
    }

    [Fact]
    public async Task An_image_that_is_mounted_is_not_removed_and_a_used_mount_goes_by_force_only()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string point = (await Oci.RunAsync("image", "mount", image)).Succeeded().Output.TrimEnd('\n');
        using RunningProgram user = RunningProgram.Start("sh", ["-c", $"cd {point}; echo ready; exec sleep 1000"]);
        await user.OutputHasAsync("ready");

        Failed(await Oci.RunAsync("rmi", image), 2, "is mounted");
        Failed(await Oci.RunAsync("image", "unmount", image), 125, "is in use");
        Assert.True(File.Exists($"{point}/bin/busybox"));
        (await Oci.RunAsync("image", "unmount", "--force", image)).Succeeded();
        await user.SignalAsync("KILL");

        (await Oci.RunAsync("rmi", image)).Succeeded();
        Assert.Empty(Mounts.Under(Oci["runroot"]));
    }

    [Theory]
    [InlineData("nosuch: image not known", "mount", "nosuch")]
    [InlineData("nosuch: image not known", "unmount", "nosuch")]
    [InlineData("image name or ID must be specified", "unmount")]
    [InlineData("when using the --all switch, you may not pass any image names or IDs", "mount", "-a", "x")]
    [InlineData("when using the --all switch, you may not pass any image names or IDs", "unmount", "-a", "x")]
    [InlineData("unknown --format argument: \"x\"", "mount", "--format", "x")]
    public async Task A_wrong_argument_is_an_error(string cause, params string[] arguments) =>
        Failed(await Oci.RunAsync(["image", .. arguments]), 125, cause);
}
