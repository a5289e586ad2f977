using System.Text.Json;
using System.Text.RegularExpressions;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What oci compat says of an image is what happens when the image is run.</summary>
public sealed partial class CompatVerdictTests(Machine machine) : OciTest(machine)
{
    public static TheoryData<string> Names => [.. VerdictImages.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_verdict_is_what_happens(string name)
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync($"verdict-{name}", VerdictImages.All[name](Machine.Images)));

        ProgramResult verdict = await Oci.RunAsync("compat", image);
        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", image);

        // 125 to 127: not started, or by the loader not loaded; 128 and more: ended by a signal; a version that is missing ends with 1
        bool starts = run.Status < 125 && !run.Error.Contains(": version `", StringComparison.Ordinal);
        Assert.True(verdict.Status == (starts ? 0 : 2), $"{verdict}\n{run}");
    }

    [Theory]
    [InlineData("i386", "386")]
    [InlineData("arm64", "arm64")]
    [InlineData("armhf", "arm")]
    [InlineData("ppc64el", "ppc64le")]
    [InlineData("s390x", "s390x")]
    [InlineData("riscv64", "riscv64")]
    public async Task The_verdict_of_another_architecture_is_what_happens(string debian, string architecture)
    {
        TestImage foreign = TestImage.Of(
            BusyboxImages.Config, architecture, new Layer().Directory("bin").Program("bin/sh", await ForeignPrograms.BusyboxAsync(debian)).ToTar());
        string image = await Oci.PullAsync(
            await Machine.PublishAsync($"verdict-{debian}", foreign.WithConfiguration(config => config["config"]!["Cmd"] = new System.Text.Json.Nodes.JsonArray("/bin/sh", "-c", "exit 0"))),
            "--platform", $"linux/{architecture}");

        ProgramResult verdict = await Oci.RunAsync("compat", "--platform", $"linux/{architecture}", image);
        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", "--platform", $"linux/{architecture}", image);

        Assert.True(verdict.Status == (run.Status == 0 ? 0 : 2), $"{verdict}\n{run}");
        Assert.True(run.Status == 0 || Hint().Match(run.Error) is { Success: true } hint, $"{run}");
    }

    [Theory]
    [InlineData("script-crlf", "CR LF", 127)]
    [InlineData("script-absent-interpreter", "/usr/bin/python3 is not in the image", 127)]
    [InlineData("not-executable", "may not be executed", 126)]
    [InlineData("dynamic-without-loader", "needs the interpreter /lib64/ld-linux-x86-64.so.2 \\(glibc\\)", 127)]
    [InlineData("text", "neither a program nor a script", 126)]
    public async Task A_failed_start_is_followed_by_its_reason(string name, string reason, int status)
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync($"verdict-{name}", VerdictImages.All[name](Machine.Images)));

        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", image);

        Failed(run, status, "exec");
        Assert.Matches($"\nHint: .*{reason}", run.Error);
    }

    [Fact]
    public async Task A_failed_command_that_the_user_named_is_explained_too()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("verdict-text", VerdictImages.All["text"](Machine.Images)));

        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", image, "/etc/passwd");

        Assert.Matches("\nHint: the command /etc/passwd may not be executed", run.Error);
    }

    [Fact]
    public async Task The_document_has_every_check_and_the_host()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult result = await Oci.RunAsync("compat", "--json", image);

        using JsonDocument document = JsonDocument.Parse(result.Succeeded().Output);
        Assert.Equal("pass", document.RootElement.GetProperty("compatibility").GetProperty("level").GetString());
        Assert.Equal("amd64", document.RootElement.GetProperty("host").GetProperty("architecture").GetString());
        Assert.True(document.RootElement.GetProperty("checks").GetArrayLength() >= 18);
    }

    [Fact]
    public async Task A_host_that_was_written_down_decides_as_the_live_one_does()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        ProgramResult facts = await Oci.RunAsync("info", "--host-facts");
        await File.WriteAllTextAsync(Oci["host.json"], facts.Succeeded().Output, Cancellation);
        await File.WriteAllTextAsync(
            Oci["arm.json"], facts.Output.Replace("\"architecture\": \"amd64\"", "\"architecture\": \"arm64\"", StringComparison.Ordinal)
                .Replace("\"amd64\": \"runs\"", "\"amd64\": \"ENOEXEC\"", StringComparison.Ordinal), Cancellation);

        Assert.Equal(0, (await Oci.RunAsync("compat", "--host", Oci["host.json"], image)).Status);
        Assert.Equal(2, (await Oci.RunAsync("compat", "--host", Oci["arm.json"], image)).Status);
        Failed(await Oci.RunAsync("compat", "--host", Oci["nowhere.json"], image), 125, "nowhere.json");
    }

    [Fact]
    public async Task An_image_of_a_registry_is_looked_at_without_being_pulled()
    {
        string good = await Machine.PublishAsync("verdict-name-in-path", VerdictImages.All["name-in-path"](Machine.Images));
        string bad = await Machine.PublishAsync("verdict-script-crlf", VerdictImages.All["script-crlf"](Machine.Images));

        Assert.Equal(0, (await Oci.RunAsync("compat", good)).Succeeded().Status);
        Assert.Equal(2, (await Oci.RunAsync("compat", bad)).Status);
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Output);
    }

    [Theory]
    [InlineData("bullseye", "2\\.31")]
    [InlineData("bookworm", "2\\.36")]
    [InlineData("trixie", "2\\.41")]
    [InlineData("sid", "2\\.[0-9]+")]
    public async Task The_verdict_of_a_release_is_what_happens(string suite, string version)
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync($"verdict-{suite}-amd64", () => Releases.ImageAsync(suite, "amd64", "amd64")));

        ProgramResult verdict = await Oci.RunAsync("compat", image);
        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", image);

        Assert.True(run.Status == 0, run.ToString());
        Assert.Matches($"Compatibility +OK .*glibc {version}", verdict.Succeeded().Output);
    }

    [Theory]
    [InlineData("i386", "386")]
    [InlineData("amd64", "amd64")]
    public async Task The_verdict_of_a_program_of_32_bits_is_what_happens(string debian, string architecture)
    {
        string image = await Oci.PullAsync(
            await Machine.PublishAsync($"verdict-bookworm-{debian}", () => Releases.ImageAsync("bookworm", debian, architecture)), "--platform", $"linux/{architecture}");

        ProgramResult verdict = await Oci.RunAsync("compat", "--json", "--platform", $"linux/{architecture}", image);
        ProgramResult run = await Oci.RunAsync("run", "--rm", "--network", "none", "--platform", $"linux/{architecture}", image);

        Assert.True(verdict.Status == (run.Status == 0 ? 0 : 2), $"{verdict}\n{run}");
        using JsonDocument document = JsonDocument.Parse(verdict.Output);
        Assert.Equal(architecture == "386" && run.Status == 0, document.RootElement.GetProperty("host").GetProperty("systemCalls").TryGetProperty("clock_gettime64", out _));
    }

    [Fact]
    public async Task A_hint_is_about_who_really_ran_and_where()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("verdict-root-who-may", VerdictImages.All["root-who-may"](Machine.Images)));

        ProgramResult other = await Oci.RunAsync("run", "--rm", "--network", "none", "--user", "1000", image);
        ProgramResult grouped = await Oci.RunAsync("run", "--rm", "--network", "none", "--user", "1000:1000", "-w", "/opt", "--entrypoint", "./busybox", image);

        Assert.Matches("\nHint: the command /opt/busybox may not be executed by user 1000", other.Error);
        Assert.Matches("\nHint: the command /opt/./busybox may not be executed by user 1000", grouped.Error);
        (await Oci.RunAsync("run", "--rm", "--network", "none", image)).Succeeded();
    }

    [Fact]
    public async Task A_label_above_the_processor_is_a_warning_where_the_program_does_not_ask_for_it()
    {
        // the fifth level does not exist, so that no processor has it
        string image = await Oci.PullAsync(await Machine.PublishAsync(
            "verdict-label-above", Machine.Images.With(config => config["Cmd"] = new System.Text.Json.Nodes.JsonArray("/bin/true")).WithConfiguration(config => config["variant"] = "v5")));

        ProgramResult verdict = await Oci.RunAsync("compat", image);

        Assert.Matches("C02 WARN +it is labelled amd64/v5", verdict.Succeeded().Output);
        Assert.Equal(1, (await Oci.RunAsync("compat", "--strict", image)).Status);
        (await Oci.RunAsync("run", "--rm", "--network", "none", image)).Succeeded();
    }

    [Fact]
    public async Task Hostile_files_give_a_verdict_and_nothing_is_executed_or_written()
    {
        Layer layer = new Layer().Symlink("a", "b").Symlink("b", "a")
            .File("etc/os-release", new byte[100 << 20])
            .Program("x\u001b[31m", "#!/\u001b]0;title\u0007\n"u8.ToArray());
        string image = await Oci.PullAsync(await Machine.PublishAsync(
            "verdict-hostile", Machine.Images.With(layer, config => config["Cmd"] = new System.Text.Json.Nodes.JsonArray("/x\u001b[31m"))));

        ProgramResult verdict = await Oci.RunAsync("compat", image);

        Assert.Equal(2, verdict.Status);
        Assert.DoesNotContain('\u001b', verdict.Output + verdict.Error);
    }

    [Fact]
    public async Task The_store_that_keeps_directories_gives_the_same_verdict()
    {
        string name = await Machine.PublishAsync("verdict-dynamic", VerdictImages.All["dynamic"](Machine.Images));
        string image = await Oci.PullAsync(name, "--snapshotter", "directory");

        Assert.Equal(0, (await Oci.RunAsync("compat", image)).Status);
    }

    [Fact]
    public async Task A_whole_userland_passes_and_its_C_library_is_named()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("userland", Userland.ImageAsync));

        ProgramResult verdict = await Oci.RunAsync("compat", image);

        Assert.Matches("Compatibility +OK .*glibc 2\\.36", verdict.Succeeded().Output);
        Assert.Equal(0, (await Oci.RunAsync("run", "--rm", "--network", "none", image, "bash", "-c", "exit 0")).Status);
    }

    [GeneratedRegex("\nHint: the program is for", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hint();
}
