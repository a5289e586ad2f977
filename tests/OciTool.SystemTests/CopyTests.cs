using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>copy between registries, archives, directories and docker's daemon, without the store.</summary>
public sealed class CopyTests(Machine machine) : OciTest(machine)
{
    [Theory]
    [InlineData("oci:{0}:x", true)]
    [InlineData("oci-archive:{0}", true)]
    [InlineData("oci-archive:{0}:localhost/x:1", true)]
    [InlineData("dir:{0}", true)]
    [InlineData("docker-archive:{0}", false)]
    [InlineData("docker-archive:{0}:x:1", false)]
    public async Task What_goes_through_an_archive_comes_back_as_it_was(string transport, bool keepsDigest)
    {
        string image = await Machine.PlainAsync();
        string between = string.Format(System.Globalization.CultureInfo.InvariantCulture, transport, Oci["between"]);
        string back = await NewNameAsync();

        (await Oci.RunAsync("copy", "-q", image, between)).Succeeded();
        (await Oci.RunAsync("copy", "-q", between, back)).Succeeded();

        JsonNode manifest = JsonNode.Parse(await RawAsync(back))!;
        Assert.Equal($"sha256:{Machine.Images.Plain.Id}", manifest["config"]!["digest"]!.GetValue<string>());
        Assert.Equal(keepsDigest, manifest.ToJsonString() == JsonNode.Parse(Machine.Images.Plain.Document.Content)!.ToJsonString());
        Assert.False(Directory.Exists(Oci.Root));
        await using Oci other = new();
        (await other.RunAsync("run", "--rm", "--network", "none", "-q", back, "true")).Succeeded();
    }

    [Fact]
    public async Task A_whole_index_goes_through_archives()
    {
        TestImage index = await Machine.Images.TwoArchitecturesAsync();
        string image = await Machine.PublishAsync("copy-multi", index);
        string back = await NewNameAsync();

        (await Oci.RunAsync("copy", "-q", "--all", image, $"oci-archive:{Oci["archive"]}:a:1")).Succeeded();
        (await Oci.RunAsync("copy", "-q", "--all", $"oci-archive:{Oci["archive"]}", $"dir:{Oci["directory"]}")).Succeeded();
        (await Oci.RunAsync("copy", "-q", "--all", $"dir:{Oci["directory"]}", $"oci:{Oci["layout"]}:a")).Succeeded();
        (await Oci.RunAsync("copy", "-q", "--all", "--preserve-digests", $"oci:{Oci["layout"]}", back)).Succeeded();

        Assert.Equal(index.Document.Content, await RawAsync(back));
    }

    [Fact]
    public async Task A_platform_that_was_asked_for_is_checked_in_an_image_without_an_index_too()
    {
        string image = await Machine.PlainAsync();

        Failed(
            await Oci.RunAsync("copy", "--platform", "linux/arm64", image, $"oci:{Oci["layout"]}"), 125, "is for linux/amd64, not for linux/arm64");
        Assert.False(Directory.Exists(Oci["layout"]));

        ProgramResult lax = await Oci.RunAsync("copy", "--platform", "linux/arm64", "--platform-lax", image, $"oci:{Oci["layout"]}");
        Assert.Contains("does not match the expected platform (linux/arm64", lax.Succeeded().Error, StringComparison.Ordinal);
        (await Oci.RunAsync("copy", "-q", "--platform", "linux/amd64", image, $"oci:{Oci["layout"]}")).Succeeded();
    }

    [Fact]
    public async Task Layers_are_compressed_anew_the_same_each_time()
    {
        string image = await Machine.PlainAsync();
        string zstd = await NewNameAsync();

        (await Oci.RunAsync("copy", "-q", "--compression-format", "zstd", image, $"oci:{Oci["one"]}:a")).Succeeded();
        (await Oci.RunAsync("copy", "-q", "--compression-format", "zstd", image, zstd)).Succeeded();
        (await Oci.RunAsync("copy", "-q", "--compression-format", "gzip", "--format", "v2s2", zstd, $"dir:{Oci["back"]}")).Succeeded();

        byte[] manifest = await RawAsync(zstd);
        Assert.Equal("application/vnd.oci.image.layer.v1.tar+zstd", JsonNode.Parse(manifest)!["layers"]![0]!["mediaType"]!.GetValue<string>());
        Assert.True(File.Exists(Path.Join(Oci["one"], "blobs/sha256", new Blob(manifest, "").Digest["sha256:".Length..])));
        Assert.Equal(
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            JsonNode.Parse(await File.ReadAllTextAsync(Path.Join(Oci["back"], "manifest.json"), Cancellation))!["layers"]![0]!["mediaType"]!.GetValue<string>());
    }

    [Fact]
    public async Task Dockers_daemon_has_an_image_by_name_and_by_id_and_says_what_it_does_not_have()
    {
        await using Dockerd dockerd = await Dockerd.StartAsync();
        Directory.CreateDirectory(Oci["spool"]);
        (string, string?)[] here = [("DOCKER_HOST", dockerd.Socket), ("TMPDIR", Oci["spool"])];

        (await Oci.RunAsync(here, null, "copy", "-q", await Machine.PlainAsync(), "docker-daemon:app:dev")).Succeeded();

        Assert.Equal($"sha256:{Machine.Images.Plain.Id}\n", (await dockerd.DockerAsync("inspect", "--format", "{{.Id}}", "app:dev")).Output);
        Assert.Equal($"{Machine.Images.Plain.Id}\n", (await Oci.RunAsync(here, null, "pull", "-q", "docker-daemon:app:dev")).Succeeded().Output);
        (await Oci.RunAsync(here, null, "copy", "-q", $"docker-daemon:sha256:{Machine.Images.Plain.Id}", $"oci:{Oci["layout"]}:a")).Succeeded();
        Failed(await Oci.RunAsync(here, null, "copy", "docker-daemon:absent:1", $"oci:{Oci["layout"]}:b"), 125, "absent:1: the docker daemon says");
        Failed(await Oci.RunAsync(here, null, "copy", $"oci:{Oci["layout"]}:a", $"docker-daemon:sha256:{Machine.Images.Plain.Id}"), 125, "by a tag");
        Assert.Empty(Directory.GetFileSystemEntries(Oci["spool"]));
    }

    [Theory]
    [InlineData("cannot connect to the docker daemon at unix:///absent: no such file or directory", "unix:///absent", "")]
    [InlineData("only unix://PATH and tcp://HOST:PORT", "ssh://somewhere", "")]
    [InlineData("OCI_OFFLINE is set", "tcp://127.0.0.1:1", "OCI_OFFLINE")]
    [InlineData("DOCKER_TLS_VERIFY", "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY")]
    [InlineData("cannot connect to the docker daemon at tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "")]
    public async Task A_daemon_that_cannot_be_asked_is_named(string cause, string host, string set)
    {
        (string, string?)[] environment = set.Length == 0 ? [("DOCKER_HOST", host)] : [("DOCKER_HOST", host), (set, "1")];

        Failed(await Oci.RunAsync(environment, null, "pull", "docker-daemon:a:1"), 125, cause);
    }

    private async Task<string> NewNameAsync() => $"{await Machine.HostAsync()}/copy-{Guid.NewGuid():n}:1";

    private async Task<byte[]> RawAsync(string image)
    {
        Need.Programs("skopeo");
        (await Shell.RunAsync("sh", "-c", "skopeo inspect --raw --tls-verify=false \"docker://$0\" > \"$1\"", image, Oci["raw"])).Succeeded();
        return await File.ReadAllBytesAsync(Oci["raw"], Cancellation);
    }
}
