using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What oci compat asks a registry for, and that what it did not see is unknown.</summary>
public sealed class CompatRemoteTests(Machine machine) : OciTest(machine)
{
    private const int Data = 64 << 20;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 0)]
    [InlineData(9, 3)]
    public async Task Four_requests_beyond_the_manifest_are_enough(int more, int status)
    {
        string image = await Machine.PublishAsync($"remote-{more + 1}", () => Task.FromResult(Indexed(Command(Machine.Images.WithRandomLayers(more, 1000)))));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        ProgramResult verdict = await Oci.RunAsync("compat", Through(proxy, image));

        Assert.True(verdict.Status == status, $"{verdict}");
        string[] beyond = [.. proxy.Requests.Where(request => !request.Contains("/manifests/", StringComparison.Ordinal) && request != "GET /v2/")];
        Assert.True(beyond.Length == Math.Min(more + 1, 3) + 1, string.Join('\n', proxy.Requests));
        Assert.Equal(beyond.Length, beyond.Distinct().Count());
        Assert.Empty((await Oci.RunAsync("images", "-q")).Output);
        if (status == 3)
        {
            Assert.Contains("layer 7 of 10 and those below it were not asked for", verdict.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_ten_layers_one_is_asked_for_where_it_answers_everything()
    {
        byte[] program = CompiledPrograms.Make().Static;
        byte[][] below = [.. Enumerable.Range(0, 9).Select(index => new Layer().File($"{index}", "x").ToTar())];
        JsonObject config = BusyboxImages.Config;
        config["Cmd"] = new JsonArray("/app");
        string image = await Machine.PublishAsync(
            "remote-top", TestImage.Of(config, "amd64", [.. below, new Layer().Directory("etc").Program("app", program).File("etc/os-release", "ID=debian\nVERSION_ID=12\n").ToTar()]));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        ProgramResult verdict = await Oci.RunAsync("compat", Through(proxy, image));

        Assert.Matches("Not pulled +1 of 10 layers asked for", verdict.Succeeded().Output);
        Assert.Equal(2, proxy.BlobDownloads.Count());
    }

    [Fact]
    public async Task Data_behind_what_is_asked_for_are_not_read()
    {
        string image = await Machine.PublishAsync("remote-data-behind", () => Task.FromResult(WithData(isBehind: true)));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        (await Oci.RunAsync("compat", Through(proxy, image))).Succeeded();

        Assert.Equal(2, proxy.BlobDownloads.Count());
        Assert.InRange(proxy.Bytes, 1 << 20, Data / 2); // what the kernels hold in between is on its way already
    }

    [Fact]
    public async Task Data_in_front_of_it_have_to_pass()
    {
        string image = await Machine.PublishAsync("remote-data-before", () => Task.FromResult(WithData(isBehind: false)));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        (await Oci.RunAsync("compat", Through(proxy, image))).Succeeded();

        Assert.True(proxy.Bytes > Data, $"{proxy.Bytes}");
    }

    [Fact]
    public async Task A_layer_of_data_above_the_program_is_not_downloaded_and_what_it_may_hide_is_unknown()
    {
        TestImage two = Command(Machine.Images.WithRandomLayers(1, 3 << 20));
        string image = await Machine.PublishAsync("remote-huge", two.WithManifest(manifest => manifest["layers"]![1]!["size"] = 500L << 20));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        ProgramResult verdict = await Oci.RunAsync("compat", Through(proxy, image));

        Assert.Equal(3, verdict.Status);
        Assert.Contains("layer 2 of 2 has 500 MiB", verdict.Output, StringComparison.Ordinal);
        Assert.Single(proxy.BlobDownloads);
    }

    [Fact]
    public async Task What_the_store_has_for_another_image_is_not_asked_for()
    {
        TestImage lower = Command(Machine.Images.WithRandomLayers(9, 1000));
        await Oci.PullAsync(await Machine.PublishAsync("remote-lower", lower));
        string image = await Machine.PublishAsync("remote-upper", Command(Machine.Images.WithRandomLayers(9, 1000), new Layer().File("more", "x").ToTar()));
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());

        ProgramResult verdict = await Oci.RunAsync("compat", Through(proxy, image));

        Assert.Matches("Not pulled +1 of 11 layers asked for, 10 in the store", verdict.Succeeded().Output);
        Assert.Equal(2, proxy.BlobDownloads.Count());
    }

    [Theory]
    [InlineData("whiteout")]
    [InlineData("whiteout-of-busybox")]
    [InlineData("opaque-bin")]
    [InlineData("dynamic")]
    [InlineData("dynamic-without-libc")]
    [InlineData("dynamic-merged")]
    [InlineData("link-through-directories")]
    [InlineData("user-of-another-group")]
    [InlineData("path-with-it")]
    [InlineData("library-by-runpath")]
    [InlineData("library-with-an-older-version")]
    [InlineData("cut-in-the-middle")]
    public async Task The_verdict_from_afar_is_that_of_the_pulled_image(string name)
    {
        string image = await Machine.PublishAsync($"verdict-{name}", VerdictImages.All[name](Machine.Images));

        ProgramResult afar = await Oci.RunAsync("compat", image);
        await Oci.PullAsync(image);
        ProgramResult near = await Oci.RunAsync("compat", image);

        Assert.True(afar.Status == near.Status, $"{afar}\n{near}");
    }

    [Fact]
    public async Task A_name_that_is_in_an_archive_twice_is_what_comes_last()
    {
        byte[] good = CompiledPrograms.Make().Static;
        string image = await Machine.PublishAsync(
            "remote-twice", Machine.Images.With(new Layer().Program("x", good).Program("x", "neither a program nor a script"u8.ToArray()), config => config["Cmd"] = new JsonArray("/x")));

        Assert.Equal(2, (await Oci.RunAsync("compat", image)).Status);
        Assert.Equal(126, (await Oci.RunAsync("run", "--rm", "--network", "none", image)).Status);
    }

    [Fact]
    public async Task A_layer_that_is_not_what_its_digest_says_answers_nothing()
    {
        string image = await Machine.PublishAsync(
            "remote-damaged", Command(Machine.Images.Plain).WithConfiguration(config => config["rootfs"]!["diff_ids"]![0] = $"sha256:{new string('0', 64)}"));

        ProgramResult verdict = await Oci.RunAsync("compat", image);

        Assert.Equal(3, verdict.Status);
        Assert.Contains("layer 1 of 1 is damaged", verdict.Output, StringComparison.Ordinal);
    }

    private static string Through(RecordingProxy proxy, string image) => $"{proxy.Host}{image[image.IndexOf('/', StringComparison.Ordinal)..]}";

    private static TestImage Indexed(TestImage image) => TestImage.Index((image, "amd64", null));

    private static TestImage Command(TestImage image, params byte[][] above) => above.Length == 0
        ? image.WithConfiguration(config => config["config"]!["Cmd"] = new JsonArray("/bin/true"))
        : Stacked(image, above);

    private static TestImage Stacked(TestImage image, byte[][] above)
    {
        TestImage top = TestImage.Of(BusyboxImages.Config, "amd64", above);
        TestImage stacked = (image with { Blobs = [.. image.Blobs, .. top.Blobs.Skip(1)] }).WithConfiguration(config =>
        {
            config["config"]!["Cmd"] = new JsonArray("/bin/true");
            for (int i = 0; i < above.Length; i++)
            {
                config["rootfs"]!["diff_ids"]!.AsArray().Add((JsonNode)$"sha256:{top.DiffId(i)}");
                config["history"]!.AsArray().Add((JsonNode)new JsonObject { ["created_by"] = "more" });
            }
        });
        return stacked.WithManifest(manifest =>
        {
            foreach (Blob blob in top.Blobs.Skip(1))
            {
                manifest["layers"]!.AsArray().Add((JsonNode)new JsonObject { ["mediaType"] = blob.MediaType, ["digest"] = blob.Digest, ["size"] = blob.Content.Length });
            }
        });
    }

    private static TestImage WithData(bool isBehind)
    {
        byte[] data = new byte[Data];
        new Random(Seed: 1).NextBytes(data);
        Layer layer = new Layer().Directory("data");
        if (!isBehind)
        {
            layer.File("data/all", data);
        }

        layer.Directory("bin").Program("bin/true", BusyboxImages.Program).Directory("etc").File("etc/os-release", "ID=debian\nVERSION_ID=12\n");
        if (isBehind)
        {
            layer.File("data/all", data);
        }

        JsonObject config = BusyboxImages.Config;
        config["Cmd"] = new JsonArray("/bin/true");
        return TestImage.Of(config, "amd64", layer.ToTar());
    }
}
