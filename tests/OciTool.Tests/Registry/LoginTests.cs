using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class LoginTests : RegistryTests
{
    private static readonly Credentials Tester = Credentials.Parse("tester:secret");

    private string[] Urls => [.. Registry.Requests.Select(request => $"{request.Method} {request.Url}")];

    [Fact]
    public async Task A_registry_that_asks_for_nothing_lets_everybody_in()
    {
        Assert.Equal(Tester, await VerifyAsync());
        Assert.Equal(["GET /v2/", "GET /v2/"], Urls);
        Assert.All(Registry.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task A_token_is_asked_for_without_a_scope_and_with_the_name()
    {
        RequireToken((context, _) => context.Request.Headers.Authorization == Basic("tester:secret") ? """{"token":"t"}""" : null);
        Assert.Null((await VerifyAsync()).IdentityToken);
        Assert.Equal(
            ["GET /v2/", "GET /token?service=test&account=tester&client_id=oci&offline_token=true", "GET /v2/"], Urls);
        Assert.Equal("Bearer t", Registry.Requests.Last().Authorization);
    }

    [Fact]
    public async Task An_identity_token_takes_the_place_of_the_password()
    {
        RequireToken((_, _) => """{"token":"t","refresh_token":"identity"}""");
        Credentials verified = await VerifyAsync();
        Assert.Equal(("tester", "", "identity"), (verified.User, verified.Password, verified.IdentityToken));
    }

    [Fact]
    public async Task A_server_that_knows_OAuth2_alone_gets_the_password_in_a_form()
    {
        string? form = null;
        RequireToken((context, body) =>
        {
            form = body ?? form;
            context.Response.StatusCode = context.Request.Method == "POST" ? 200 : 405;
            return context.Request.Method == "POST" ? """{"access_token":"t","refresh_token":"identity"}""" : "";
        });
        Assert.Equal("identity", (await VerifyAsync()).IdentityToken);
        Assert.Equal("grant_type=password&service=test&client_id=oci&access_type=offline&scope=&username=tester&password=secret", form);
    }

    [Fact]
    public async Task A_token_server_that_refuses_is_a_refusal_and_asked_once()
    {
        RequireToken((context, _) =>
        {
            context.Response.StatusCode = 401;
            return null;
        });
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(VerifyAsync);
        Assert.True(failure.IsRefusal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Registry.Requests.Count);
    }

    [Fact]
    public async Task A_server_that_is_no_registry_is_no_refusal()
    {
        Registry.Fault = context =>
        {
            context.Response.StatusCode = 404;
            return Task.FromResult(true);
        };
        Assert.False((await Assert.ThrowsAsync<RegistryException>(VerifyAsync)).IsRefusal);
    }

    [Theory]
    [InlineData("quay.io", "quay.io", "")]
    [InlineData("https://quay.io/v1/", "quay.io", "")]
    [InlineData("http://localhost:5000", "localhost:5000", "")]
    [InlineData("index.docker.io", "docker.io", "")]
    [InlineData("docker.io/team", "docker.io", "team")]
    [InlineData("quay.io/team/app", "quay.io", "team/app")]
    [InlineData("[::1]:5000", "[::1]:5000", "")]
    [InlineData("quay.io/", "quay.io", "")]
    public void People_log_into_registries_and_parts_of_them(string text, string registry, string repository) =>
        Assert.Equal(new RegistryEndpoint(registry, repository), RegistryEndpoint.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("quay")]
    [InlineData("quay.io/Team")]
    [InlineData("quay.io/team:tag")]
    [InlineData("quay.io/team@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("https://")]
    [InlineData("user@quay.io")]
    [InlineData("quay.io?x")]
    [InlineData("../quay.io")]
    [InlineData("-quay.io")]
    [InlineData("\u001b[31m")]
    public void What_is_no_registry_is_refused(string text) =>
        Assert.StartsWith("invalid registry '", Assert.Throws<OciException>(() => RegistryEndpoint.Parse(text)).Message, StringComparison.Ordinal);

    private Task<Credentials> VerifyAsync() =>
        new RegistryLogin(
            RegistryEndpoint.Parse(Registry.Address.Authority),
            new RegistryContext(Options, NullLoggerFactory.Instance, Time, Warnings.Add)).VerifyAsync(Tester, Cancel);

    // asks for a token, which a server of its own path gives; the answer is null for a refusal
    private void RequireToken(Func<HttpContext, string?, string?> answer) => Registry.Fault = async context =>
    {
        if (context.Request.Path == "/token")
        {
            using StreamReader reader = new(context.Request.Body);
            string body = await reader.ReadToEndAsync(Cancel);
            string? token = answer(context, body.Length == 0 ? null : body);
            context.Response.StatusCode = token is null ? 401 : context.Response.StatusCode;
            await context.Response.WriteAsync(token ?? "", Cancel);
            return true;
        }

        if (context.Request.Headers.Authorization == "Bearer t")
        {
            return false;
        }

        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{Registry.Origin}/token\",service=\"test\",scope=\"registry:catalog:*\"";
        return true;
    };
}
