using Microsoft.AspNetCore.Http;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>registries.conf through the binary: mirrors, rewritten and blocked names, short names.</summary>
public sealed class RegistriesConfTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task A_mirror_delivers_and_the_name_stays_what_was_asked_for()
    {
        await Machine.PlainAsync();
        await using RecordingProxy mirror = await RecordingProxy.StartAsync(await Machine.HostAsync());
        string conf = Write("registries.conf", $"""
            [[registry]]
            location = "registry.invalid"
            [[registry.mirror]]
            location = "{mirror.Host}"
            """);

        (await RunAsync(conf, "pull", "-q", "registry.invalid/busybox")).Succeeded();

        Assert.NotEmpty(mirror.BlobDownloads);
        ProgramResult images = await Oci.RunAsync("images", "--format", "{{.Repository}}:{{.Tag}}");
        Assert.Equal(["registry.invalid/busybox:latest"], images.Succeeded().Lines);
    }

    [Fact]
    [Fault(44, "the first mirror is down, the second lacks the blobs: the registry itself delivers them")]
    public async Task Where_mirrors_fail_the_registry_itself_delivers_what_is_missing()
    {
        await Machine.PlainAsync();
        await using LoopbackServer empty = await LoopbackServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/v2/" ? 200 : 404;
            return Task.CompletedTask;
        });
        await using RecordingProxy origin = await RecordingProxy.StartAsync(await Machine.HostAsync());
        await using LoopbackServer partial = await PartialAsync(await Machine.HostAsync());
        string conf = Write("registries.conf", $"""
            [[registry]]
            prefix = "registry.invalid/team"
            location = "{origin.Host}"
            [[registry.mirror]]
            location = "127.0.0.1:1"
            [[registry.mirror]]
            location = "{empty.Host}"
            [[registry.mirror]]
            location = "{partial.Host}"
            """);

        ProgramResult pull = await RunAsync(conf, "pull", "-q", "registry.invalid/team/busybox");

        pull.Succeeded();
        Assert.Matches(@"Warning: .*127\.0\.0\.1:1: connection refused; trying ", pull.Error);
        Assert.NotEmpty(origin.BlobDownloads);
        Assert.DoesNotContain(origin.Requests, request => request.Contains("/manifests/", StringComparison.Ordinal));
        await Oci.BlobsAreWholeAsync();
    }

    [Fact]
    [Fault(44, "no endpoint delivers: one line for each, with its own reason")]
    public async Task Where_nobody_delivers_every_endpoint_is_listed_below_one_line()
    {
        await Machine.PlainAsync();
        string host = await Machine.HostAsync();
        string conf = Write("registries.conf", $"""
            [[registry]]
            location = "{host}"
            mirror = [ {"{"} location = "127.0.0.1:1/copies" {"}"} ]
            """);

        ProgramResult pull = await RunAsync(conf, "pull", "-q", $"{host}/nothing:here");

        Failed(pull, 125, "cannot pull");
        string[] lines = pull.Error.Split('\n');
        int first = Array.IndexOf(lines, $"Error: cannot pull {host}/nothing:here:");
        Assert.StartsWith("  127.0.0.1:1/copies/nothing:here: http://127.0.0.1:1: connection refused", lines[first + 1], StringComparison.Ordinal);
        Assert.StartsWith($"  {host}/nothing:here: {host}/nothing: manifest 'here': manifest unknown", lines[first + 2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blocked_registry_gets_no_request_and_the_file_is_named()
    {
        await using RecordingProxy registry = await RecordingProxy.StartAsync(await Machine.HostAsync());
        string conf = Write("registries.conf", $"[[registry]]\nlocation = '{registry.Host}'\nblocked = true\n");
        Failed(await RunAsync(conf, "pull", $"{registry.Host}/busybox"), 125, $"registry {registry.Host} is blocked in {conf}");
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task A_wildcard_rewrites_every_host_below_it()
    {
        await Machine.PlainAsync();
        string conf = Write("registries.conf", $"[[registry]]\nprefix = '*.team.invalid'\nlocation = '{await Machine.HostAsync()}'\n");
        (await RunAsync(conf, "pull", "-q", "a.b.team.invalid/busybox")).Succeeded();
        Failed(await RunAsync(conf, "pull", "-q", "--retry", "0", "team.invalid/busybox"), 125, "cannot resolve");
    }

    [Fact]
    public async Task Insecure_is_what_the_file_says_unless_the_command_line_says_otherwise()
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(RegistryAuth.Tls)).Host;
        string conf = Write("registries.conf", $"[[registry]]\nlocation = '{host}'\ninsecure = true\n");
        Failed(await RunAsync(Write("empty.conf", ""), "pull", "-q", $"{host}/busybox"), 125, "unknown authority");
        Failed(await RunAsync(conf, "pull", "-q", "--tls-verify", $"{host}/busybox"), 125, "unknown authority");
        (await RunAsync(conf, "pull", "-q", $"{host}/busybox")).Succeeded();
    }

    [Fact]
    public async Task Drop_ins_are_merged_and_unknown_keys_warned_of()
    {
        await Machine.PlainAsync();
        string conf = Write("registries.conf", "unqualified-search-registries = ['one.invalid']\n");
        string dropIn = Write("conf.d/10.conf", $"unqualified-search-registries = ['{await Machine.HostAsync()}']\n[[registry]]\nlocation = 'x.invalid'\ninsecrue = true\n");
        ProgramResult pull = await RunAsync(conf, "pull", "-q", "busybox");
        pull.Succeeded();
        Assert.Contains($"Warning: {dropIn}:4: unknown key 'insecrue' is ignored\n", pull.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_names_a_file_and_a_mistake_in_it_is_said_with_its_line()
    {
        string conf = Write("registries.conf", "\n[[registry]]\nlocation = 5\n");
        ProgramResult pull = await Oci.RunAsync([("CONTAINERS_REGISTRIES_CONF", conf)], null, "pull", "quay.invalid/x");
        Failed(pull, 125, $"{conf}:3: 'location': must be a string");
    }

    [Fact]
    public async Task Images_that_are_here_are_listed_and_run_whatever_is_wrong_with_the_file()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string conf = Write("registries.conf", "this is no TOML");
        (await RunAsync(conf, "images")).Succeeded();
        (await RunAsync(conf, "image", "exists", image)).Succeeded();
    }

    [Fact]
    [Fault(44, "a short name is looked for in all search registries, in their order; all failures are listed")]
    public async Task A_short_name_is_tried_at_all_search_registries_in_their_order()
    {
        await Machine.PlainAsync();
        string host = await Machine.HostAsync();
        string conf = Write("registries.conf", $"unqualified-search-registries = ['127.0.0.1:1', '{host}']\n");
        (await RunAsync(conf, "pull", "-q", "--retry", "0", "busybox")).Succeeded();
        ProgramResult images = await Oci.RunAsync("images", "--format", "{{.Repository}}");
        Assert.Equal([$"{host}/busybox"], images.Succeeded().Lines);

        ProgramResult missing = await RunAsync(conf, "pull", "-q", "--retry", "0", "nothing-here");
        Failed(missing, 125, "^Error: cannot pull nothing-here:$");
        Assert.Contains("\n  127.0.0.1:1/nothing-here:latest: ", missing.Error, StringComparison.Ordinal);
        Assert.Contains($"\n  {host}/nothing-here:latest: ", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbs_that_only_look_read_short_names_as_a_pull_does_but_leave_no_choice_open()
    {
        await Machine.PlainAsync();
        string host = await Machine.HostAsync();
        string one = Write("one.conf", $"unqualified-search-registries = ['{host}']\n");
        string two = Write("two.conf", $"unqualified-search-registries = ['127.0.0.1:1', '{host}']\n");

        Assert.Contains("latest", (await RunAsync(one, "tags", "busybox")).Succeeded().Lines);
        Assert.Equal($"{host}/busybox\n", (await RunAsync(one, "inspect", "--remote", "--format", "{{.Name}}", "busybox")).Succeeded().Output);
        Assert.Contains($"{host}/busybox", (await RunAsync(one, "search", "--format", "{{.Name}}", "busybox")).Succeeded().Lines);
        Failed(await RunAsync(two, "rmi", "--remote", "busybox"), 125, "may be any of 127.0.0.1:1/busybox:latest, ");
    }

    [Fact]
    public async Task An_alias_wins_and_the_mode_enforcing_lists_what_could_be_meant()
    {
        await Machine.PlainAsync();
        string host = await Machine.HostAsync();
        string conf = Write("registries.conf", $"""
            unqualified-search-registries = ["one.invalid", "two.invalid"]
            short-name-mode = "enforcing"
            [aliases]
            "toolbox" = "{host}/busybox"
            """);
        (await RunAsync(conf, "pull", "-q", "toolbox:latest")).Succeeded();
        Failed(await RunAsync(conf, "pull", "other"), 125, "short-name \"other\".*one.invalid/other:latest, two.invalid/other:latest");
    }

    [Fact]
    public async Task Skopeo_reads_the_same_file_in_the_same_way()
    {
        Need.Programs("skopeo");
        await Machine.PlainAsync();
        string host = await Machine.HostAsync();
        string conf = Write("registries.conf", $"""
            [[registry]]
            prefix = "registry.invalid/team"
            location = "nowhere.invalid"
            [[registry.mirror]]
            location = "{host}"
            insecure = true
            [[registry]]
            location = "blocked.invalid"
            blocked = true
            [[registry]]
            prefix = "*.wild.invalid"
            location = "{host}"
            insecure = true
            """);
        foreach ((string name, bool works) in new[]
        {
            ("registry.invalid/team/busybox:latest", true), ("blocked.invalid/busybox:latest", false), ("a.wild.invalid/busybox:latest", true),
            ("registry.invalid/busybox:latest", false),
        })
        {
            ProgramResult peer = await Shell.RunAsync("skopeo", "--registries-conf", conf, "inspect", "--raw", $"docker://{name}");
            ProgramResult ours = await RunAsync(conf, "pull", "-q", "--retry", "0", name);
            Assert.True(works == (peer.Status == 0), peer.ToString());
            Assert.True(works == (ours.Status == 0), ours.ToString());
        }
    }

    // has the manifests, and lost the blobs
    private static async Task<LoopbackServer> PartialAsync(string upstream)
    {
        HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
        return await LoopbackServer.StartAsync(async context =>
        {
            if (context.Request.Path.ToString().Contains("/blobs/", StringComparison.Ordinal))
            {
                context.Response.StatusCode = 404;
                return;
            }

            using HttpRequestMessage request = new(HttpMethod.Get, $"http://{upstream}{context.Request.Path}");
            request.Headers.TryAddWithoutValidation("Accept", context.Request.Headers.Accept.ToArray());
            using HttpResponseMessage answer = await client.SendAsync(request);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await context.Response.Body.WriteAsync(await answer.Content.ReadAsByteArrayAsync());
        });
    }

    private string Write(string name, string text)
    {
        string path = Oci[name];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private Task<ProgramResult> RunAsync(string conf, params string[] arguments) =>
        Oci.RunAsync(["--registries-conf", conf, "--registries-conf-dir", Oci["conf.d"], .. arguments]);
}
