using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Images go from the store to registries, and from registry to registry, as they are.</summary>
public sealed class PushTests(Machine machine) : OciTest(machine)
{
    private readonly Authority _authority = new();
    private readonly TemporaryDirectory _storage = new();
    private RegistryProcess? _second;

    private string Digest => File.ReadAllText(Oci["digest"]);

    public override async ValueTask DisposeAsync()
    {
        if (_second is not null)
        {
            await _second.DisposeAsync();
        }

        _storage.Dispose();
        _authority.Dispose();
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData(RegistryAuth.Anonymous)]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    [InlineData(RegistryAuth.Tls)]
    public async Task What_was_pulled_is_pushed_with_its_digest_to_every_kind_of_registry(RegistryAuth auth)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string repository = $"pushed-{auth}".ToLowerInvariant();
        string target = $"{(await Machine.RegistryAsync(auth)).Host}/{repository}:1";
        (string, string?)[] environment = auth == RegistryAuth.Tls ? [("SSL_CERT_FILE", Machine.AuthorityFile)] : [];
        string[] credentials = auth is RegistryAuth.Basic or RegistryAuth.Bearer ? ["--creds", RegistryProcess.Credentials] : [];

        ProgramResult push = await Oci.RunAsync(environment, input: null, ["push", .. credentials, "--digestfile", Oci["digest"], image, target]);

        Assert.Equal("", push.Succeeded().Output);
        Assert.EndsWith("Writing manifest to image destination\n", push.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", push.Error, StringComparison.Ordinal);
        Assert.Equal(Machine.Images.Plain.Document.Digest, Digest);
        Assert.Equal(Machine.Images.Plain.Document.Content, await RawAsync($"{await Machine.HostAsync()}/{repository}:1"));
    }

    [Fact]
    public async Task Wrong_credentials_are_named_and_nothing_is_pushed()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;

        ProgramResult push = await Oci.RunAsync("push", "-q", "--creds", "tester:wrong", image, $"{host}/refused:1");

        Failed(push, 125, "authentication required", "tester");
        Assert.DoesNotContain("tester:wrong", push.Error, StringComparison.Ordinal);
        await NotThereAsync($"{await Machine.HostAsync()}/refused:1");
    }

    [Fact]
    public async Task Podman_pulls_and_we_run_what_was_pushed()
    {
        Need.Programs("podman");
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string target = $"{await SecondAsync()}/for-podman:1";
        (await Oci.RunAsync("push", "-q", image, target)).Succeeded();

        ProgramResult podman = await Shell.RunAsync(
            "podman", [.. Machine.Peers.StorageArguments, "pull", "-q", "--tls-verify=false", target]);
        Assert.Equal($"{Machine.Images.Plain.Id}\n", podman.Succeeded().Output);

        (await Oci.RunAsync("rmi", "-f", image)).Succeeded();
        await Oci.PullAsync(target);
        Assert.Equal("Fedora release 34 (Thirty Four)\n",
            (await Oci.RunAsync("run", "--rm", target, "cat", "/etc/redhat-release")).Succeeded().Output);
    }

    [Theory]
    [InlineData("skopeo", "v2s2", "gzip", false)]
    [InlineData("skopeo", "oci", "gzip", true)]
    [InlineData("skopeo", "oci", "zstd", false)]
    public async Task A_peers_image_that_was_pulled_by_digest_keeps_it_in_a_second_registry(
        string peer, string format, string compression, bool isMultiArchitecture)
    {
        string host = await Machine.HostAsync();
        string repository = await Machine.Peers.PushAsync(peer, format, compression, isMultiArchitecture);
        string digest = isMultiArchitecture
            ? JsonNode.Parse(await RawAsync($"{host}/{repository}:latest"))!["manifests"]![0]!["digest"]!.GetValue<string>()
            : (await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", $"docker://{host}/{repository}:latest"))
                .Succeeded().Output.Trim();
        string image = await Oci.PullAsync($"{host}/{repository}@{digest}");
        string second = await SecondAsync();

        (await Oci.RunAsync("push", "-q", "--digestfile", Oci["digest"], image, $"{second}/{repository}:1")).Succeeded();

        Assert.Equal(digest, Digest);
        Assert.Equal(await RawAsync($"{host}/{repository}@{digest}"), await RawAsync($"{second}/{repository}:1"));
    }

    [Fact]
    public async Task A_whole_index_is_pushed_when_all_of_it_is_here_and_refused_when_it_is_not()
    {
        TestImage index = await Machine.Images.TwoArchitecturesAsync();
        string image = await Oci.PullAsync(await Machine.PublishAsync("push-multi", index), "--platform", "linux/amd64");
        string target = $"{await SecondAsync()}/multi:1";

        ProgramResult partial = await Oci.RunAsync("push", "-q", "--all", image, target);
        Failed(partial, 125, "linux/arm64/v8 is missing");
        Assert.Contains("oci copy --all", partial.Error, StringComparison.Ordinal);
        await NotThereAsync(target);

        await Oci.PullAsync(image, "--platform", "linux/arm64");
        (await Oci.RunAsync("push", "-q", "--all", image, target)).Succeeded();
        Assert.Equal(index.Document.Content, await RawAsync(target));
        (await Shell.RunAsync("skopeo", "copy", "-q", "--all", "--src-tls-verify=false", $"docker://{target}", $"oci:{Oci["layout"]}:x")).Succeeded();
    }

    [Fact]
    public async Task A_whole_index_is_copied_from_registry_to_registry()
    {
        TestImage index = await Machine.Images.TwoArchitecturesAsync();
        string image = await Machine.PublishAsync("push-multi", index);
        string target = $"{await SecondAsync()}/copied:1";

        (await Oci.RunAsync("copy", "-q", "--all", "--preserve-digests", $"docker://{image}", $"docker://{target}")).Succeeded();

        Assert.Equal(index.Document.Content, await RawAsync(target));
        (await Shell.RunAsync("skopeo", "copy", "-q", "--all", "--src-tls-verify=false", $"docker://{target}", $"oci:{Oci["layout"]}:x")).Succeeded();
        Assert.False(Directory.Exists(Oci.Root));
    }

    [Fact]
    public async Task One_platform_is_copied_and_its_digest_told()
    {
        TestImage index = await Machine.Images.TwoArchitecturesAsync();
        string image = await Machine.PublishAsync("push-multi", index);
        string target = $"{await SecondAsync()}/one:1";

        (await Oci.RunAsync("copy", "-q", "--arch", "arm64", "--digestfile", Oci["digest"], image, target)).Succeeded();

        Assert.Equal(index.Platforms[1].Document.Digest, Digest);
        Assert.Equal(index.Platforms[1].Document.Content, await RawAsync(target));
    }

    [Fact]
    public async Task Inside_one_registry_blobs_are_mounted_and_do_not_travel()
    {
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());
        string image = await Machine.PlainAsync();
        string path = image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..];

        await Oci.RunAsync("copy", $"{proxy.Host}/{path}", $"{proxy.Host}/mounted:1"); // the proxy hands on no bodies: the manifest's fails

        Assert.DoesNotContain(proxy.Requests, request => request.StartsWith("PATCH", StringComparison.Ordinal));
        Assert.Empty(proxy.BlobDownloads);
        Assert.Equal(2, proxy.Requests.Count(request => request.Contains("?mount=sha256%3A", StringComparison.Ordinal)));
        (await Oci.RunAsync("copy", "-q", image, $"{await Machine.HostAsync()}/mounted:1")).Succeeded();
        Assert.Equal(Machine.Images.Plain.Document.Content, await RawAsync($"{await Machine.HostAsync()}/mounted:1"));
    }

    [Fact]
    public async Task Schema_2_and_back_keeps_the_image()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string second = await SecondAsync();
        (await Oci.RunAsync("push", "-q", "--format", "v2s2", image, $"{second}/docker:1")).Succeeded();
        JsonNode manifest = JsonNode.Parse(await RawAsync($"{second}/docker:1"))!;
        Assert.Equal("application/vnd.docker.distribution.manifest.v2+json", manifest["mediaType"]!.GetValue<string>());
        Assert.Equal("application/vnd.docker.image.rootfs.diff.tar.gzip", manifest["layers"]![0]!["mediaType"]!.GetValue<string>());
        Assert.Equal($"sha256:{Machine.Images.Plain.Id}", manifest["config"]!["digest"]!.GetValue<string>());

        (await Oci.RunAsync("copy", "-q", "--format", "oci", $"{second}/docker:1", $"{second}/oci:1")).Succeeded();
        Assert.Equal("application/vnd.oci.image.manifest.v1+json",
            JsonNode.Parse(await RawAsync($"{second}/oci:1"))!["mediaType"]!.GetValue<string>());
        (await Shell.RunAsync("skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{second}/docker:1", $"oci:{Oci["layout"]}:x")).Succeeded();

        ProgramResult preserved = await Oci.RunAsync("copy", "-q", "--preserve-digests", "--format", "oci", $"{second}/docker:1", $"{second}/no:1");
        Failed(preserved, 125, "changes its digest");
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public async Task Another_compression_gives_the_same_digest_each_time_and_runs(string compression)
    {
        string repository = await Machine.Peers.PushAsync("skopeo", "oci", compression == "zstd" ? "gzip" : "zstd", isMultiArchitecture: false);
        string image = await Oci.PullAsync($"{await Machine.HostAsync()}/{repository}:latest");
        string target = $"{await SecondAsync()}/{compression}:1";
        List<string> digests = [];
        for (int i = 0; i < 2; i++)
        {
            (await Oci.RunAsync("push", "-q", "--compression-format", compression, "--digestfile", Oci["digest"], image, target)).Succeeded();
            digests.Add(Digest);
        }

        Assert.Equal(digests[0], digests[1]);
        Assert.EndsWith($"+{compression}", JsonNode.Parse(await RawAsync(target))!["layers"]![0]!["mediaType"]!.GetValue<string>(), StringComparison.Ordinal);
        (await Shell.RunAsync("skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{target}", $"oci:{Oci["layout"]}:x")).Succeeded();
        (await Oci.RunAsync("rmi", "-f", image)).Succeeded();
        await Oci.PullAsync(target);
        Assert.Equal("Fedora release 34 (Thirty Four)\n",
            (await Oci.RunAsync("run", "--rm", target, "cat", "/etc/redhat-release")).Succeeded().Output);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(Oci.Root, "tmp")));
    }

    [Theory]
    [InlineData("push")]
    [InlineData("copy")]
    public async Task An_upload_that_docker_registry_forgets_when_its_connection_is_cut_begins_anew(string verb)
    {
        TestImage large = Machine.Images.WithRandomLayers(1, 6_000_000);
        string image = await Machine.PublishAsync("push-large", large);
        await using CuttingProxy proxy = new(await SecondAsync()) { CutAfter = 2_000_000, MaxCuts = 2 };
        string source = verb == "push" ? await Oci.PullAsync(image) : image;

        (await Oci.RunAsync(verb, "-q", source, $"{proxy.Host}/cut-{verb}:1")).Succeeded();

        Assert.Equal(2, proxy.Cuts);
        Assert.Equal(large.Document.Content, await RawAsync($"{await SecondAsync()}/cut-{verb}:1"));
        (await Shell.RunAsync("skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{await SecondAsync()}/cut-{verb}:1", $"oci:{Oci["layout"]}:x"))
            .Succeeded();
    }

    [Fact]
    public async Task A_push_that_is_killed_half_way_does_no_harm()
    {
        TestImage large = Machine.Images.WithRandomLayers(1, 6_000_000);
        string image = await Oci.PullAsync(await Machine.PublishAsync("push-large", large));
        string target = $"{await SecondAsync()}/killed:1";
        await using (CuttingProxy proxy = new(await SecondAsync()) { CutAfter = 2_000_000, Holds = true })
        {
            using RunningProgram push = Oci.Start("push", image, $"{proxy.Host}/killed:1");
            await proxy.First.Task.WaitAsync(Shell.Patience, Cancellation);
            await push.SignalAsync("KILL");
            await push.EndAsync();
        }

        await NotThereAsync(target);
        await Oci.BlobsAreWholeAsync();

        (await Oci.RunAsync("push", "-q", image, target)).Succeeded();
        Assert.Equal(large.Document.Content, await RawAsync(target));
        (await Oci.RunAsync("rmi", image)).Succeeded(); // and the dead one's lease keeps nothing
        Assert.Empty(Directory.GetFiles(Path.Join(Oci.Root, "blobs/sha256")));
    }

    [Fact]
    public async Task A_blob_that_was_damaged_in_the_store_is_not_pushed_and_nothing_is_named()
    {
        TestImage large = Machine.Images.WithRandomLayers(1, 6_000_000);
        string image = await Oci.PullAsync(await Machine.PublishAsync("push-large", large));
        string target = $"{await SecondAsync()}/damaged:1";
        string blob = Path.Join(Oci.Root, "blobs/sha256", large.Layer(1).Digest["sha256:".Length..]);
        await Shell.RunAsync("sh", "-c", "printf X | dd of=\"$0\" bs=1 seek=3000000 conv=notrunc", blob);

        ProgramResult push = await Oci.RunAsync("push", "-q", image, target);

        Failed(push, 125, large.Layer(1).Digest);
        await NotThereAsync(target);
    }

    [Theory]
    [InlineData("transport 'sif' is not supported", "push", "a", "sif:x")]
    [InlineData("transport 'ostree' is not supported", "copy", "ostree:/tmp/x", "b")]
    [InlineData("there is nothing behind the transport", "copy", "a", "oci:")]
    [InlineData("a: image not known", "push", "a")]
    [InlineData("v2s1 is not supported", "push", "--format", "v2s1", "a")]
    [InlineData("unknown format 'x'", "copy", "--format", "x", "a", "b")]
    [InlineData("zstd:chunked is not supported", "push", "--compression-format", "zstd:chunked", "a")]
    [InlineData("v2s2 does not know zstd", "push", "--compression-format", "zstd", "--format", "v2s2", "a")]
    [InlineData("compression level 10 is out of range", "push", "--compression-format", "gzip", "--compression-level", "10", "a")]
    [InlineData("needs --compression-format", "push", "--compression-level", "1", "a")]
    [InlineData("signing images is not supported", "push", "--sign-by", "me", "a")]
    [InlineData("--all cannot be used with", "copy", "--all", "--arch", "arm64", "a", "b")]
    [InlineData("accepts 2 arg", "copy", "a")]
    public async Task A_wrong_command_line(string cause, params string[] arguments)
    {
        ProgramResult result = await Oci.RunAsync(arguments);
        Failed(result, arguments is ["push", "a"] ? 1 : 125, cause);
    }

    private async Task<string> SecondAsync() =>
        (_second ??= await RegistryProcess.StartAsync(RegistryAuth.Anonymous, _storage["second"], _authority)).Host;

    private async Task<byte[]> RawAsync(string image)
    {
        Need.Programs("skopeo");
        (await Shell.RunAsync("sh", "-c", "skopeo inspect --raw --tls-verify=false \"docker://$0\" > \"$1\"", image, Oci["raw"])).Succeeded();
        return await File.ReadAllBytesAsync(Oci["raw"], Cancellation);
    }

    private static async Task NotThereAsync(string image)
    {
        Need.Programs("skopeo");
        ProgramResult inspect = await Shell.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{image}");
        Assert.True(inspect.Status != 0, $"{image} is there: {inspect}");
    }
}
