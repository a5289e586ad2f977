using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What <c>images</c>, <c>inspect</c>, <c>tag</c>, <c>rmi</c> and <c>image exists</c> say and do.</summary>
public sealed class ImagesInspectTests(Machine machine) : OciTest(machine)
{
    private string ImageId => Machine.Images.Plain.Id;

    private string ManifestDigest => Machine.Images.Plain.Document.Digest;

    [Fact]
    public async Task Images_shows_the_columns_that_scripts_expect()
    {
        string repository = Repository(await Oci.PullAsync(await Machine.PlainAsync()));

        ProgramResult images = await Oci.RunAsync("images");

        Assert.Matches("^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE *$", images.Succeeded().Lines[0]);
        Assert.Matches($"^{repository} +latest +{ImageId[..12]} +[0-9]+ (months|years) ago +[0-9.]+ [kM]B *$", images.Lines[1]);
        Assert.Equal(2, images.Lines.Length);
    }

    [Fact]
    public async Task Images_of_an_empty_store_shows_the_header_alone()
    {
        ProgramResult images = await Oci.RunAsync("images");

        Assert.StartsWith("REPOSITORY", Assert.Single(images.Succeeded().Lines), StringComparison.Ordinal);
        Assert.Equal("[]", (await Oci.RunAsync("images", "--format", "json")).Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Images_shows_digests_whole_identifiers_or_identifiers_alone()
    {
        await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult digests = await Oci.RunAsync("images", "--digests");
        Assert.Matches("^REPOSITORY +TAG +DIGEST +IMAGE ID", digests.Succeeded().Lines[0]);
        Assert.Contains($" {ManifestDigest} ", digests.Lines[1], StringComparison.Ordinal);
        Assert.Contains($" sha256:{ImageId} ", (await Oci.RunAsync("images", "--no-trunc")).Lines[1], StringComparison.Ordinal);
        Assert.Equal($"{ImageId[..12]}\n", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        Assert.Equal($"sha256:{ImageId}\n", (await Oci.RunAsync("images", "-q", "--no-trunc")).Succeeded().Output);
    }

    [Fact]
    public async Task Images_as_json_has_the_members_that_scripts_read()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult images = await Oci.RunAsync("images", "--format", "json");

        JsonObject element = Assert.Single(JsonNode.Parse(images.Succeeded().Output)!.AsArray())!.AsObject();
        Assert.Equal(ImageId, element["Id"]!.GetValue<string>());
        Assert.Equal(ManifestDigest, element["Digest"]!.GetValue<string>());
        Assert.Equal(image, element["Names"]![0]!.GetValue<string>());
        Assert.Equal($"{Repository(image)}@{ManifestDigest}", element["RepoDigests"]![0]!.GetValue<string>());
        Assert.Equal(1_714_979_289, element["Created"]!.GetValue<long>());
        Assert.Equal("2024-05-06T07:08:09Z", element["CreatedAt"]!.GetValue<string>());
        Assert.Equal("test", element["Labels"]!["purpose"]!.GetValue<string>());
        Assert.True(element["Size"]!.GetValue<long>() > 1_000_000);
        foreach (string name in new[] { "ParentId", "RepoTags", "SharedSize", "VirtualSize", "Containers", "History" })
        {
            Assert.True(element.ContainsKey(name), name);
        }
    }

    [Fact]
    public async Task Images_follows_a_template()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult rows = await Oci.RunAsync("images", "--format", @"{{.Repository}}:{{.Tag}}\t{{.ID}} {{.Digest}}");
        ProgramResult table = await Oci.RunAsync("images", "--format", "table {{.ID}} {{.Repository}}");

        Assert.Equal($"{image}\t{ImageId[..12]} {ManifestDigest}\n", rows.Succeeded().Output);
        Assert.Matches("^IMAGE ID +REPOSITORY *$", table.Succeeded().Lines[0]);
        Assert.Matches($"^{ImageId[..12]} +{Repository(image)} *$", table.Lines[1]);
    }

    [Fact]
    public async Task Inspect_has_the_members_of_podman_and_its_values()
    {
        Need.Programs("podman");
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        // a store of its own: podman keeps the manifest that it saw first of an image
        string[] podman = ["--root", Oci["podman"], "--runroot", Oci["podman-run"], "--storage-driver", "overlay"];
        (await Shell.RunAsync("podman", [.. podman, "pull", "-q", "--tls-verify=false", image], environment: null)).Succeeded();
        JsonObject expected = First(await Shell.RunAsync("podman", [.. podman, "image", "inspect", image], environment: null));

        JsonObject actual = First(await Oci.RunAsync("inspect", image));

        Assert.Equal(expected.Select(member => member.Key), actual.Select(member => member.Key));
        Assert.Equal(
            expected["Config"]!.AsObject().Select(member => member.Key),
            actual["Config"]!.AsObject().Select(member => member.Key));
        foreach (string same in new[]
        {
            "Id", "Digest", "Parent", "Comment", "Created", "Config", "Version", "Author", "Architecture", "Os",
            "RootFS", "Labels", "ManifestType", "User", "History",
        })
        {
            Assert.True(
                JsonNode.DeepEquals(expected[same], actual[same]),
                $"{same}: expected {expected[same]?.ToJsonString()}, got {actual[same]?.ToJsonString()}");
        }
    }

    [Fact]
    public async Task Inspect_tells_the_names_and_digests_by_which_the_image_can_be_pulled()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync));
        TestImage index = await Machine.Images.TwoArchitecturesAsync();

        JsonObject inspected = First(await Oci.RunAsync("inspect", image));

        string[] digests = [.. inspected["RepoDigests"]!.AsArray().Select(digest => digest!.GetValue<string>())];
        Assert.Contains($"{Repository(image)}@{index.Document.Digest}", digests);
        Assert.Contains($"{Repository(image)}@{ManifestDigest}", digests);
        Assert.Equal([image], inspected["RepoTags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
        Assert.Equal(ManifestDigest, inspected["Digest"]!.GetValue<string>());
    }

    [Fact]
    public async Task Inspect_finds_an_image_by_identifier_short_identifier_and_digest()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        foreach (string name in new[] { ImageId, ImageId[..12], $"sha256:{ImageId}", image, $"{Repository(image)}@{ManifestDigest}" })
        {
            ProgramResult inspect = await Oci.RunAsync("inspect", "--format", "{{.Id}} {{.ID}}", name);
            Assert.Equal($"{ImageId} {ImageId}\n", inspect.Succeeded().Output);
        }
    }

    [Fact]
    public async Task Inspect_of_an_unknown_name_prints_an_empty_list_and_one_error()
    {
        ProgramResult inspect = await Oci.RunAsync("inspect", "nosuch");

        Assert.Equal(125, inspect.Status);
        Assert.Equal("[]\n", inspect.Output);
        Assert.Matches("^Error: .*no such object: \"nosuch\"\n$", inspect.Error);
    }

    [Fact]
    public async Task Tag_gives_an_image_one_more_name_and_rmi_takes_names_away_one_by_one()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        Assert.Equal("", (await Oci.RunAsync("tag", image, "quay.io/another/name:7")).Succeeded().Output);
        Assert.Equal(3, (await Oci.RunAsync("images")).Succeeded().Lines.Length);
        ProgramResult first = await Oci.RunAsync("rmi", image);
        ProgramResult second = await Oci.RunAsync("rmi", "quay.io/another/name:7");

        Assert.Equal($"Untagged: {image}\n", first.Succeeded().Output);
        Assert.Equal($"Untagged: quay.io/another/name:7\nDeleted: {ImageId}\n", second.Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
    }

    [Fact]
    public async Task Rmi_gives_the_disk_space_back()
    {
        await Oci.PullAsync(await Machine.PlainAsync());

        (await Oci.RunAsync("rmi", ImageId)).Succeeded();

        long left = Directory.EnumerateFiles(Oci.Root, "*", SearchOption.AllDirectories)
            .Sum(file => new FileInfo(file).Length);
        Assert.True(left < 100_000, $"{left} bytes left");
    }

    [Fact]
    public async Task Rmi_of_an_unknown_image_exits_with_1_and_is_silent_when_forced()
    {
        Failed(await Oci.RunAsync("rmi", "nosuch"), 1, "nosuch: image not known");

        ProgramResult forced = await Oci.RunAsync("rmi", "-f", "nosuch");

        Assert.Equal("", forced.Succeeded().Output);
        Assert.Equal("", forced.Error);
    }

    [Fact]
    public async Task Rmi_of_an_image_that_a_container_uses_exits_with_2()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "user", image, "true")).Succeeded();

        Failed(await Oci.RunAsync("rmi", image), 2, "image used by [0-9a-f]{64}");
        (await Oci.RunAsync("rm", "user")).Succeeded();
        (await Oci.RunAsync("rmi", image)).Succeeded();
    }

    [Fact]
    public async Task Image_exists_answers_by_its_status_alone()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult there = await Oci.RunAsync("image", "exists", image);
        ProgramResult absent = await Oci.RunAsync("image", "exists", "nosuch");

        Assert.Equal((0, "", ""), (there.Status, there.Output, there.Error));
        Assert.Equal((1, "", ""), (absent.Status, absent.Output, absent.Error));
    }

    private static string Repository(string image) => image[..image.LastIndexOf(':')];

    private static JsonObject First(ProgramResult inspect) =>
        Assert.Single(JsonNode.Parse(inspect.Succeeded().Output)!.AsArray())!.AsObject();
}
