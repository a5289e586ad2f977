using System.Text.Json;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Looking at registries: the answers are those of the peers that ask the same.</summary>
public sealed class RegistryVerbTests(Machine machine) : OciTest(machine)
{
    private const string Repository = "tagged";

    [Theory]
    [InlineData(RegistryAuth.Anonymous)]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    [InlineData(RegistryAuth.Tls)]
    public async Task Tags_are_those_that_skopeo_lists(RegistryAuth auth)
    {
        Need.Programs("skopeo");
        await PublishTagsAsync();
        string name = $"{(await Machine.RegistryAsync(auth)).Host}/{Repository}";
        string[] credentials = auth is RegistryAuth.Basic or RegistryAuth.Bearer ? ["--creds", RegistryProcess.Credentials] : [];

        ProgramResult tags = await Oci.RunAsync(EnvironmentOf(auth), input: null, ["tags", .. credentials, name]);
        ProgramResult peer = await Shell.RunAsync("skopeo", ["list-tags", "--tls-verify=false", .. credentials, $"docker://{name}"]);

        string[] expected = JsonNode.Parse(peer.Succeeded().Output)!["Tags"]!.AsArray().Select(tag => tag!.GetValue<string>()).ToArray();
        // docker-registry reads a directory: the order is another one each time
        Assert.Equal(expected.Order(StringComparer.Ordinal), tags.Succeeded().Lines.Order(StringComparer.Ordinal));
        Assert.Equal(["1", "2", "latest"], tags.Lines.Order(StringComparer.Ordinal));
        Assert.Equal("", tags.Error);
    }

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task Without_credentials_nothing_is_listed(RegistryAuth auth)
    {
        await PublishTagsAsync();
        string host = (await Machine.RegistryAsync(auth)).Host;

        Failed(await Oci.RunAsync("tags", $"{host}/{Repository}"), 125, "authentication required");
        Failed(await Oci.RunAsync("search", $"{host}/tag"), 125, "authentication required");
        Failed(await Oci.RunAsync("inspect", "--remote", $"{host}/{Repository}:1"), 125, "authentication required");
        Failed(await Oci.RunAsync("rmi", "--remote", $"{host}/{Repository}:1"), 125, "authentication required");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("--format json TERM")]
    [InlineData("--compatible TERM")]
    [InlineData("--no-trunc --format {{.Index}}|{{.Name}}|{{.Description}}|{{.Stars}}|{{.Official}} TERM")]
    [InlineData("--filter is-official=true TERM")]
    [InlineData("--filter stars=0 TERM")]
    [InlineData("HOST/tagged/none")]
    [InlineData("--list-tags --limit 25 TERM/one")]
    [InlineData("--list-tags --format json TERM/one")]
    public async Task Search_prints_what_podman_prints(string line)
    {
        Need.Programs("podman");
        string host = await PublishTagsAsync();
        string[] arguments = line.Replace("TERM", $"{host}/tagged", StringComparison.Ordinal).Replace("HOST", host, StringComparison.Ordinal).Split(' ');

        ProgramResult search = await Oci.RunAsync(["search", .. arguments]);
        ProgramResult peer = await Shell.RunAsync(
            "podman", [.. Machine.Peers.StorageArguments, "search", "--tls-verify=false", .. arguments]);

        Assert.Equal(peer.Succeeded().Output, search.Succeeded().Output);
    }

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    [InlineData(RegistryAuth.Tls)]
    public async Task Search_finds_repositories_in_every_registry(RegistryAuth auth)
    {
        await PublishTagsAsync();
        string host = (await Machine.RegistryAsync(auth)).Host;
        string[] credentials = auth is RegistryAuth.Tls ? [] : ["--creds", RegistryProcess.Credentials];

        ProgramResult search = await Oci.RunAsync(
            EnvironmentOf(auth), input: null, ["search", "--format", "{{.Name}}", .. credentials, $"{host}/tagged"]);

        Assert.Equal([$"{host}/tagged", $"{host}/tagged/one"], search.Succeeded().Lines);
    }

    [Theory]
    [InlineData("skopeo", "oci", true)]
    [InlineData("skopeo", "v2s2", true)]
    [InlineData("skopeo", "v2s2", false)]
    [InlineData("skopeo", "oci", false)]
    public async Task A_remote_image_is_shown_as_skopeo_shows_it(string peer, string format, bool isMulti)
    {
        Need.Programs("skopeo");
        string image = $"{await Machine.HostAsync()}/{await Machine.Peers.PushAsync(peer, format, "gzip", isMulti)}:latest";

        ProgramResult inspect = await Oci.RunAsync("inspect", "--remote", "--tags", "--platform", "linux/amd64", image);
        ProgramResult raw = await Oci.RunAsync("inspect", "--remote", "--raw", image);
        ProgramResult config = await Oci.RunAsync("inspect", "--remote", "--config", image);
        ProgramResult rawConfig = await Oci.RunAsync("inspect", "--remote", "--config", "--raw", image);

        JsonObject shown = JsonNode.Parse(inspect.Succeeded().Output)!.AsArray().Single()!.AsObject();
        JsonObject expected = JsonNode.Parse(await SkopeoAsync(image))!.AsObject();
        foreach ((string key, JsonNode? value) in expected.Where(member => !(isMulti && member.Key == "Digest"))) // which is the index's there
        {
            Assert.True(JsonNode.DeepEquals(value, shown[key]), $"{key}: {value?.ToJsonString()} and {shown[key]?.ToJsonString()}");
        }

        Assert.Equal(await SkopeoAsync(image, "--raw"), raw.Succeeded().Output);
        Assert.Equal(await SkopeoAsync(image, "--config", "--raw"), rawConfig.Succeeded().Output);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(rawConfig.Output), JsonNode.Parse(config.Succeeded().Output)));
    }

    [Fact]
    public async Task An_index_of_foreign_platforms_is_shown()
    {
        TestImage foreign = TestImage.Of([], "s390x", new Layer().File("a", "b").ToTar());
        TestImage index = TestImage.Index((foreign, "s390x", null), (foreign, "mips64le", null));
        string image = await Machine.PublishAsync("foreign-only", index);

        ProgramResult inspect = await Oci.RunAsync("inspect", "--remote", image);
        ProgramResult rows = await Oci.RunAsync(
            "inspect", "--remote", "--format", "{{.Digest}}{{range .Manifests}} {{.Platform}}{{end}}", image);
        ProgramResult config = await Oci.RunAsync("inspect", "--remote", "--config", image);

        JsonNode shown = JsonNode.Parse(inspect.Succeeded().Output)![0]!;
        Assert.Equal(index.Document.Digest, shown["Digest"]!.GetValue<string>());
        Assert.Equal($"{index.Document.Digest} linux/s390x linux/mips64le\n", rows.Succeeded().Output);
        Failed(config, 125, "no image for platform", "linux/s390x, linux/mips64le");
    }

    [Fact]
    public async Task Manifest_inspect_prints_a_list_as_podman_does()
    {
        Need.Programs("podman", "skopeo");
        string image = $"{await Machine.HostAsync()}/{await Machine.Peers.PushAsync("skopeo", "v2s2", "gzip", isMultiArchitecture: true)}:latest";
        await File.WriteAllTextAsync(Oci["registries.conf"], $"[[registry]]\nlocation = \"{await Machine.HostAsync()}\"\ninsecure = true\n", Cancellation);

        ProgramResult inspect = await Oci.RunAsync("manifest", "inspect", image);
        ProgramResult peer = await Shell.RunAsync(
            "podman", [.. Machine.Peers.StorageArguments, "manifest", "inspect", image],
            Oci.CleanEnvironment(("CONTAINERS_REGISTRIES_CONF", Oci["registries.conf"])), input: null);

        Assert.Equal(peer.Succeeded().Output.TrimEnd('\n'), inspect.Succeeded().Output.TrimEnd('\n'));
    }

    [Fact]
    public async Task Manifest_inspect_takes_the_index_of_the_store_first()
    {
        TestImage index = await Machine.Images.TwoArchitecturesAsync();
        string image;
        await using (FaultRegistry registry = await FaultRegistry.StartAsync(index))
        {
            image = await Oci.PullAsync(registry.Image);
        }

        ProgramResult inspect = await Oci.RunAsync("manifest", "inspect", image);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(index.Document.Content), JsonNode.Parse(inspect.Succeeded().Output)));
    }

    [Fact]
    public async Task Referrers_of_a_registry_without_an_api_come_from_the_tag()
    {
        TestImage image = Machine.Images.Plain;
        string host = await Machine.HostAsync();
        await Machine.PlainAsync();
        Blob empty = new("{}"u8.ToArray(), "application/vnd.oci.empty.v1+json");
        JsonObject Of(Blob blob) => new() { ["mediaType"] = blob.MediaType, ["digest"] = blob.Digest, ["size"] = blob.Content.Length };
        Blob signature = Json(TestImage.ManifestType, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = TestImage.ManifestType,
            ["artifactType"] = "application/x-signature",
            ["config"] = Of(empty),
            ["layers"] = new JsonArray(Of(empty)),
            ["subject"] = Of(image.Document),
        });
        JsonObject entry = Of(signature);
        entry["artifactType"] = "application/x-signature";
        entry["annotations"] = new JsonObject { ["by"] = "\e[31mme" };
        Blob index = Json(TestImage.IndexType, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = TestImage.IndexType,
            ["manifests"] = new JsonArray(entry),
        });
        await RegistryWriter.PushAsync(
            host, "busybox", image.Document.Digest.Replace(':', '-'), new TestImage(index, [], [new TestImage(signature, [empty], [])]));

        ProgramResult referrers = await Oci.RunAsync("referrers", $"{host}/busybox:latest");
        ProgramResult other = await Oci.RunAsync("referrers", "--artifact-type", "application/x-sbom", "--format", "json", $"{host}/busybox:latest");
        ProgramResult annotations = await Oci.RunAsync("referrers", "--format", "{{.Annotations}}", $"{host}/busybox@{image.Document.Digest}");
        ProgramResult inspect = await Oci.RunAsync("inspect", "--remote", $"{host}/busybox@{signature.Digest}");

        Assert.Matches("^DIGEST +ARTIFACT TYPE +SIZE$", referrers.Succeeded().Lines[0]);
        Assert.StartsWith($"{signature.Digest}  application/x-signature  ", referrers.Lines[1], StringComparison.Ordinal);
        Assert.Equal("[]\n", other.Succeeded().Output);
        Assert.Equal("map[by:\\x1b[31mme]\n", annotations.Succeeded().Output);
        JsonNode shown = JsonNode.Parse(inspect.Succeeded().Output)![0]!;
        Assert.Equal("application/x-signature", shown["ArtifactType"]!.GetValue<string>());
        Assert.Equal(image.Document.Digest, shown["Subject"]!["Digest"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(RegistryAuth.Anonymous)]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task An_image_is_deleted_with_all_its_tags_where_the_registry_deletes(RegistryAuth auth)
    {
        using TemporaryDirectory storage = new();
        using Authority authority = new();
        await using RegistryProcess open = await RegistryProcess.StartAsync(RegistryAuth.Anonymous, storage.Path, authority, deletes: true);
        await using RegistryProcess registry = await RegistryProcess.StartAsync(auth, storage.Path, authority, deletes: true);
        TestImage other = Machine.Images.With(new Layer().File("other", "image"));
        await RegistryWriter.PushAsync(open.Host, "app", "old", Machine.Images.Plain);
        await RegistryWriter.PushAsync(open.Host, "app", "older", Machine.Images.Plain);
        await RegistryWriter.PushAsync(open.Host, "app", "new", other);
        string[] credentials = auth == RegistryAuth.Anonymous ? [] : ["--creds", RegistryProcess.Credentials];

        ProgramResult removed = await Oci.RunAsync(["rmi", "--remote", .. credentials, $"{registry.Host}/app:old"]);
        ProgramResult tags = await Oci.RunAsync("tags", $"{open.Host}/app");
        ProgramResult again = await Oci.RunAsync(["rmi", "--remote", .. credentials, $"{registry.Host}/app:old"]);
        ProgramResult byDigest = await Oci.RunAsync(["rmi", "--remote", .. credentials, $"{registry.Host}/app@{other.Document.Digest}"]);

        Assert.Equal($"Deleted: {registry.Host}/app@{Machine.Images.Plain.Document.Digest}\n", removed.Succeeded().Output);
        Assert.Equal("new\n", tags.Succeeded().Output);
        Failed(again, 125, "manifest unknown");
        Assert.Equal($"Deleted: {registry.Host}/app@{other.Document.Digest}\n", byDigest.Succeeded().Output);
        Assert.Equal("", (await Oci.RunAsync("tags", $"{open.Host}/app")).Succeeded().Output);
    }

    [Fact]
    public async Task A_registry_that_deletes_nothing_is_explained()
    {
        string image = await Machine.PlainAsync();

        ProgramResult removed = await Oci.RunAsync("rmi", "--remote", image);
        ProgramResult tag = await Oci.RunAsync("rmi", "--remote", "--tag-only", image);

        Failed(removed, 125, "405 Method Not Allowed", "unsupported");
        Assert.Contains("Hint: deletion is off in this registry; docker-registry allows it with REGISTRY_STORAGE_DELETE_ENABLED=true\n", removed.Error, StringComparison.Ordinal);
        Failed(tag, 125, "deleting 'latest'");
        Assert.Contains("Hint: this registry does not delete a tag alone", tag.Error, StringComparison.Ordinal);
        (await Oci.RunAsync("pull", "-q", image)).Succeeded();
    }

    private static Blob Json(string mediaType, JsonObject document) => new(JsonSerializer.SerializeToUtf8Bytes(document), mediaType);

    private static async Task<string> SkopeoAsync(string image, params string[] options) =>
        (await Shell.RunAsync("skopeo", ["inspect", .. options, "--tls-verify=false", $"docker://{image}"])).Succeeded().Output;

    private (string, string?)[] EnvironmentOf(RegistryAuth auth) => auth == RegistryAuth.Tls ? [("SSL_CERT_FILE", Machine.AuthorityFile)] : [];

    private async Task<string> PublishTagsAsync()
    {
        string host = await Machine.HostAsync();
        await Machine.PublishAsync(Repository, async () =>
        {
            await RegistryWriter.PushAsync(host, Repository, "1", Machine.Images.Plain);
            await RegistryWriter.PushAsync(host, Repository, "2", Machine.Images.Plain);
            await RegistryWriter.PushAsync(host, $"{Repository}/one", "only", Machine.Images.Plain);
            return Machine.Images.Plain;
        });
        return host;
    }
}
