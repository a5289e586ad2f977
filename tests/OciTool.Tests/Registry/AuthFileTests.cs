using System.Runtime.Versioning;
using System.Text;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

[SupportedOSPlatform("linux")]
public sealed class AuthFileTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("oci-test-");
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<string> _warnings = [];
    private string? _authFile;

    public AuthFileTests() => _environment["HOME"] = _home.FullName;

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public async Task The_files_are_read_in_podmans_order()
    {
        _environment["XDG_RUNTIME_DIR"] = Path.Join(_home.FullName, "run");
        Write("run/containers/auth.json", Auths("quay.io", "first"));
        Write(".config/containers/auth.json", Auths("quay.io", "second"));
        Write(".docker/config.json", Auths("quay.io", "third"));
        Write(".dockercfg", $$$"""{"quay.io":{"auth":"{{{Encode("fourth:p")}}}","email":"a@b"}}""");
        foreach (string file in new[] { "run/containers/auth.json", ".config/containers/auth.json", ".docker/config.json", ".dockercfg" })
        {
            Assert.Contains($"from {_home.FullName}/{file} (key 'quay.io')", (await FindAsync("quay.io/a/b"))?.ToString(), StringComparison.Ordinal);
            File.Delete(Path.Join(_home.FullName, file));
        }

        Assert.Null(await FindAsync("quay.io/a/b"));
    }

    [Fact]
    public async Task A_named_file_is_the_only_one_and_must_be_there()
    {
        Write(".docker/config.json", Auths("quay.io", "other"));
        _environment["REGISTRY_AUTH_FILE"] = Write("mine.json", Auths("ghcr.io", "mine"));
        Assert.Null(await FindAsync("quay.io/a/b"));
        _authFile = Path.Join(_home.FullName, "missing.json");
        OciException failure = await Assert.ThrowsAsync<OciException>(() => FindAsync("quay.io/a/b"));
        Assert.Equal($"auth file {_authFile}: no such file", failure.Message);
    }

    [Theory]
    [InlineData("quay.io/a/b", "quay.io/a/b", true)]
    [InlineData("quay.io/a/b", "quay.io/a", true)]
    [InlineData("quay.io/a/b", "quay.io", true)]
    [InlineData("quay.io/a/b", "https://quay.io", true)]
    [InlineData("quay.io/a/b", "https://quay.io/v1/", true)]
    [InlineData("quay.io/a/b", "quay.io/aa", false)]
    [InlineData("quay.io/a/b", "quay.io:443", false)]
    [InlineData("quay.io/a/b", "io", false)]
    [InlineData("alpine", "docker.io", true)]
    [InlineData("alpine", "docker.io/library/alpine", true)]
    [InlineData("alpine", "https://index.docker.io/v1/", true)]
    [InlineData("alpine", "index.docker.io", true)]
    [InlineData("localhost:5000/a", "localhost:5000", true)]
    public async Task A_key_names_a_registry_or_a_part_of_it(string reference, string key, bool isFound)
    {
        Write(".docker/config.json", Auths(key, "user"));
        Assert.Equal(isFound, await FindAsync(reference) is not null);
    }

    [Fact]
    public async Task The_most_specific_key_wins()
    {
        Write(".docker/config.json", $$$"""
            {"auths":{"quay.io":{"auth":"{{{Encode("host:p")}}}"},"quay.io/a/b":{"auth":"{{{Encode("repository:p")}}}"},"quay.io/a":{"auth":"{{{Encode("namespace:p")}}}"} } }
            """);
        Assert.Equal("repository", (await FindAsync("quay.io/a/b"))?.User);
        Assert.Equal("namespace", (await FindAsync("quay.io/a/c"))?.User);
        Assert.Equal("host", (await FindAsync("quay.io/c"))?.User);
    }

    [Fact]
    public async Task An_identity_token_takes_the_place_of_the_password()
    {
        Write(".docker/config.json", $$$"""{"auths":{"quay.io":{"auth":"{{{Encode("00000000-0000-0000-0000-000000000000:")}}}","identitytoken":"refresh"} } }""");
        Assert.Equal("refresh", (await FindAsync("quay.io/a"))?.IdentityToken);
    }

    [Theory]
    [InlineData("""{"auths":{"quay.io":{"auth":"c2VjcmV0"}}}""", "'auth' must be the base64 form of user:password")]
    [InlineData("""{"auths":{"quay.io":{"auth":"!secret!"}}}""", "'auth' must be the base64 form of user:password")]
    [InlineData("""{"auths":{"quay.io":{"auth":secret}}}""", "not the JSON of an auth file, line 1")]
    [InlineData("null", "it is null")]
    public async Task A_broken_file_is_named_and_its_secrets_are_not(string content, string mistake)
    {
        string path = Write(".docker/config.json", content);
        OciException failure = await Assert.ThrowsAsync<OciException>(() => FindAsync("quay.io/a"));
        Assert.Contains($"invalid auth file {path}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(mistake, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"credHelpers":{"quay.io":"test"},"auths":{"quay.io":{}}}""")]
    [InlineData("""{"credsStore":"test","auths":{"quay.io":{}}}""")]
    public async Task A_helper_is_asked_for_the_registry(string config)
    {
        Write(".docker/config.json", config);
        Helper("test", "read server; echo \"{\\\"ServerURL\\\":\\\"$server\\\",\\\"Username\\\":\\\"$1 $server\\\",\\\"Secret\\\":\\\"s\\\"}\"");
        Credentials? found = await FindAsync("quay.io/a");
        Assert.Equal(("get quay.io", "s"), (found?.User, found?.Password));
        Assert.StartsWith("docker-credential-test, which ", found?.Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_helper_that_answers_with_a_token_gives_an_identity_token()
    {
        Write(".docker/config.json", """{"credsStore":"test"}""");
        Helper("test", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
        Assert.Equal("refresh", (await FindAsync("quay.io/a"))?.IdentityToken);
    }

    [Theory]
    [InlineData("test", "echo credentials not found in native keychain; exit 1", null)]
    [InlineData("test", "exit 7", "credential helper docker-credential-test: it failed with status 7")]
    [InlineData("test", "echo secret", "credential helper docker-credential-test: its answer is not the JSON that it should be")]
    [InlineData("test", "yes", "credential helper docker-credential-test: it wrote more than 65536 bytes")]
    [InlineData("missing", "exit 0", "credential helper docker-credential-missing: not found in $PATH")]
    [InlineData("../test", "exit 0", "invalid credential helper '../test': a name has lower-case letters, digits, '.', '_' and '-'")]
    public async Task A_helper_without_an_answer_leaves_us_anonymous_and_warned(string helper, string script, string? warning)
    {
        string path = Write(".docker/config.json", $$"""{"credsStore":"{{helper}}"}""");
        Helper("test", script);
        Assert.Null(await FindAsync("quay.io/a"));
        Assert.Equal(warning is null ? [] : [$"{warning}; {path} names it"], _warnings);
    }

    [Fact]
    public void Printed_credentials_have_no_password() =>
        Assert.Equal("the credentials of user 'a' from --creds", Credentials.Parse("a:secret").ToString());

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Auths(string key, string user) => $$$"""{"auths":{"{{{key}}}":{"auth":"{{{Encode($"{user}:p:w")}}}"} } }""";

    private string Write(string name, string content)
    {
        string path = Path.Join(_home.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    private void Helper(string name, string script)
    {
        string path = Write($"bin/docker-credential-{name}", $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _environment["PATH"] = $"relative:{Path.GetDirectoryName(path)}:/usr/bin:/bin";
    }

    private Task<Credentials?> FindAsync(string reference)
    {
        RegistryOptions options = new() { AuthFile = _authFile, Environment = name => _environment.GetValueOrDefault(name) };
        AuthFiles files = new(options, TimeProvider.System, _warnings.Add);
        return files.FindAsync(RegistryEndpoint.Of(Reference.Parse(reference)), TestContext.Current.CancellationToken);
    }
}
