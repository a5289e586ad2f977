using System.Text;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Logging in and out: what the registry says, and what is left in which file.</summary>
public sealed class LoginTests(Machine machine) : OciTest(machine)
{
    private static readonly string[] Words = RegistryProcess.Credentials.Split(':');

    private string Home => Path.Join(Path.GetDirectoryName(Oci.Root), "home");

    private string UserFile => Path.Join(Home, ".config/containers/auth.json");

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task A_login_is_verified_kept_in_the_users_own_file_used_and_forgotten(RegistryAuth auth)
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(auth)).Host;

        ProgramResult login = await LoginAsync(host, "-v");

        Assert.Equal($"Used:  {UserFile}\nLogin Succeeded!\n", login.Succeeded().Output);
        Assert.Equal("", login.Error);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(UserFile));
        Assert.Equal($"{Words[0]}\n", (await Oci.RunAsync("login", "--get-login", host)).Succeeded().Output);
        (await Oci.RunAsync("pull", "-q", $"{host}/busybox")).Succeeded();
        ProgramResult again = await Oci.RunAsync("login", host);
        Assert.Equal($"Authenticating with existing credentials for {host}\nExisting credentials are valid. Already logged in to {host}\n", again.Succeeded().Output);

        Assert.Equal($"Removed login credentials for {host}\n", (await Oci.RunAsync("logout", host)).Succeeded().Output);
        Failed(await Oci.RunAsync("logout", host), 125, $"^Error: not logged into {host}$");
        Failed(await Oci.RunAsync("login", "--get-login", host), 125, $"^Error: not logged into {host}$");
        Failed(await Oci.RunAsync("pull", "-q", $"{host}/busybox"), 125, "authentication required", "no credentials for");
        Assert.Equal([UserFile], Directory.GetFiles(Path.GetDirectoryName(UserFile)!));
    }

    [Fact]
    public async Task A_login_by_TLS_takes_the_certificates_of_a_directory()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Tls)).Host;
        string[] words = ["login", "-u", "anybody", "--password-stdin"];

        Failed(await Oci.RunAsync([], "password", [.. words, host]), 125, $"authenticating creds for \"{host}\"", "certificate");
        Assert.False(File.Exists(UserFile));
        Directory.CreateDirectory(Oci["certs"]);
        File.Copy(Machine.AuthorityFile, Path.Join(Oci["certs"], "ca.crt"));
        (await Oci.RunAsync([], "password", [.. words, "--cert-dir", Oci["certs"], host])).Succeeded();
        (await Oci.RunAsync([], "password", [.. words, "--tls-verify=false", host])).Succeeded();
    }

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task A_wrong_password_changes_nothing(RegistryAuth auth)
    {
        string host = (await Machine.RegistryAsync(auth)).Host;

        ProgramResult login = await Oci.RunAsync([], "hunter2", "--log-level", "trace", "login", "-u", Words[0], "--password-stdin", host);

        Failed(login, 125, $"^Error: logging into \"{host}\": invalid username/password$");
        Assert.DoesNotContain("hunter2", login.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Encode($"{Words[0]}:hunter2"), login.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(UserFile));
    }

    [Fact]
    public async Task A_registry_that_cannot_be_reached_is_no_wrong_password() =>
        Failed(await Oci.RunAsync([], "b", "login", "-u", "a", "--password-stdin", "127.0.0.1:1"), 125, "authenticating creds for \"127.0.0.1:1\": .*connection refused");

    [Fact]
    public async Task A_password_on_the_command_line_works_and_is_warned_of()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;

        ProgramResult login = await Oci.RunAsync("login", "-u", Words[0], "-p", Words[1], $"http://{host}/v2/");

        Assert.Equal("Login Succeeded!\n", login.Succeeded().Output);
        Assert.Equal("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n", login.Error);
        Assert.Equal($"{Words[0]}\n", (await Oci.RunAsync("login", "--get-login", host)).Succeeded().Output);
    }

    [Theory]
    [InlineData("please provide a registry to log in to")]
    [InlineData("Can't specify both --password-stdin and --password", "-u", "a", "-p", "b", "--password-stdin", "quay.io")]
    [InlineData("Must provide --username with --password-stdin", "--password-stdin", "quay.io")]
    [InlineData("--authfile and --compat-auth-file cannot be used together", "--authfile", "/a", "--compat-auth-file", "/b", "quay.io")]
    [InlineData("invalid registry 'quay.io/team:tag'", "quay.io/team:tag")]
    [InlineData("invalid registry 'registry'", "registry")]
    [InlineData("there is no password on standard input", "-u", "a", "--password-stdin", "quay.io")]
    [InlineData("cannot ask for a password where standard input is no terminal", "-u", "a", "quay.io")]
    [InlineData("no username was given", "quay.io")]
    [InlineData("accepts at most 1 arg", "quay.io", "docker.io")]
    public async Task A_wrong_argument_of_login_is_one_clear_line(string cause, params string[] words) =>
        Assert.Contains(cause, FailedWith(await Oci.RunAsync(["login", .. words])), StringComparison.Ordinal);

    [Theory]
    [InlineData("please provide a registry to log out from")]
    [InlineData("--all takes no arguments", "--all", "quay.io")]
    [InlineData("no such file", "--authfile", "/nonexistent/auth.json", "quay.io")]
    [InlineData("not logged into quay.io", "quay.io")]
    public async Task A_wrong_argument_of_logout_is_one_clear_line(string cause, params string[] words) =>
        Assert.Contains(cause, FailedWith(await Oci.RunAsync(["logout", .. words])), StringComparison.Ordinal);

    [Fact]
    public async Task What_is_in_the_file_besides_stays_and_a_link_to_it_stays_a_link()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string target = Oci["real.json"];
        await File.WriteAllTextAsync(
            target, """{"auths":{"quay.io":{"auth":"dTpw","email":"a+b@c"}},"HttpHeaders":{"User-Agent":"x"},"numbers":[1.50,1e3]}""", Cancellation);
        File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.CreateSymbolicLink(Oci["auth.json"], target);

        (await LoginAsync(host, "--authfile", Oci["auth.json"])).Succeeded();

        string written = await File.ReadAllTextAsync(target, Cancellation);
        JsonNode json = JsonNode.Parse(written)!;
        Assert.Equal((Encode(RegistryProcess.Credentials), "dTpw", "a+b@c", "x"),
            ((string?)json["auths"]![host]!["auth"], (string?)json["auths"]!["quay.io"]!["auth"], (string?)json["auths"]!["quay.io"]!["email"], (string?)json["HttpHeaders"]!["User-Agent"]));
        Assert.Contains("1.50", written, StringComparison.Ordinal);
        Assert.Contains("1e3", written, StringComparison.Ordinal);
        Assert.Equal(target, new FileInfo(Oci["auth.json"]).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));
        (await Oci.RunAsync("logout", "--authfile", Oci["auth.json"], host)).Succeeded();
        Assert.Null(JsonNode.Parse(await File.ReadAllTextAsync(target, Cancellation))!["auths"]![host]);
        Assert.False(File.Exists(UserFile));
    }

    [Fact]
    public async Task A_file_that_is_broken_is_named_and_left_alone()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        foreach (string content in new[] { "{\"auths\":", "[]", "{\"auths\":[]}", "{\"auths\":{},\"auths\":{}}" })
        {
            await File.WriteAllTextAsync(Oci["auth.json"], content, Cancellation);
            Failed(await LoginAsync(host, "--authfile", Oci["auth.json"]), 125, "invalid auth file .*auth.json");
            Assert.Equal(content, await File.ReadAllTextAsync(Oci["auth.json"], Cancellation));
        }
    }

    [Fact]
    public async Task Logins_at_the_same_time_lose_nothing()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string[] keys = [.. Enumerable.Range(0, 16).Select(i => $"{host}/team{i}")];

        await Task.WhenAll(keys.Select(async key => (await LoginAsync(key)).Succeeded()));

        JsonObject auths = JsonNode.Parse(await File.ReadAllTextAsync(UserFile, Cancellation))!["auths"]!.AsObject();
        Assert.Equal(keys.Order(), auths.Select(entry => entry.Key).Order());
        Assert.Equal([UserFile], Directory.GetFiles(Path.GetDirectoryName(UserFile)!));
        Assert.Equal("Removed login credentials for all registries\n", (await Oci.RunAsync("logout", "-a")).Succeeded().Output);
        Assert.Empty(JsonNode.Parse(await File.ReadAllTextAsync(UserFile, Cancellation))!["auths"]!.AsObject());
    }

    [Fact]
    public async Task Peers_use_what_we_wrote_and_we_use_what_they_wrote()
    {
        Need.Programs("skopeo", "podman");
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        (await LoginAsync(host, "--authfile", Oci["ours.json"])).Succeeded();
        (await LoginAsync(host, "--compat-auth-file", Oci["config.json"])).Succeeded();

        foreach (string file in new[] { Oci["ours.json"], Oci["config.json"] })
        {
            (await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--authfile", file, $"docker://{host}/busybox")).Succeeded();
            ProgramResult podman = await Shell.RunAsync("podman", [.. Machine.Peers.StorageArguments, "login", "--authfile", file, "--get-login", host]);
            Assert.Equal($"{Words[0]}\n", podman.Succeeded().Output);
        }

        (await Shell.RunAsync("skopeo", ["login", "--tls-verify=false", "--authfile", Oci["theirs.json"], "-u", Words[0], "--password-stdin", host], null, Words[1])).Succeeded();
        (await Oci.RunAsync("pull", "-q", "--authfile", Oci["theirs.json"], $"{host}/busybox")).Succeeded();
        (await Oci.RunAsync("logout", "--authfile", Oci["theirs.json"], host)).Succeeded();
        Assert.NotEqual(0, (await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--authfile", Oci["theirs.json"], $"docker://{host}/busybox")).Status);
    }

    [Fact]
    public async Task A_login_of_docker_is_seen_and_left_to_docker()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        Directory.CreateDirectory(Path.Join(Home, ".docker"));
        string file = Path.Join(Home, ".docker/config.json");
        (await LoginAsync(host, "--compat-auth-file", file)).Succeeded();

        Assert.Equal($"{Words[0]}\n", (await Oci.RunAsync("login", "--get-login", host)).Succeeded().Output);
        ProgramResult logout = await Oci.RunAsync("logout", host);
        Assert.StartsWith($"Not logged into {host} with current tool. Existing credentials are those of {file}", logout.Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_another_file_hides_is_warned_of()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string hiding = Oci["run/containers/auth.json"];
        Directory.CreateDirectory(Path.GetDirectoryName(hiding)!);
        await File.WriteAllTextAsync(hiding, $$$"""{"auths":{"{{{host}}}":{"auth":"{{{Encode("old:password")}}}"} } }""", Cancellation);

        ProgramResult login = await Oci.RunAsync([("XDG_RUNTIME_DIR", Oci["run"])], Words[1], "login", "-u", Words[0], "--password-stdin", host);

        Assert.Equal($"Warning: other credentials for {host} are found before these: those of {hiding} (key '{host}')\n", login.Succeeded().Error);
    }

    [Theory]
    [InlineData("credHelpers")]
    [InlineData("credsStore")]
    public async Task A_helper_keeps_what_its_file_leaves_to_it(string member)
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string path = await HelperAsync("test", Oci["kept"]);
        string file = Oci["config.json"];
        await File.WriteAllTextAsync(
            file, member == "credsStore" ? """{"credsStore":"test"}""" : $$$"""{"credHelpers":{"{{{host}}}":"test"}}""", Cancellation);
        (string, string?)[] environment = [("PATH", path), ("REGISTRY_AUTH_FILE", file)];

        ProgramResult login = await Oci.RunAsync(environment, Words[1], "login", "-v", "-u", Words[0], "--password-stdin", host);

        Assert.Equal("Used:  credential helper: test\nLogin Succeeded!\n", login.Succeeded().Output);
        Assert.Contains(Words[1], await File.ReadAllTextAsync(Oci["kept"], Cancellation), StringComparison.Ordinal);
        Assert.DoesNotContain(Encode(RegistryProcess.Credentials), await File.ReadAllTextAsync(file, Cancellation), StringComparison.Ordinal);
        (await Oci.RunAsync(environment, input: null, "pull", "-q", $"{host}/busybox")).Succeeded();
        if (member == "credsStore")
        {
            Failed(await Oci.RunAsync(environment, Words[1], "login", "-u", Words[0], "--password-stdin", $"{host}/team"), 125, "keeps whole registries only");
        }

        (await Oci.RunAsync(environment, input: null, "logout", host)).Succeeded();
        Assert.False(File.Exists(Oci["kept"]));
    }

    [Fact]
    public async Task On_a_terminal_the_password_is_asked_for_and_not_shown()
    {
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        using Terminal terminal = await Terminal.StartAsync(Oci, "oci login \"$1\"; echo status=$?; read end", host);
        await terminal.ShowsAsync("Username: ");
        string before = await terminal.SettingsAsync();
        await terminal.TypeAsync($"{Words[0]}\n");
        await terminal.ShowsAsync("Password: ");
        Assert.Contains(" -echo ", await terminal.SettingsAsync(), StringComparison.Ordinal);
        await terminal.TypeAsync($"{Words[1]}\n");

        string shown = await terminal.ShowsAsync("status=0");

        Assert.Contains("Login Succeeded!", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Words[1], shown, StringComparison.Ordinal);
        Assert.Equal(before, await terminal.SettingsAsync());
        await terminal.TypeAsync("\n");
    }

    [Fact]
    public async Task A_question_that_is_interrupted_leaves_the_terminal_as_it_was()
    {
        using Terminal terminal = await Terminal.StartAsync(Oci, "trap : INT; read go; oci login -u a 127.0.0.1:1; echo status=$?; read end");
        string before = await terminal.SettingsAsync();
        await terminal.TypeAsync("go\n");
        await terminal.ShowsAsync("Password: ");
        await terminal.TypeAsync("\u0003");

        await terminal.ShowsAsync("status=130");

        Assert.Equal(before, await terminal.SettingsAsync());
        await terminal.TypeAsync("\n");
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string FailedWith(ProgramResult result)
    {
        Failed(result, 125);
        return result.Error;
    }

    private Task<ProgramResult> LoginAsync(string registry, params string[] options) =>
        Oci.RunAsync([], Words[1], ["login", .. options, "-u", Words[0], "--password-stdin", registry]);

    // keeps one secret in a file, and says so in JSON
    private async Task<string> HelperAsync(string name, string kept)
    {
        string program = Oci[$"bin/docker-credential-{name}"];
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        await File.WriteAllTextAsync(program, $"""
            #!/bin/sh
            case $1 in
            store) cat > '{kept}' ;;
            erase) rm '{kept}' ;;
            get) cat '{kept}' 2>/dev/null || {'{'} echo 'credentials not found in native keychain'; exit 1; {'}'} ;;
            esac
            """, Cancellation);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return $"{Path.GetDirectoryName(program)}:/usr/bin:/bin";
    }
}
