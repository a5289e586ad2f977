using System.Globalization;
using Microsoft.AspNetCore.Http;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class TagListTests : RepositoryTests
{
    [Fact]
    public async Task Tags_are_listed_over_all_pages_in_the_registrys_order()
    {
        Serve("/v2/fedora/tags/list", context => context.Request.Query["last"] == "c"
            ? WriteJsonAsync(context, TagsJson(["b", "a"]))
            : WriteJsonAsync(context, TagsJson(["34", "c"]), "</v2/fedora/tags/list?last=c&n=2>; rel=\"next\""));
        Assert.Equal(["34", "c", "b", "a"], await TagsAsync());
        Assert.Equal(["/v2/", "/v2/fedora/tags/list?n=1000", "/v2/fedora/tags/list?last=c&n=2"], Urls);
    }

    [Theory]
    [InlineData("""{"name":"fedora","tags":null}""")]
    [InlineData("""{"name":"fedora","tags":[]}""")]
    [InlineData("""{"name":"fedora"}""")]
    [InlineData("null")]
    public async Task A_repository_may_have_no_tags(string json)
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, json));
        Assert.Empty(await TagsAsync());
    }

    [Fact]
    public async Task No_page_is_asked_for_behind_the_last_tag_that_is_wanted()
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, TagsJson(["1", "2", "3"]), "<https://other.example/>; rel=\"next\""));
        Assert.Equal(["1", "2", "3"], await TagsAsync(limit: 3));
        Assert.Equal(["1", "2"], await TagsAsync(limit: 2));
        Assert.Equal(["/v2/", "/v2/fedora/tags/list?n=3", "/v2/", "/v2/fedora/tags/list?n=2"], Urls);
    }

    [Fact]
    public async Task A_registry_that_refuses_pages_of_our_size_is_asked_for_pages_of_its_own()
    {
        Serve("/v2/fedora/tags/list", context => context.Request.Query.ContainsKey("n")
            ? FaultRegistry.WriteErrorAsync(context, 400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
            : WriteJsonAsync(context, TagsJson(["34"])));
        Assert.Equal(["34"], await TagsAsync());
    }

    [Fact]
    public async Task A_page_whose_connection_breaks_is_asked_for_again()
    {
        int requests = 0;
        Serve("/v2/fedora/tags/list", async context =>
        {
            context.Response.ContentLength = requests++ == 0 ? 1000 : null;
            await WriteJsonAsync(context, TagsJson(["34"]));
            if (requests == 1)
            {
                await context.Response.Body.FlushAsync();
                context.Abort();
            }
        });
        Assert.Equal(["34"], await TagsAsync());
        Assert.Equal(2, requests);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("https://other.example/v2/fedora/tags/list?last=a")]
    [InlineData("//other.example/v2/fedora/tags/list")]
    [InlineData("http://user@other.example/")]
    [InlineData("http://localhost.example/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://x/")]
    [InlineData("http://")]
    [Fault(33, "a list whose next page is on another host, or on a cloud's metadata service, is refused")]
    public async Task A_list_that_goes_on_elsewhere_is_refused(string target)
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, TagsJson(["a"]), $"<{target}>; rel=\"next\""));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.StartsWith($"{Registry.Origin}: the link to the next page is refused: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, Registry.Requests.Count);
    }

    [Theory]
    [InlineData("https://127.0.0.1/v2/fedora/tags/list?last=a")] // a proxy in front of it ends TLS
    [InlineData("http://127.0.0.1:5000/v2/fedora/tags/list?last=a")] // and another port is inside
    [InlineData("/v2/fedora/tags/list?last=a")]
    [InlineData("list?last=a")]
    [InlineData("?last=a")]
    public async Task Of_a_link_to_the_registrys_own_host_only_the_path_counts(string target)
    {
        Serve("/v2/fedora/tags/list", context => context.Request.Query["last"] == "a"
            ? WriteJsonAsync(context, TagsJson(["b"]))
            : WriteJsonAsync(context, TagsJson(["a"]), $"<{target}>; rel=\"next\""));
        Assert.Equal(["a", "b"], await TagsAsync());
        Assert.Equal("/v2/fedora/tags/list?last=a", Urls[^1]);
    }

    [Fact]
    public async Task Pages_that_link_to_each_other_end_with_an_error()
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(
            context, TagsJson(["a"]), $"</v2/fedora/tags/list?last={(context.Request.Query["last"] == "a" ? "b" : "a")}>; rel=\"next\""));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.EndsWith("/fedora: list of tags: its pages link to each other in a circle", failure.Message, StringComparison.Ordinal);
        Assert.Equal(4, Registry.Requests.Count);
    }

    [Fact]
    [Trait("Pace", "slow")]
    [Fault(35, "a list without an end is given up after 4,096 pages, and pages in a circle at once")]
    public async Task A_list_without_an_end_is_given_up()
    {
        int page = 0;
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(
            context, TagsJson([]), string.Create(CultureInfo.InvariantCulture, $"</v2/fedora/tags/list?last={page++}>; rel=\"next\"")));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.EndsWith("/fedora: list of tags: it has more than 4096 pages", failure.Message, StringComparison.Ordinal);
        Assert.Equal(4096, page);
    }

    [Fact]
    [Trait("Pace", "slow")]
    [Fault(35, "a million tags are listed, and more are refused with a hint to take the first ones")]
    public async Task A_million_tags_are_listed_and_one_more_is_refused()
    {
        string[] pages =
        [
            TagsJson(Enumerable.Range(0, 500_000).Select(i => i.ToString(CultureInfo.InvariantCulture))),
            TagsJson(Enumerable.Range(500_000, 500_001).Select(i => i.ToString(CultureInfo.InvariantCulture))),
        ];
        Serve("/v2/fedora/tags/list", context => context.Request.Query.ContainsKey("last")
            ? WriteJsonAsync(context, pages[1])
            : WriteJsonAsync(context, pages[0], "<?last=500000>; rel=next"));
        Assert.Equal(1_000_000, (await TagsAsync(limit: 1_000_000)).Count);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.EndsWith("it has more than 1000000 tags", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--limit", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(35, "a page of a list is read up to 16 MiB, also where it has no end")]
    public async Task A_page_without_an_end_is_not_read_on()
    {
        Serve("/v2/fedora/tags/list", async context =>
        {
            byte[] blanks = new byte[1 << 20];
            Array.Fill(blanks, (byte)' ');
            context.Response.ContentType = "application/json";
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(blanks, context.RequestAborted);
            }
        });
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.EndsWith("/fedora: list of tags: a page is larger than 16 MiB", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"tags":"34"}""", "at $.tags")]
    [InlineData("""{"tags":[34]}""", "at $.tags[0]")]
    [InlineData("""{"tags":{"34":1}}""", "at $.tags")]
    [InlineData("""["34"]""", "unexpected JSON")]
    [InlineData("<html>", "unexpected JSON")]
    [InlineData("", "unexpected JSON")]
    [InlineData("""{"tags":["\ud800"]}""", "unexpected JSON")]
    public async Task What_is_not_a_list_of_tags_is_refused_in_one_line(string body, string cause)
    {
        Serve("/v2/fedora/tags/list", context => WriteJsonAsync(context, body));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.Contains($"/fedora: list of tags: the answer of {Registry.Origin} is something else", failure.Message, StringComparison.Ordinal);
        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(29, "a repository that is not there is said to be missing or private, without a retry")]
    public async Task An_unknown_repository_is_named()
    {
        Serve("/v2/fedora/tags/list", context => FaultRegistry.WriteErrorAsync(context, 404, "NAME_UNKNOWN", "repository name not known to registry"));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => TagsAsync());
        Assert.Contains("/fedora: list of tags: name unknown: the registry has no such repository, or it is private", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, Registry.Requests.Count);
    }
}
