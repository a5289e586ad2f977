using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A whole userland on disk is, entry by entry, what GNU tar and podman make of the same layer.</summary>
public sealed class TreeTests(Machine machine) : OciTest(machine)
{
    [Theory]
    [InlineData("directory")]
    [InlineData("erofs")]
    public async Task The_debootstrap_layer_is_what_gnu_tar_extracts(string form)
    {
        await using LayerTree actual = await TreeAsync(form);
        string expected = Oci["tar"];
        Directory.CreateDirectory(expected);
        (await Shell.RunAsync(
            "tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", expected, "-xpf", Userland.LayerTar)).Succeeded();

        Tree.Equal(await Tree.ReadAsync(expected), await Tree.ReadAsync(actual.Path));
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("erofs")]
    public async Task The_debootstrap_layer_is_what_podman_extracts(string form)
    {
        Need.Programs("podman");
        string image = await ImageAsync();
        await using LayerTree actual = await TreeAsync(form);
        string[] storage = ["--root", Oci["podman"], "--runroot", Oci["podman-run"], "--storage-driver", "overlay"];
        (await Shell.RunAsync("podman", [.. storage, "pull", "-q", "--tls-verify=false", image], environment: null)).Succeeded();
        ProgramResult layer = await Shell.RunAsync(
            "podman", [.. storage, "image", "inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", image], environment: null);

        // known: podman gives its layer directories a mode and a time of their own, and cuts times before 1970 to 0
        string[] podmansOwn = [".", "./odd/old"];
        SortedDictionary<string, string> expected = await Tree.ReadAsync(layer.Succeeded().Output.Trim());
        SortedDictionary<string, string> extracted = await Tree.ReadAsync(actual.Path);
        foreach (string path in podmansOwn)
        {
            Assert.True(expected.Remove(path) && extracted.Remove(path), path);
        }

        Tree.Equal(expected, extracted);
    }

    [Fact]
    public async Task The_userland_runs_as_the_release_that_it_is_dressed_as()
    {
        ProgramResult run = await Oci.RunAsync("run", "--rm", await ImageAsync(), "cat", "/etc/redhat-release");

        Assert.Equal("Fedora release 34 (Thirty Four)\n", run.Succeeded().Output);
    }

    private Task<string> ImageAsync() => Machine.PublishAsync("fedora/fedora", Userland.ImageAsync);

    private async Task<LayerTree> TreeAsync(string form) =>
        await LayerTree.OpenAsync(Oci, await Oci.PullAsync(await ImageAsync(), "--snapshotter", form));
}
