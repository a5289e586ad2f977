using System.Text;
using System.Text.Json.Nodes;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class AuthFileWritingTests
{
    private byte[]? _content;

    private JsonNode Written => JsonNode.Parse(_content!)!;

    [Fact]
    public async Task The_file_is_one_that_is_named_else_the_users_own()
    {
        Assert.Equal("/home/me/.config/containers/auth.json", Choose("""HOME=/home/me XDG_RUNTIME_DIR=/run/me""").Path);
        Assert.Equal("/cfg/containers/auth.json", Choose("HOME=/home/me XDG_CONFIG_HOME=/cfg").Path);
        Assert.Equal("/named.json", Choose("HOME=/home/me REGISTRY_AUTH_FILE=/named.json").Path);
        Assert.Equal("/option.json", Choose("REGISTRY_AUTH_FILE=/named.json", authFile: "/option.json").Path);
        Assert.Equal("/docker.json", Choose("REGISTRY_AUTH_FILE=/named.json", compat: "/docker.json").Path);
        await StoreAsync("quay.io", "me:secret");
        Assert.Equal("""{"auths":{"quay.io":{"auth":"bWU6c2VjcmV0"}}}""", Written.ToJsonString());
    }

    [Fact]
    public async Task An_older_clients_name_for_a_key_is_kept_and_removed()
    {
        Begin("""{"auths":{"https://index.docker.io/v1/":{"auth":"eDp5","email":"e"},"https://quay.io":{"auth":"eDp5"}}}""");
        await StoreAsync("docker.io", "me:secret");
        Assert.Equal("bWU6c2VjcmV0", (string?)Written["auths"]!["https://index.docker.io/v1/"]!["auth"]);
        Assert.Equal("e", (string?)Written["auths"]!["https://index.docker.io/v1/"]!["email"]);
        Assert.Equal(2, Written["auths"]!.AsObject().Count);
        Assert.True(await RemoveAsync("quay.io"));
        Assert.False(await RemoveAsync("quay.io"));
        Assert.Equal("https://index.docker.io/v1/", Assert.Single(Written["auths"]!.AsObject()).Key);
    }

    [Fact]
    public async Task Dockers_file_gets_dockers_name_of_its_registry()
    {
        await StoreAsync("docker.io", "me:secret", compat: "/docker.json");
        Assert.Equal("https://index.docker.io/v1/", Assert.Single(Written["auths"]!.AsObject()).Key);
        Assert.Contains("not for repositories", (await Assert.ThrowsAsync<OciException>(() => StoreAsync("docker.io/team", "a:b", compat: "/docker.json"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_identity_token_is_kept_without_a_password_and_goes_with_the_next_login()
    {
        await Choose("HOME=/").StoreAsync(RegistryEndpoint.Parse("quay.io"), new Credentials("me", "") { IdentityToken = "refresh" }, Edit, Cancel);
        Assert.Equal("""{"auth":"bWU6","identitytoken":"refresh"}""", Written["auths"]!["quay.io"]!.ToJsonString());
        await StoreAsync("quay.io", "me:secret");
        Assert.Equal("""{"auth":"bWU6c2VjcmV0"}""", Written["auths"]!["quay.io"]!.ToJsonString());
    }

    [Theory]
    [InlineData("null", "it is not a JSON object")]
    [InlineData("[]", "not the JSON of an auth file")]
    [InlineData("""{"auths":"secret"}""", "not the JSON of an auth file")]
    [InlineData("""{"auths":{"quay.io":{"auth":secret}}}""", "not the JSON of an auth file, line 1")]
    [InlineData("""{"auths":{},"auths":{}}""", "not the JSON of an auth file")]
    [InlineData("\0", "not the JSON of an auth file")]
    public async Task What_is_no_auth_file_is_not_written_over(string content, string mistake)
    {
        Begin(content);
        OciException failure = await Assert.ThrowsAsync<OciException>(() => StoreAsync("quay.io", "me:hidden"));
        Assert.Contains(mistake, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.Equal(content, Encoding.UTF8.GetString(_content!));
    }

    [Fact]
    public async Task An_empty_file_is_a_new_one()
    {
        Begin(" \n");
        await StoreAsync("quay.io", "me:secret");
        Assert.NotNull(Written["auths"]!["quay.io"]);
    }

    [Fact]
    public async Task A_helper_that_is_missing_fails_the_login_and_changes_nothing()
    {
        Begin("""{"credsStore":"missing"}""");
        Assert.Contains("docker-credential-missing: not found in $PATH", (await Assert.ThrowsAsync<OciException>(() => StoreAsync("quay.io", "a:b"))).Message, StringComparison.Ordinal);
        Assert.Equal("""{"credsStore":"missing"}""", Encoding.UTF8.GetString(_content!));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static AuthFile Choose(string environment, string? authFile = null, string? compat = null)
    {
        Dictionary<string, string> variables = environment.Split(' ').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        RegistryOptions options = new() { AuthFile = authFile, Environment = name => variables.GetValueOrDefault(name) };
        return AuthFile.Choose(options, compat, TimeProvider.System);
    }

    private void Begin(string content) => _content = Encoding.UTF8.GetBytes(content);

    private void Edit(string path, Func<byte[]?, byte[]?> edit) => _content = edit(_content) ?? _content;

    private Task<string> StoreAsync(string key, string credentials, string? compat = null) =>
        Choose("HOME=/", compat: compat).StoreAsync(RegistryEndpoint.Parse(key), Credentials.Parse(credentials), Edit, Cancel);

    private Task<bool> RemoveAsync(string key) => Choose("HOME=/").RemoveAsync(RegistryEndpoint.Parse(key), Edit, Cancel);
}
