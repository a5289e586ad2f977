using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class ReferrersTests : RepositoryTests
{
    private static readonly Digest Subject = Digest.Of("subject"u8);

    private static string Api => $"/v2/fedora/referrers/{Subject}";

    private async Task<Referrers> ListAsync(string? artifactType = null)
    {
        await using RegistryRepository repository = Repository();
        return await repository.ListReferrersAsync(Subject, artifactType, Cancel);
    }

    private static IEnumerable<string> Names(Referrers referrers) => referrers.Manifests.Select(entry => entry.Annotations!["of"]);

    [Fact]
    public async Task Referrers_are_listed_over_all_pages()
    {
        Serve(Api, context => context.Request.Query["last"] == "a"
            ? WriteJsonAsync(context, IndexJson(("b", null)), type: MediaTypes.OciIndex)
            : WriteJsonAsync(context, IndexJson(("a", "x/y")), $"<{Api}?last=a>; rel=\"next\"", MediaTypes.OciIndex));
        Referrers referrers = await ListAsync();
        Assert.Equal(["a", "b"], Names(referrers));
        Assert.Equal("x/y", referrers.Manifests[0].ArtifactType);
        Assert.Null(referrers.FallbackTag);
        Assert.Equal(["/v2/", Api, $"{Api}?last=a"], Urls);
    }

    [Fact]
    public async Task The_registry_is_asked_for_the_wanted_type_and_believed_that_it_filtered()
    {
        Serve(Api, context =>
        {
            context.Response.Headers["OCI-Filters-Applied"] = "artifactType";
            return WriteJsonAsync(context, IndexJson(("a", "x/y"), ("b", null)), type: MediaTypes.OciIndex);
        });
        Assert.Equal(["a", "b"], Names(await ListAsync("x/y")));
        Assert.Equal($"{Api}?artifactType=x%2Fy", Urls[^1]);
    }

    [Fact]
    public async Task What_the_registry_did_not_filter_is_filtered_here()
    {
        Serve(Api, context => WriteJsonAsync(context, IndexJson(("a", "x/y"), ("b", null), ("c", "x/z")), type: MediaTypes.OciIndex));
        Assert.Equal(["a"], Names(await ListAsync("x/y")));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    [InlineData(405)]
    [InlineData(406)]
    [InlineData(501)]
    public async Task A_registry_without_the_api_is_asked_for_the_tag(int status)
    {
        Serve(Api, context => FaultRegistry.WriteErrorAsync(context, status, "UNSUPPORTED", "no"));
        Registry.AddManifest($"sha256-{Subject.Hex}", MediaTypes.OciIndex, IndexJson(("a", "x/y"), ("b", "x/z")));
        Referrers all = await ListAsync();
        Assert.Equal(["a", "b"], Names(all));
        Assert.Equal($"sha256-{Subject.Hex}", all.FallbackTag);
        Assert.Equal(["b"], Names(await ListAsync("x/z")));
    }

    [Theory]
    [InlineData("text/html", "<html>")]
    [InlineData("application/json", "{}")]
    public async Task An_answer_that_is_no_index_means_that_there_is_no_api(string type, string body)
    {
        Serve(Api, context => WriteJsonAsync(context, body, type: type));
        Registry.AddManifest($"sha256-{Subject.Hex}", MediaTypes.OciIndex, IndexJson(("a", null)));
        Assert.Equal(["a"], Names(await ListAsync()));
    }

    [Fact]
    public async Task A_manifest_that_nothing_refers_to_has_no_referrers()
    {
        Referrers referrers = await ListAsync();
        Assert.Empty(referrers.Manifests);
        Assert.Equal($"sha256-{Subject.Hex}", referrers.FallbackTag);
        Assert.Equal(3, Registry.Requests.Count);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(500)]
    public async Task A_registry_that_refuses_is_not_one_without_referrers(int status)
    {
        Serve(Api, context => FaultRegistry.WriteErrorAsync(context, status, "DENIED", "no"));
        await Assert.ThrowsAsync<RegistryException>(() => ListAsync());
        Assert.DoesNotContain(Urls, url => url.Contains("manifests", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_page_that_is_missing_is_an_error_and_no_other_list()
    {
        Serve(Api, context => context.Request.Query.ContainsKey("last")
            ? FaultRegistry.WriteErrorAsync(context, 404, "NOT_FOUND", "no")
            : WriteJsonAsync(context, IndexJson(("a", null)), $"<{Api}?last=a>; rel=\"next\"", MediaTypes.OciIndex));
        await Assert.ThrowsAsync<RegistryException>(() => ListAsync());
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"manifests":{}}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[],"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:zz","size":1}]}""")]
    [InlineData("[]")]
    public async Task A_broken_index_is_named_with_its_subject(string body)
    {
        Serve(Api, context => WriteJsonAsync(context, body, type: MediaTypes.OciIndex));
        InvalidDocumentException failure = await Assert.ThrowsAsync<InvalidDocumentException>(() => ListAsync());
        Assert.Contains($"/fedora: referrers of {Subject}: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Referrers_without_an_end_are_given_up()
    {
        int page = 0;
        Serve(Api, context => WriteJsonAsync(
            context,
            IndexJson([.. Enumerable.Range(0, 4000).Select(i => (i.ToString(CultureInfo.InvariantCulture), (string?)null))]),
            string.Create(CultureInfo.InvariantCulture, $"<{Api}?last={page++}>; rel=\"next\""),
            MediaTypes.OciIndex));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => ListAsync());
        Assert.EndsWith($"referrers of {Subject}: there are more than 10000", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, page);
    }

    [Fact]
    public void The_tag_of_a_long_digest_is_cut_as_the_specification_says()
    {
        Digest digest = Digest.Parse($"sha512:{new string('a', 128)}");
        Assert.Equal($"sha512-{new string('a', 64)}", Referrers.TagOf(digest));
        Assert.Equal($"sha256-{Subject.Hex}", Referrers.TagOf(Subject));
    }
}
