using System.Globalization;
using Microsoft.AspNetCore.Http;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class SearchTests : RepositoryTests
{
    private Task<IReadOnlyList<FoundRepository>> FindAsync(string term, int limit = 25) =>
        RegistrySearch.FindAsync(Registry.Address.Authority, term, limit, Context, Cancel);

    private async Task<IEnumerable<string>> NamesAsync(string term, int limit = 25) => (await FindAsync(term, limit)).Select(found => found.Name);

    [Fact]
    public async Task A_registry_with_a_search_is_asked_for_it()
    {
        Serve("/v1/search", context => WriteJsonAsync(context, """
            {"num_results":3,"results":[
              {"name":"a b/c","description":"first","star_count":7,"is_official":true,"is_automated":false,"more":1},
              {"name":"d","description":null},{"name":""},null,{"name":"e"}]}
            """));
        IReadOnlyList<FoundRepository> found = await FindAsync("a b/&", limit: 2);
        Assert.Equal(
            [new FoundRepository("a b/c", "first", 7, IsOfficial: true, IsAutomated: false), new FoundRepository("d", "", 0, IsOfficial: false, IsAutomated: false)],
            found);
        Assert.Equal(["/v2/", "/v1/search?q=a%20b%2F%26&n=2"], Urls);
    }

    [Theory]
    [InlineData(404, "404 page not found")]
    [InlineData(401, "{}")]
    [InlineData(200, "<html>")]
    [InlineData(200, """{"results":{}}""")]
    [InlineData(200, "{}")]
    public async Task Without_a_search_the_names_of_all_repositories_are_looked_through(int status, string body)
    {
        Serve("/v1/search", context =>
        {
            context.Response.StatusCode = status;
            return WriteJsonAsync(context, body);
        });
        Serve("/v2/_catalog", context => context.Request.Query["last"] == "b"
            ? WriteJsonAsync(context, """{"repositories":["foo/c","foo"]}""")
            : WriteJsonAsync(context, """{"repositories":["a/foo","b"]}""", "</v2/_catalog?last=b&n=2>; rel=\"next\""));
        Assert.Equal(["foo", "a/foo", "foo/c"], await NamesAsync("foo"));
    }

    [Fact]
    public async Task Without_a_term_everything_is_listed_up_to_the_limit()
    {
        Serve("/v2/_catalog", context => WriteJsonAsync(context, """{"repositories":["a","b","c"]}""", "</v2/_catalog?last=c>; rel=\"next\""));
        Assert.Equal(["a", "b", "c"], await NamesAsync("", limit: 3));
        Assert.Equal(["/v2/", "/v2/_catalog?n=1000"], Urls);
    }

    [Fact]
    public async Task Credentials_are_for_the_list_of_repositories_and_not_for_the_public_search()
    {
        Options = Options with { Credentials = Credentials.Parse("user:secret") };
        Registry.Fault = async context =>
        {
            switch (context.Request.Path.ToString())
            {
                case "/token":
                    await WriteJsonAsync(context, """{"token":"t"}""");
                    return true;
                case "/v2/_catalog" when context.Request.Headers.Authorization == "Bearer t":
                    await WriteJsonAsync(context, """{"repositories":["foo"]}""");
                    return true;
                default:
                    context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{Registry.Origin}/token\",service=\"test\"";
                    context.Response.StatusCode = 401;
                    return true;
            }
        };
        Assert.Equal(["foo"], await NamesAsync("foo"));
        Assert.Equal(
            ["/v2/", "/v1/search?q=foo&n=25", "/token?service=test&scope=registry%3Acatalog%3A%2A", "/v2/_catalog?n=1000"], Urls);
        Assert.Equal([null, null, Basic("user:secret"), "Bearer t"], Registry.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task A_registry_that_lets_nobody_search_says_so()
    {
        Serve("/v2/_catalog", context => FaultRegistry.WriteErrorAsync(context, 403, "DENIED", "no"));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => FindAsync("foo"));
        Assert.Contains($"{Registry.Address.Authority}: list of repositories: access denied", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalog_that_never_ends_and_never_matches_is_given_up()
    {
        int page = 0;
        Serve("/v2/_catalog", context => WriteJsonAsync(
            context, """{"repositories":["a"]}""", string.Create(CultureInfo.InvariantCulture, $"</v2/_catalog?last={page++ % 100}>; rel=\"next\"")));
        await Assert.ThrowsAsync<RegistryException>(() => FindAsync("foo"));
        Assert.InRange(page, 100, 102);
    }

    [Theory]
    [InlineData("""{"repositories":"a"}""")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task What_is_not_a_catalog_is_refused_in_one_line(string body)
    {
        Serve("/v2/_catalog", context => WriteJsonAsync(context, body));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => FindAsync(""));
        Assert.StartsWith($"{Registry.Address.Authority}: list of repositories: the answer of {Registry.Origin} is something else", failure.Message, StringComparison.Ordinal);
    }
}
