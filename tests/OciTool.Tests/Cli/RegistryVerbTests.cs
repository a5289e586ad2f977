using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OciTool.Cli;
using OciTool.Images;
using OciTool.Tests.Registry;
using Xunit;

namespace OciTool.Tests.Cli;

/// <summary>The verbs that look at registries and delete there, against a registry in this process.</summary>
public sealed class RegistryVerbTests : RepositoryTests
{
    private string Host => Registry.Address.Authority;

    [Fact]
    public async Task Tags_are_printed_one_a_line_and_hostile_ones_harmlessly()
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, TagsJson(["34", "\e]0;owned\a", "a\nb", new string('x', 1000), "\u202egnp"])));
        (int status, string output, string error) = await RunAsync("tags", $"{Host}/fedora");
        Assert.Equal($"34\n\\x1b]0;owned\\x07\na\\x0ab\n{new string('x', 128)}…\n\\u202egnp\n", output);
        Assert.Equal((0, ""), (status, error));
    }

    [Fact]
    public async Task Tags_in_json_and_by_template_have_the_names_of_podman()
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, TagsJson(["34", "\e[2J"])));
        (_, string json, _) = await RunAsync("tags", "--format", "json", $"{Host}/fedora");
        (_, string rows, _) = await RunAsync("tags", "--format", "{{.Name}}:{{.Tag}}", $"{Host}/fedora:35");
        Assert.Equal($$"""
            [
                {
                    "Name": "{{Host}}/fedora",
                    "Tags": [
                        "34",
                        "\u001B[2J"
                    ]
                }
            ]

            """, json);
        Assert.Equal($"{Host}/fedora:34\n{Host}/fedora:\\x1b[2J\n", rows);
    }

    [Fact]
    public async Task Search_prints_the_columns_of_podman()
    {
        Serve("/v1/search", context => WriteJsonAsync(context, """
            {"results":[{"name":"one","description":"a\nb \u001b[31m","star_count":12,"is_official":true},
                        {"name":"two","description":"0123456789012345678901234567890123456789012345678901234567890","is_automated":true}]}
            """));
        (_, string table, _) = await RunAsync("search", $"{Host}/o");
        (_, string whole, _) = await RunAsync("search", "--compatible", "--no-trunc", $"{Host}/o");
        (_, string starred, _) = await RunAsync("search", "--filter", "stars=10", "--filter", "is-official", "--format", "{{.Index}} {{.Name}}", $"{Host}/o");
        string pad = new(' ', $"{Host}/one".Length - 2);
        Assert.Equal($"NAME{pad}DESCRIPTION\n{Host}/one  a b \\x1b[31m\n{Host}/two  01234567890123456789012345678901234567890123...\n", table);
        Assert.Contains($"{Host}/two  0123456789012345678901234567890123456789012345678901234567890  0                       [OK]\n", whole, StringComparison.Ordinal);
        Assert.Equal($"{Host} {Host}/one\n", starred);
    }

    [Theory]
    [InlineData("invalid filter type \"bogus=1\"", "--filter", "bogus=1")]
    [InlineData("incorrect value type for stars filter: strconv.Atoi: parsing \"x\": invalid syntax", "--filter", "stars=x")]
    [InlineData("filters are not applicable to list tags result", "--filter", "stars=1", "--list-tags")]
    [InlineData("--limit must be a positive number", "--limit", "0")]
    public async Task A_wrong_search_is_answered_before_anybody_is_asked(string message, params string[] options)
    {
        (int status, string output, string error) = await RunAsync(["search", .. options, $"{Host}/foo"]);
        Assert.Equal((125, "", $"Error: {message}\n"), (status, output, error));
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    public async Task An_index_is_shown_whatever_its_entries_run_on_with_two_requests()
    {
        Descriptor index = Registry.AddManifest("34", MediaTypes.OciIndex, $$"""
            {"schemaVersion":2,"manifests":[
              {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Digest.Of("a"u8)}}","size":7,"platform":{"os":"plan9","architecture":"mips"} },
              {"mediaType":"x/y","digest":"nonsense","size":"8","annotations":{"a":1} },
              3],"annotations":{"k":"v"} }
            """);
        (int status, string output, string error) = await RunAsync("inspect", "--remote", $"{Host}/fedora:34");
        Assert.Equal((0, ""), (status, error));
        Assert.Equal(2, Registry.Requests.Count);
        JsonElement shown = Single(output);
        Assert.Equal(index.Digest.ToString(), shown.GetProperty("Digest").GetString());
        Assert.Equal($"{Host}/fedora", shown.GetProperty("Name").GetString());
        Assert.Equal("v", shown.GetProperty("Annotations").GetProperty("k").GetString());
        Assert.Equal("plan9/mips", shown.GetProperty("Manifests")[0].GetProperty("Platform").GetString());
        Assert.Equal(7, shown.GetProperty("Manifests")[0].GetProperty("Size").GetInt64());
        Assert.Equal("nonsense", shown.GetProperty("Manifests")[1].GetProperty("Digest").GetString());
        Assert.Equal(3, shown.GetProperty("Manifests").GetArrayLength());
    }

    [Fact]
    public async Task An_image_of_an_index_is_shown_with_four_requests_and_one_alone_with_three()
    {
        AddImage("arm64", """{"architecture":"arm64","os":"linux","created":"2024-01-02T03:04:05Z","config":{"Env":["A=b"],"Labels":{"k":"v"}},"rootfs":{"type":"layers","diff_ids":[]} }""");
        (int chosen, string output, _) = await RunAsync("inspect", "--remote", "--platform", "linux/arm64", $"{Host}/fedora:arm64-index");
        Assert.Equal(4, Registry.Requests.Count);
        (int alone, string direct, _) = await RunAsync("inspect", "--remote", $"{Host}/fedora:arm64");
        Assert.Equal(7, Registry.Requests.Count);
        Assert.Equal((0, 0), (chosen, alone));
        Assert.Equal(output, direct);
        JsonElement shown = Single(output);
        Assert.Equal("arm64", shown.GetProperty("Architecture").GetString());
        Assert.Equal("2024-01-02T03:04:05Z", shown.GetProperty("Created").GetString());
        Assert.Equal("A=b", shown.GetProperty("Env")[0].GetString());
        Assert.Equal("v", shown.GetProperty("Labels").GetProperty("k").GetString());
    }

    [Fact]
    public async Task A_platform_that_is_not_there_is_an_error_that_lists_the_others()
    {
        AddImage("arm64", """{"architecture":"arm64","os":"linux"}""");
        (int status, string output, string error) = await RunAsync("inspect", "--remote", "--platform", "linux/s390x", $"{Host}/fedora:arm64-index");
        Assert.Equal((125, ""), (status, output));
        Assert.Contains("no image for platform linux/s390x", error, StringComparison.Ordinal);
        Assert.Contains("linux/arm64", error, StringComparison.Ordinal);
        (status, _, error) = await RunAsync("inspect", "--remote", "--platform", "linux/s390x", $"{Host}/fedora:arm64");
        Assert.Equal((125, $"Error: image {Host}/fedora:arm64 is for linux/arm64, not for linux/s390x\n"), (status, error));
    }

    [Fact]
    public async Task The_configuration_of_an_index_with_one_image_is_that_images()
    {
        AddImage("s390x", """{"architecture":"s390x","os":"linux"}""");
        (int status, string output, string error) = await RunAsync("inspect", "--remote", "--config", $"{Host}/fedora:s390x-index");
        Assert.Equal((0, "", "{\n    \"architecture\": \"s390x\",\n    \"os\": \"linux\"\n}\n"), (status, error, output));
    }

    [Fact]
    public async Task Raw_prints_what_the_registry_sent()
    {
        const string Odd = " {\"schemaVersion\" : 2,\n\"b\":1, \"a\":\"\u00e9\"}\n\n";
        Registry.AddManifest("odd", MediaTypes.OciManifest, Odd);
        (int status, string output, _) = await RunAsync("inspect", "--remote", "--raw", $"{Host}/fedora:odd");
        Assert.Equal((0, Odd), (status, output));
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":5},"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"x","size":9}]}""", "application/vnd.cncf.helm.config.v1+json")]
    [InlineData("""{"schemaVersion":2,"artifactType":"application/wasm","config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[]}""", "application/wasm")]
    [InlineData("""{"schemaVersion":2,"artifactType":"a/b","layers":"none","config":7}""", "a/b")]
    [Fault(36, "inspect --remote shows a chart, a module or a signature by its parts, and does not ask for its config")]
    public async Task An_artifact_is_shown_and_its_config_not_asked_for(string manifest, string type)
    {
        Registry.AddManifest("1", MediaTypes.OciManifest, manifest);
        (int status, string output, _) = await RunAsync("inspect", "--remote", $"{Host}/chart:1");
        Assert.Equal(0, status);
        Assert.Equal(type, Single(output).GetProperty("ArtifactType").GetString());
        Assert.Equal(2, Registry.Requests.Count);
    }

    [Theory]
    [Fault(36, "inspect --remote shows type and digest of what is no manifest at all")]
    [InlineData("not json at all \u001b[31m")]
    [InlineData("[[[[")]
    [InlineData("[]")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"annotations\":{\"a\":\"\\ud800\"}}")]
    public async Task Even_what_is_no_manifest_is_shown_by_its_digest(string body)
    {
        Descriptor sent = Registry.AddManifest("1", "application/vnd.oci.image.manifest.v1+json", body);
        (int status, string output, _) = await RunAsync("inspect", "--remote", $"{Host}/x:1");
        Assert.Equal(0, status);
        Assert.Equal(sent.Digest.ToString(), Single(output).GetProperty("Digest").GetString());
        (status, output, string error) = await RunAsync("manifest", "inspect", $"{Host}/x:1");
        Assert.Equal((125, ""), (status, output));
        Assert.Contains($"Error: document {sent.Digest} of type application/vnd.oci.image.manifest.v1+json is not a JSON object\nHint: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_another_than_the_manifest_names_is_refused()
    {
        AddImage("amd64", """{"architecture":"amd64","os":"linux"}""");
        Serve("/v2/fedora/blobs/", context => WriteJsonAsync(context, """{"architecture":"amd64","os":"linuX"}"""));
        (int status, string output, string error) = await RunAsync("inspect", "--remote", $"{Host}/fedora:amd64");
        Assert.Equal((125, ""), (status, output));
        Assert.Contains("with that digest", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_inspect_only_indents()
    {
        Registry.AddManifest("34", MediaTypes.OciIndex, """{"z":1,"schemaVersion":2,"manifests":[],"a":{"n":1.50,"e":"\u001b<é>"}}""");
        (int status, string output, _) = await RunAsync("manifest", "inspect", "-v", $"{Host}/fedora:34");
        Assert.Equal(0, status);
        Assert.Equal("""
            {
                "z": 1,
                "schemaVersion": 2,
                "manifests": [],
                "a": {
                    "n": 1.50,
                    "e": "\u001B<é>"
                }
            }

            """, output, ignoreCase: true);
    }

    [Fact]
    public async Task Referrers_are_a_table()
    {
        Descriptor image = Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        Serve($"/v2/fedora/referrers/{image.Digest}", context => WriteJsonAsync(context, IndexJson(("sbom", "application/spdx+json")), type: MediaTypes.OciIndex));
        (int status, string output, _) = await RunAsync("referrers", $"{Host}/fedora:34");
        string digest = Digest.Of("sbom"u8).ToString();
        Assert.Equal(0, status);
        Assert.Equal($"DIGEST{new string(' ', digest.Length - 4)}ARTIFACT TYPE          SIZE\n{digest}  application/spdx+json  4 B\n", output);
        Assert.Equal(3, Registry.Requests.Count);
        (_, string json, _) = await RunAsync("referrers", "--format", "json", $"{Host}/fedora@{image.Digest}");
        Assert.Equal("sbom", Single(json).GetProperty("Annotations").GetProperty("of").GetString());
        Assert.Equal(5, Registry.Requests.Count); // a digest needs not to be looked up
    }

    [Fact]
    public async Task An_image_is_deleted_by_the_digest_of_its_tag()
    {
        Descriptor image = Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        ServeDeletion();
        (int status, string output, string error) = await RunAsync("rmi", "--remote", $"{Host}/fedora:34");
        Assert.Equal((0, $"Deleted: {Host}/fedora@{image.Digest}\n", ""), (status, output, error));
        Assert.Equal(
            ["GET /v2/", "GET /v2/fedora/manifests/34", $"DELETE /v2/fedora/manifests/{image.Digest}"],
            Registry.Requests.Select(request => $"{request.Method} {request.Url}"));
    }

    [Fact]
    public async Task A_tag_alone_is_deleted_where_that_is_asked_for()
    {
        ServeDeletion();
        (int status, string output, _) = await RunAsync("rmi", "--remote", "--tag-only", $"{Host}/fedora:34");
        Assert.Equal((0, $"Untagged: {Host}/fedora:34\n"), (status, output));
        Assert.Equal(["GET /v2/", "DELETE /v2/fedora/manifests/34"], Registry.Requests.Select(request => $"{request.Method} {request.Url}"));
    }

    [Fact]
    public async Task Of_several_images_those_that_are_there_are_deleted()
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        ServeDeletion();
        (int status, string output, string error) = await RunAsync("rmi", "--remote", $"{Host}/fedora:33", $"{Host}/fedora:34");
        Assert.Equal(125, status);
        Assert.StartsWith("Deleted: ", output, StringComparison.Ordinal);
        Assert.Contains("manifest '33': manifest unknown", error, StringComparison.Ordinal);
        (status, output, error) = await RunAsync("rmi", "--remote", "--ignore", $"{Host}/fedora:33");
        Assert.Equal((0, "", ""), (status, output, error));
    }

    [Theory]
    [InlineData("--raw needs --remote", "inspect", "--raw", "x")]
    [InlineData("--tags needs --remote", "inspect", "--tags", "x")]
    [InlineData("--platform, --arch, --os and --variant need --remote: in the store, name the image by its ID", "inspect", "--arch", "arm64", "x")]
    [InlineData("--raw and --config print one document as it is: they take one name and no --format", "inspect", "--remote", "--raw", "x", "y")]
    [InlineData("no names or ids specified", "inspect", "--remote")]
    [InlineData("--remote is for images: a registry has no containers", "inspect", "--remote", "--type", "container", "x")]
    [InlineData("--tag-only needs --remote: in the store, oci rmi takes the name alone", "rmi", "--tag-only", "x")]
    [InlineData("--all is for the store: name what is to be deleted in a registry", "rmi", "--remote", "--all")]
    [InlineData("image name must be specified", "rmi", "--remote")]
    [InlineData("accepts 1 arg(s), received 0", "tags")]
    [InlineData("accepts 1 arg(s), received 2", "search", "a", "b")]
    [InlineData("accepts 1 arg(s), received 0", "referrers")]
    [InlineData("accepts 1 arg(s), received 0", "manifest", "inspect")]
    public async Task A_wrong_command_line_is_answered_with_125(string message, params string[] line)
    {
        (int status, string output, string error) = await RunAsync(line);
        Assert.Equal((125, ""), (status, output));
        Assert.Equal($"Error: {message}\n", error);
    }

    private static JsonElement Single(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return Assert.Single(document.RootElement.EnumerateArray().ToArray()).Clone();
    }

    private void ServeDeletion()
    {
        Func<HttpContext, Task<bool>> others = Registry.Fault;
        Registry.Fault = context =>
        {
            if (context.Request.Method != "DELETE")
            {
                return others(context);
            }

            context.Response.StatusCode = 202;
            return Task.FromResult(true);
        };
    }

    private void AddImage(string architecture, string config)
    {
        Descriptor blob = Registry.AddBlob(Encoding.UTF8.GetBytes(config));
        Descriptor manifest = Registry.AddManifest(architecture, MediaTypes.OciManifest, $$"""
            {"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{blob.Digest}}","size":{{blob.Size}}},"layers":[]}
            """);
        Registry.AddManifest($"{architecture}-index", MediaTypes.OciIndex, $$"""
            {"schemaVersion":2,"manifests":[
              {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{manifest.Digest}}","size":{{manifest.Size}},"platform":{"os":"linux","architecture":"{{architecture}}"} },
              {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Digest.Of("attestation"u8)}}","size":7,"platform":{"os":"unknown","architecture":"unknown"} }]}
            """);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] args)
    {
        string root = Directory.CreateTempSubdirectory("oci-test-").FullName;
        using StringWriter output = new();
        using StringWriter error = new();
        try
        {
            int status = await Program.RunAsync(["--root", $"{root}/root", "--runroot", $"{root}/run", .. args], output, error);
            return (status, output.ToString(), error.ToString());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
