using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>commit: what a container has become, as an image that everybody runs.</summary>
public sealed class CommitTests(Machine machine) : OciTest(machine)
{
    private const string Change = "rm /etc/group; echo x > /new; mkdir /d; ln /new /d/new; rm -r /home; mkdir /home; echo y > /home/y; ln -s new /link";
    private const string Look = "cat /d/new; stat -c '%h %a %u' /new; ls -a /home; ls /etc /d; readlink /link; test ! -e /etc/group";

    [Fact]
    public async Task The_image_of_a_container_has_its_files_and_starts_its_command()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "c1", "--network", "none", "-e", "MINE=1", "-w", "/etc", "--label", "l=1", image, "sh", "-c", Change)).Succeeded();

        ProgramResult commit = (await Oci.RunAsync("commit", "-q", "--author", "A. Person", "c1", "made")).Succeeded();

        Assert.Matches("^[0-9a-f]{64}\n$", commit.Output);
        Assert.Equal("", commit.Error);
        JsonNode inspected = JsonNode.Parse((await Oci.RunAsync("image", "inspect", "made")).Succeeded().Output)![0]!;
        Assert.Equal(commit.Output.Trim(), (string?)inspected["Id"]);
        Assert.Equal("A. Person", (string?)inspected["Author"]);
        Assert.Equal(["sh", "-c", Change], inspected["Config"]!["Cmd"]!.AsArray().Select(word => (string)word!));
        Assert.Equal("/etc", (string?)inspected["Config"]!["WorkingDir"]);
        Assert.Equal("1", (string?)inspected["Config"]!["Labels"]!["l"]);
        string[] environment = [.. inspected["Config"]!["Env"]!.AsArray().Select(variable => (string)variable!)];
        Assert.Contains("MINE=1", environment);
        Assert.Contains("FROM_IMAGE=yes", environment);
        Assert.DoesNotContain(environment, variable => variable.StartsWith("HOSTNAME=", StringComparison.Ordinal));
        Assert.Equal(2, inspected["RootFS"]!["Layers"]!.AsArray().Count);
        string look = (await Oci.RunAsync("run", "--rm", "--network", "none", "made", "sh", "-c", Look)).Succeeded().Output;
        Assert.StartsWith("x\n2 644 0\n.\n..\ny\n", look, StringComparison.Ordinal);
        ProgramResult history = (await Oci.RunAsync("history", "--format", "{{.CreatedBy}}|{{.Comment}}", "made")).Succeeded();
        Assert.Equal($"/bin/sh|FROM {image}", history.Lines[0]);
        Assert.Equal("layer 0|", history.Lines[1]);
        await Oci.BlobsAreWholeAsync();
    }

    [Theory]
    [InlineData("oci", false)]
    [InlineData("docker", false)]
    [InlineData("oci", true)]
    public async Task Pushed_to_a_registry_it_is_run_by_podman(string format, bool squash)
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "c1", "--network", "none", image, "sh", "-c", Change)).Succeeded();
        string target = $"{await Machine.HostAsync()}/committed-{format}-{squash}:latest".ToLowerInvariant();

        (await Oci.RunAsync(["commit", "-q", "-f", format, .. squash ? (string[])["--squash"] : [], "c1", target])).Succeeded();
        (await Oci.RunAsync("push", "-q", target)).Succeeded();
        await podman.PullAsync(target);

        string[] run = ["run", "--rm", "--network", "none", target, "sh", "-c", Look];
        string theirs = (await podman.RunAsync(run)).Succeeded().Output;
        Assert.Equal((await Oci.RunAsync(run)).Succeeded().Output, theirs.Replace("mtab\n", "", StringComparison.Ordinal));
        Assert.Equal(squash ? "1\n" : "2\n", (await podman.RunAsync("inspect", "--format", "{{len .RootFS.Layers}}", target)).Succeeded().Output);
        Assert.Contains(format, (await podman.RunAsync("inspect", "--format", "{{.ManifestType}}", target)).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_podman_commits_has_the_same_changes()
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await podman.PullAsync(image);
        string[] changes = ["--change", "CMD [\"true\"]", "--change", "ENTRYPOINT [\"env\"]", "--change", "ENV E=1 2", "--change", "EXPOSE 80",
            "--change", "LABEL a=b c", "--change", "STOPSIGNAL SIGINT", "--change", "USER guest", "--change", "VOLUME /v /w", "--change", "WORKDIR /tmp"];
        string[] of = ["inspect", "--type", "image", "--format", "{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.ExposedPorts}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}}", "localhost/changed"];
        (await podman.RunAsync("create", "--name", "c1", "--network", "none", image)).Succeeded();
        (await Oci.RunAsync("create", "--name", "c1", "--network", "none", image)).Succeeded();

        (await podman.RunAsync(["commit", "-q", .. changes, "c1", "localhost/changed"])).Succeeded();
        (await Oci.RunAsync(["commit", "-q", .. changes, "c1", "localhost/changed"])).Succeeded();

        Assert.Equal((await podman.RunAsync(of)).Succeeded().Output, (await Oci.RunAsync(of)).Succeeded().Output);
    }

    [Fact]
    public async Task With_a_source_date_the_same_changes_give_the_same_image()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (string, string?)[] date = [("SOURCE_DATE_EPOCH", "1700000000")];
        List<string> ids = [];
        foreach (string name in (string[])["one", "two"])
        {
            (await Oci.RunAsync("run", "--name", name, "--network", "none", image, "sh", "-c", Change)).Succeeded();
            ids.Add((await Oci.RunAsync(date, null, "commit", "-q", name)).Succeeded().Output);
            ids.Add((await Oci.RunAsync(date, null, "commit", "-q", "--squash", name)).Succeeded().Output);
        }

        Assert.Equal(ids[..2], ids[2..]);
        Assert.Equal("2023-11-14 22:13:20 +0000 UTC\n2023-11-14 22:13:20 +0000 UTC\n",
            (await Oci.RunAsync("images", "--filter", "dangling=true", "--format", "{{.CreatedAt}}")).Succeeded().Output);
        Failed(await Oci.RunAsync([("SOURCE_DATE_EPOCH", "soon")], null, "commit", "-q", "one"), 125, "SOURCE_DATE_EPOCH");
    }

    [Fact]
    public async Task A_running_container_is_committed_and_the_id_goes_to_a_file()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using RunningProgram run = Oci.Start("run", "--name", "live", "--network", "none", image, "sh", "-c", "echo 1 > /one; echo ready; exec sleep 1000", Oci.Marker());
        await run.OutputHasAsync("ready");

        string id = (await Oci.RunAsync("container", "commit", "-q", "--iidfile", Oci["id"], "live", "live")).Succeeded().Output;

        Assert.Equal(id.Trim(), await File.ReadAllTextAsync(Oci["id"], Cancellation));
        Assert.Equal("1\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "live", "cat", "/one")).Succeeded().Output);
        Failed(await Oci.RunAsync("commit", "--pause", "live"), 125, "cannot pause");
        await run.SignalAsync("KILL");
    }

    [Fact]
    public async Task The_mode_of_the_root_directory_is_a_change_too()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--name", "c1", "--network", "none", image, "chmod", "711", "/")).Succeeded();
        (await Oci.RunAsync("commit", "-q", "c1", "closed")).Succeeded();

        Assert.Equal("711\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "closed", "stat", "-c", "%a", "/")).Succeeded().Output);
    }

    [Theory]
    [InlineData("no container with name or ID \"nosuch\" found: no such container", "nosuch")]
    [InlineData("accepts between 1 and 2 arg.s., received 0")]
    [InlineData("lower case", "c1", "UPPER/case")]
    [InlineData("unrecognized image format \"foo\"", "-f", "foo", "c1")]
    [InlineData("messages are only compatible with the docker image format", "-m", "text", "c1")]
    [InlineData("invalid change \"FOO x\" - invalid instruction FOO", "--change", "FOO x", "c1")]
    [InlineData("EXPOSE port must be a valid port number", "--change", "EXPOSE 0", "c1")]
    [InlineData("must be formatted as KEY VALUE", "--change", "ENV", "c1")]
    [InlineData("unknown flag: --bogus", "--bogus", "c1")]
    [InlineData("id file .* cannot be written", "--iidfile", "/nonexistent/id", "c1")]
    public async Task A_wrong_argument_is_an_error(string cause, params string[] arguments)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("create", "--name", "c1", image)).Succeeded();

        Failed(await Oci.RunAsync(["commit", "-q", .. arguments]), 125, cause);
    }
}
