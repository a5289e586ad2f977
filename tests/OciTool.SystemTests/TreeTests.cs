using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A whole userland on disk is, entry by entry, what GNU tar and podman make of the same layer.</summary>
public sealed class TreeTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task The_debootstrap_layer_is_extracted_as_gnu_tar_does()
    {
        string actual = await ExtractedAsync();
        string expected = Oci["tar"];
        Directory.CreateDirectory(expected);
        (await Shell.RunAsync(
            "tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", expected, "-xpf", Userland.LayerTar)).Succeeded();

        Tree.Equal(await Tree.ReadAsync(expected), await Tree.ReadAsync(actual));
    }

    [Fact]
    public async Task The_debootstrap_layer_is_extracted_as_podman_does()
    {
        Need.Programs("podman");
        string image = await ImageAsync();
        string actual = await ExtractedAsync();
        string[] storage = ["--root", Oci["podman"], "--runroot", Oci["podman-run"], "--storage-driver", "overlay"];
        (await Shell.RunAsync("podman", [.. storage, "pull", "-q", "--tls-verify=false", image], environment: null)).Succeeded();
        ProgramResult layer = await Shell.RunAsync(
            "podman", [.. storage, "image", "inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", image], environment: null);

        // known: podman gives its layer directories a mode and a time of their own, and cuts times before 1970 to 0
        string[] podmansOwn = [".", "./odd/old"];
        SortedDictionary<string, string> expected = await Tree.ReadAsync(layer.Succeeded().Output.Trim());
        SortedDictionary<string, string> extracted = await Tree.ReadAsync(actual);
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

    /// <summary>Pulls the image and returns the directory of its only layer (docs/architecture.md, "The store").</summary>
    private async Task<string> ExtractedAsync()
    {
        string image = await Oci.PullAsync(await ImageAsync());
        ProgramResult diffId = await Oci.RunAsync("inspect", "--format", "{{index .RootFS.Layers 0}}", image);
        return Path.Join(Oci.Root, "layers", diffId.Succeeded().Output.Trim().Replace(':', '/'), "fs");
    }
}
