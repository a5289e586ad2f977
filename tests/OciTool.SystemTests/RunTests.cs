using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Streams, exit statuses, and what the flags of <c>run</c> change in the container.</summary>
public sealed class RunTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task Both_streams_of_the_container_arrive_apart_and_unchanged()
    {
        ProgramResult run = await ScriptAsync("echo to-output; echo to-error >&2; printf 'no newline'");

        Assert.Equal("to-output\nno newline", run.Succeeded().Output);
        Assert.Equal("to-error\n", run.Error);
    }

    [Fact]
    public async Task A_large_output_arrives_whole()
    {
        ProgramResult run = await ScriptAsync("dd if=/dev/zero bs=1000 count=5000 2>/dev/null | tr '\\0' x");

        Assert.Equal(5_000_000, run.Succeeded().Output.Length);
    }

    [Fact]
    public async Task Standard_input_reaches_the_container_with_i_and_is_empty_without()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        ProgramResult with = await Oci.RunAsync([], "one\ntwo\n", "run", "--rm", "-i", image, "cat");
        ProgramResult without = await Oci.RunAsync([], "one\ntwo\n", "run", "--rm", image, "cat");

        Assert.Equal("one\ntwo\n", with.Succeeded().Output);
        Assert.Equal("", without.Succeeded().Output);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(42)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(255)]
    public async Task The_status_of_the_container_is_the_status_of_run(int status)
    {
        ProgramResult run = await ScriptAsync($"exit {status}");

        Assert.Equal(status, run.Status);
        Assert.Equal("", run.Error);
    }

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 143)]
    [InlineData("SEGV", 139)]
    public async Task A_container_that_a_signal_ends_exits_with_128_and_its_number(string signal, int status)
    {
        ProgramResult run = await ScriptAsync($"kill -{signal} $$", "--init");

        Assert.Equal(status, run.Status);
    }

    [Theory]
    [InlineData("nosuchcommand", 127, "nosuchcommand.*not found")]
    [InlineData("/no/such/command", 127, "/no/such/command.*(no such file|not found)")]
    [InlineData("/etc", 126, "/etc.*(permission denied|is a directory)")]
    [InlineData("/etc/not-a-program", 126, "/etc/not-a-program.*permission denied")]
    [InlineData("/etc/passwd/x", 127, "/etc/passwd/x.*(not a directory|not found|no such file)")]
    public async Task A_command_that_cannot_be_run_is_one_clear_error(string command, int status, string cause)
    {
        Failed(await RunInPlainAsync([], command), status, cause);
        await StillWorksAsync();
    }

    [Fact]
    public async Task The_environment_is_the_images_with_what_e_adds_and_replaces()
    {
        ProgramResult run = await RunInPlainAsync(["-e", "A=b", "--env", "FROM_IMAGE=no", "-e", "EMPTY="], "env");

        string[] environment = run.Succeeded().Lines;
        Assert.Contains("A=b", environment);
        Assert.Contains("FROM_IMAGE=no", environment);
        Assert.DoesNotContain("FROM_IMAGE=yes", environment);
        Assert.Contains("EMPTY=", environment);
        Assert.Contains("HOME=/root", environment);
        Assert.Contains("TERM=xterm", environment);
        Assert.Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", environment);
        Assert.Contains(environment, variable => variable.StartsWith("HOSTNAME=", StringComparison.Ordinal));
        Assert.Contains(environment, variable => variable.StartsWith("container=", StringComparison.Ordinal));
    }

    [Fact]
    [Cve("CVE-2021-3602", "variables of the host in the container of a build step")]
    [Cve("CVE-2020-14370", "variables of one container in another")]
    public async Task A_variable_of_the_host_enters_only_when_it_is_named()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (string, string?)[] host = [("NAMED", "shown"), ("SECRET", "hidden")];

        ProgramResult run = await Oci.RunAsync(host, input: null, "run", "--rm", "-e", "NAMED", image, "env");

        Assert.Contains("NAMED=shown", run.Succeeded().Lines);
        Assert.DoesNotContain("hidden", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_env_file_adds_its_lines_and_e_wins()
    {
        await File.WriteAllTextAsync(Oci["env"], "# comment\nONE=1\nTWO=two words\nTHREE=file\n", Cancellation);

        ProgramResult run = await RunInPlainAsync(["--env-file", Oci["env"], "-e", "THREE=flag"], "env");

        Assert.Contains("ONE=1", run.Succeeded().Lines);
        Assert.Contains("TWO=two words", run.Lines);
        Assert.Contains("THREE=flag", run.Lines);
        Assert.DoesNotContain("comment", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_working_directory_is_the_one_asked_for_or_the_images_which_is_made()
    {
        string image = await Machine.PublishAsync(
            "busybox-workdir", Machine.Images.With(config => config["WorkingDir"] = "/srv/made/here"));

        Assert.Equal("/tmp\n", (await RunInPlainAsync(["-w", "/tmp"], "pwd")).Succeeded().Output);
        Assert.Equal("/\n", (await RunInPlainAsync([], "pwd")).Succeeded().Output);
        Assert.Equal("/srv/made/here\n", (await Oci.RunAsync("run", "--rm", image, "pwd")).Succeeded().Output);
    }

    [Theory]
    [InlineData("1000:1000", "uid=1000(guest) gid=1000(guest)", "HOME=/home/guest")]
    [InlineData("guest", "uid=1000(guest) gid=1000(guest) groups=10(wheel),1000(guest)", "HOME=/home/guest")]
    [InlineData("guest:wheel", "uid=1000(guest) gid=10(wheel)", "HOME=/home/guest")]
    [InlineData("0", "uid=0(root) gid=0(root)", "HOME=/root")]
    [InlineData("4321:8765", "uid=4321", "HOME=/")]
    public async Task A_user_is_looked_up_in_the_image(string user, string id, string home)
    {
        ProgramResult run = await ScriptAsync("id; env", "--user", user);

        Assert.StartsWith(id, string.Join(' ', run.Succeeded().Lines[0].Split(' ')), StringComparison.Ordinal);
        Assert.Contains(home, run.Lines);
    }

    [Fact]
    public async Task The_user_of_the_image_is_the_default()
    {
        string image = await Machine.PublishAsync(
            "busybox-user", Machine.Images.With(config => config["User"] = "guest"));

        Assert.StartsWith(
            "uid=1000(guest)", (await Oci.RunAsync("run", "--rm", image, "id")).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_user_is_one_clear_error_with_status_126()
    {
        Failed(await RunInPlainAsync(["-u", "nosuchuser"], "true"), 126, "nosuchuser");
        await StillWorksAsync();
    }

    [Fact]
    public async Task An_entrypoint_is_followed_by_the_command()
    {
        string image = await Machine.PublishAsync("busybox-entrypoint", Machine.Images.With(config =>
        {
            config["Entrypoint"] = new System.Text.Json.Nodes.JsonArray("echo", "entry");
            config["Cmd"] = new System.Text.Json.Nodes.JsonArray("default");
        }));

        Assert.Equal("entry default\n", (await Oci.RunAsync("run", "--rm", image)).Succeeded().Output);
        Assert.Equal("entry mine\n", (await Oci.RunAsync("run", "--rm", image, "mine")).Succeeded().Output);
        Assert.Equal("x\n", (await Oci.RunAsync("run", "--rm", "--entrypoint", "hostname", "--hostname", "x", image)).Succeeded().Output);
        Assert.Equal(
            "x y\n", (await Oci.RunAsync("run", "--rm", "--entrypoint", """["echo","x"]""", image, "y")).Succeeded().Output);
    }

    [Fact]
    public async Task Options_after_the_image_belong_to_the_command()
    {
        Assert.Equal(
            "-e --rm @file -- -x\n", (await RunInPlainAsync([], "echo", "-e ", "--rm", "@file", "--", "-x")).Succeeded().Output
                .Replace("-e  ", "-e ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_options_are_refused_and_nothing_runs()
    {
        ProgramResult run = await RunInPlainAsync(["--no-such-flag"], "echo", "ran");

        Failed(run, 125, "unknown flag: --no-such-flag");
    }

    [Fact]
    public async Task The_container_id_is_written_to_a_new_file_only()
    {
        string file = Oci["cid"];

        (await RunInPlainAsync(["--cidfile", file], "true")).Succeeded();

        Assert.Matches("^[0-9a-f]{64}$", await File.ReadAllTextAsync(file, Cancellation));
        Failed(await RunInPlainAsync(["--cidfile", file], "true"), 125, "container id file exists");
    }

    [Fact]
    public async Task Init_is_process_1_and_reaps_orphans()
    {
        ProgramResult run = await ScriptAsync(
            "cat /proc/1/comm; (sh -c 'exit 3' &); sleep 0.2; cat /proc/[0-9]*/stat | grep -c ' Z ' ; echo pid $$", "--init");

        Assert.NotEqual("sh", run.Succeeded().Lines[0]);
        Assert.Equal("0", run.Lines[1]);
        Assert.NotEqual("pid 1", run.Lines[2]);
    }

    [Fact]
    public async Task Without_init_the_command_is_process_1() =>
        Assert.Equal("1\n", (await ScriptAsync("echo $$")).Succeeded().Output);
}
