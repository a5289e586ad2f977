using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class AuthorizationTests : RegistryTests
{
    private int _tokens;

    private string[] Urls => [.. Registry.Requests.Select(request => request.Url)];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
    }

    [Fact]
    public async Task A_password_is_sent_when_the_registry_asks_for_one()
    {
        Options = Options with { Credentials = Credentials.Parse("user:pass:word") };
        RequireBasic("user:pass:word");
        await ResolveAsync();
        Assert.Equal([null, Basic("user:pass:word")], Registry.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task A_refused_password_is_named_by_its_user_and_source_and_sent_once()
    {
        Options = Options with { Credentials = Credentials.Parse("user:secret") };
        RequireBasic("user:other");
        RegistryException failure = await FailureAsync();
        Assert.Contains("authentication required: the credentials of user 'user' from --creds were not accepted, or the image does not exist", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Registry.Requests.Count);
    }

    [Fact]
    public async Task An_anonymous_pull_with_a_token_takes_three_requests()
    {
        RequireToken();
        await ResolveAsync();
        Assert.Equal(["/v2/", "/token?service=test&scope=repository%3Afedora%3Apull", "/v2/fedora/manifests/34"], Urls);
        Assert.Equal([null, null, "Bearer t1"], Registry.Requests.Select(request => request.Authorization));
    }

    [Fact]
    [Fault(20, "the age of a token is counted on our own clock, which does not jump")]
    public async Task A_token_serves_until_it_is_too_old()
    {
        RequireToken(lifetime: 300);
        await using RegistryImageSource source = Source();
        await source.ResolveAsync(Cancel);
        await source.ResolveAsync(Cancel);
        Assert.Equal(1, _tokens);
        Time.Ahead = TimeSpan.FromSeconds(295);
        await source.ResolveAsync(Cancel);
        Assert.Equal(2, _tokens);
    }

    [Fact]
    public async Task A_token_that_claims_to_live_a_second_is_used_for_most_of_a_minute()
    {
        RequireToken(lifetime: 1);
        await using RegistryImageSource source = Source();
        await source.ResolveAsync(Cancel);
        Time.Ahead = TimeSpan.FromSeconds(45);
        await source.ResolveAsync(Cancel);
        Assert.Equal(1, _tokens);
    }

    [Fact]
    [Fault(28, "a refused token is replaced once a request; the second refusal says authentication required")]
    public async Task A_token_that_is_refused_is_replaced_once_a_request()
    {
        RequireToken();
        await using RegistryImageSource source = Source();
        await source.ResolveAsync(Cancel);
        Func<HttpContext, Task<bool>> fault = Registry.Fault;
        Registry.Fault = context => context.Request.Headers.Authorization == "Bearer t1" ? ChallengeAsync(context, TokenChallenge) : fault(context);
        await source.ResolveAsync(Cancel);
        Assert.Equal(2, _tokens);
        Registry.Fault = context => context.Request.Path == "/token" ? fault(context) : ChallengeAsync(context, TokenChallenge);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
        Assert.Contains("authentication required: no credentials for 127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, _tokens);
    }

    [Fact]
    public async Task Parallel_requests_share_one_token()
    {
        Descriptor blob = Registry.AddBlob(Bytes(1000));
        RequireToken();
        await using RegistryImageSource source = Source();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel);
            await stream.CopyToAsync(Stream.Null, Cancel);
        }));
        Assert.Equal(1, _tokens);
    }

    [Fact]
    public async Task An_identity_token_is_exchanged_in_the_body_of_a_request()
    {
        Options = Options with { Credentials = new Credentials("", "") { IdentityToken = "refresh" } };
        RequireToken();
        await ResolveAsync();
        SeenRequest exchange = Registry.Requests.ElementAt(1);
        Assert.Equal(("POST", "/token", ""), (exchange.Method, exchange.Url, exchange.Authorization ?? ""));
        Assert.Equal("grant_type=refresh_token&service=test&client_id=oci&scope=repository%3Afedora%3Apull&refresh_token=refresh", _form);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest", "it is a cloud's metadata service")]
    [InlineData("ftp://127.0.0.1/", "it is neither http nor https")]
    [InlineData("http://user:pass@127.0.0.1/", "it has a user in it")]
    [InlineData("/token", "it is")]
    [InlineData("http://10.1.2.3/token", "credentials go to the registry's own host and to public https hosts only")]
    [InlineData("http://registry.example.com/token", "credentials go to the registry's own host and to public https hosts only")]
    public async Task A_token_server_that_must_not_see_us_is_refused(string realm, string cause)
    {
        Options = Options with { Credentials = Credentials.Parse("user:secret") };
        Registry.Fault = context => ChallengeAsync(context, $"Bearer realm=\"{realm}\"");
        RegistryException failure = await FailureAsync();
        Assert.Contains($"the token server '{realm}' is refused: {cause}", failure.Message, StringComparison.Ordinal);
        Assert.Single(Registry.Requests);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("""{"token":"a b"}""")]
    [InlineData("""{"token":"a\r\nX: y"}""")]
    public async Task An_answer_without_a_usable_token_is_an_error(string answer)
    {
        Registry.Fault = async context =>
        {
            if (context.Request.Path != "/token")
            {
                return await ChallengeAsync(context, TokenChallenge);
            }

            await context.Response.WriteAsync(answer);
            return true;
        };
        Assert.Contains("no token for", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endless_token_is_not_read_to_its_end()
    {
        long sent = 0;
        Registry.Fault = async context =>
        {
            if (context.Request.Path != "/token")
            {
                return await ChallengeAsync(context, TokenChallenge);
            }

            for (; sent < 1 << 28 && !context.RequestAborted.IsCancellationRequested; sent += 65536)
            {
                await context.Response.Body.WriteAsync(new byte[65536]);
            }

            return true;
        };
        Assert.Contains("at most 64 KiB", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    private string TokenChallenge => $"Bearer realm=\"{Registry.Origin}/token\",service=\"test\",scope=\"repository:other:push,pull\"";

    private string _form = "";

    private static Task<bool> ChallengeAsync(HttpContext context, string challenge)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = challenge;
        return Task.FromResult(true);
    }

    private void RequireBasic(string credentials) => Registry.Fault = context =>
        context.Request.Headers.Authorization == Basic(credentials) ? Task.FromResult(false) : ChallengeAsync(context, "Basic realm=\"x\"");

    private void RequireToken(int lifetime = 300) => Registry.Fault = async context =>
    {
        if (context.Request.Path == "/token")
        {
            using StreamReader reader = new(context.Request.Body);
            _form = await reader.ReadToEndAsync(Cancel);
            await context.Response.WriteAsync($$"""{"token":"t{{Interlocked.Increment(ref _tokens)}}","expires_in":{{lifetime}},"issued_at":"2001-01-01T00:00:00Z"}""");
            return true;
        }

        return !context.Request.Headers.Authorization.ToString().StartsWith("Bearer t", StringComparison.Ordinal)
            && await ChallengeAsync(context, TokenChallenge);
    };
}
