using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>save and load, and pull and push with other transports than a registry: what we write others run, what they write we run.</summary>
public sealed class SaveLoadTests(Machine machine) : OciTest(machine)
{
    private const string ShellOut = "out=$1; shift; exec \"$@\" >\"$out\"";

    [Theory]
    [InlineData("docker-archive")]
    [InlineData("oci-archive")]
    [InlineData("oci-dir")]
    [InlineData("docker-dir")]
    public async Task Podman_loads_and_runs_what_is_saved(string format)
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("save-oci", Machine.Images.Plain));
        string saved = $"{Path.GetTempPath()}oci-save-{Guid.NewGuid():n}"; // podman loads a layout only from a path without capitals
        await using Podman podman = new();
        ProgramResult load;
        try
        {
            (await Oci.RunAsync("save", "-q", "--format", format, "-o", saved, image)).Succeeded();
            load = await podman.RunAsync("load", "-q", "-i", saved);
        }
        finally
        {
            await Shell.RunAsync("rm", "-rf", saved);
        }

        string loaded = load.Succeeded().Output.Split(": ", 2)[1].Trim();
        Assert.Equal("x86_64\n", (await podman.RunAsync("run", "--rm", "--network", "none", loaded, "uname", "-m")).Succeeded().Output);
    }

    [Theory]
    [InlineData("docker-archive")]
    [InlineData("oci-archive")]
    [InlineData("oci-dir")]
    [InlineData("docker-dir")]
    public async Task What_podman_saves_is_loaded_and_runs(string format)
    {
        string image = await Machine.PublishAsync("save-oci", Machine.Images.Plain);
        await using Podman podman = new();
        await podman.PullAsync(image);
        (await podman.RunAsync("save", "-q", "--format", format, "-o", podman["saved"], image)).Succeeded();

        ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", podman["saved"])).Succeeded();

        string loaded = Assert.Single(load.Lines)["Loaded image: ".Length..];
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--network", "none", loaded, "uname", "-m")).Succeeded().Output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public async Task The_digest_is_the_same_after_save_load_and_push(string compression)
    {
        Need.Programs("skopeo", "zstd", "xz", "bzip2");
        string image = await Oci.PullAsync(await Machine.PublishAsync("save-oci", Machine.Images.Plain));
        (await Oci.RunAsync("save", "-q", "--format", "oci-archive", "-o", Oci["saved"], image)).Succeeded();
        await using Oci other = new();

        ProgramResult load = await Shell.RunAsync(
            "sh", ["-c", "$1 <\"$2\" | { shift 2; exec \"$@\"; }", "sh", compression.Length == 0 ? "cat" : $"{compression} -c", Oci["saved"], Fixtures.Oci.Binary, .. other.Arguments("load", "-q")],
            other.CleanEnvironment());

        Assert.Equal($"Loaded image: {image}\n", load.Succeeded().Output);
        string target = $"{await Machine.HostAsync()}/save-again:1";
        (await other.RunAsync("push", "-q", image, target)).Succeeded();
        Assert.Equal(
            $"{Machine.Images.Plain.Document.Digest}\n",
            (await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", $"docker://{target}")).Succeeded().Output);
    }

    [Theory]
    [InlineData("oci:{0}:tag")]
    [InlineData("oci-archive:{0}:tag")]
    [InlineData("docker-archive:{0}:localhost/x:tag")]
    [InlineData("dir:{0}")]
    public async Task Skopeo_reads_what_is_pushed_and_we_pull_it_again(string transport)
    {
        Need.Programs("skopeo");
        string image = await Oci.PullAsync(await Machine.PublishAsync("save-oci", Machine.Images.Plain));
        string place = string.Format(System.Globalization.CultureInfo.InvariantCulture, transport, Oci["place"]);

        (await Oci.RunAsync("push", "-q", image, place)).Succeeded();

        Assert.Contains("amd64", (await Shell.RunAsync("skopeo", "inspect", place)).Succeeded().Output, StringComparison.Ordinal);
        await using Oci other = new();
        string id = (await other.RunAsync("pull", "-q", place)).Succeeded().Output.Trim();
        Assert.Equal(Machine.Images.Plain.Id, id);
        Assert.Equal("x86_64\n", (await other.RunAsync("run", "--rm", "--network", "none", id, "uname", "-m")).Succeeded().Output);
    }

    [Fact]
    public async Task An_image_of_schema_2_is_found_by_its_name_in_a_layout_and_keeps_its_digest_in_a_docker_directory()
    {
        Need.Programs("skopeo");
        string target = $"{await Machine.HostAsync()}/save-schema2:1";
        string image = await Oci.PullAsync(await Machine.PublishAsync("save-oci", Machine.Images.Plain));
        (await Oci.RunAsync("push", "-q", "--format", "v2s2", image, target)).Succeeded();
        await using Oci other = new();
        await other.PullAsync(target);

        (await other.RunAsync("save", "-q", "--format", "oci-archive", "-o", Oci["archive"], target)).Succeeded();
        (await other.RunAsync("save", "-q", "--format", "docker-dir", "-o", Oci["directory"], target)).Succeeded();

        Assert.Contains("amd64", (await Shell.RunAsync("skopeo", "inspect", $"oci-archive:{Oci["archive"]}:{target}")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(
            (await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", $"docker://{target}")).Succeeded().Output,
            (await Shell.RunAsync("skopeo", "inspect", "--format", "{{.Digest}}", $"dir:{Oci["directory"]}")).Succeeded().Output);
    }

    [Fact]
    public async Task The_same_image_gives_the_same_bytes_to_a_file_to_a_pipe_and_through_dev_stdout()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("save", "-q", "-o", Oci["a"], image)).Succeeded();
        (await Shell.RunAsync("sh", ["-c", ShellOut, "sh", Oci["b"], Fixtures.Oci.Binary, .. Oci.Arguments("save", "-q", image)], Oci.CleanEnvironment())).Succeeded();
        (await Shell.RunAsync(
            "sh", ["-c", "out=$1; shift; \"$@\" | cat >\"$out\"", "sh", Oci["c"], Fixtures.Oci.Binary, .. Oci.Arguments("save", "-q", "-o", "/dev/stdout", image)], Oci.CleanEnvironment())).Succeeded();

        byte[] bytes = await File.ReadAllBytesAsync(Oci["a"], Cancellation);
        Assert.NotEmpty(bytes);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Oci["b"], Cancellation));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Oci["c"], Cancellation));
        Assert.NotNull(new FileInfo("/dev/stdout").LinkTarget);
    }

    [Theory]
    [InlineData("save")]
    [InlineData("export")]
    public async Task A_device_is_written_to_and_stays_one_and_a_link_stays_a_link(string verb)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string what = verb == "save" ? image : (await Oci.RunAsync("create", "--network", "none", image, "true")).Succeeded().Output.Trim();
        (await Shell.RunAsync("mknod", Oci["null"], "c", "1", "3")).Succeeded();
        File.CreateSymbolicLink(Oci["link"], Oci["target"]);

        (await Oci.RunAsync(verb, "-o", Oci["null"], what)).Succeeded();
        (await Oci.RunAsync(verb, "-o", Oci["link"], what)).Succeeded();

        Assert.Equal("1:3\n", (await Shell.RunAsync("stat", "-c", "%t:%T", Oci["null"])).Succeeded().Output);
        Assert.Equal(Oci["target"], new FileInfo(Oci["link"]).LinkTarget);
        Assert.True(new FileInfo(Oci["target"]).Length > 10_000);
    }

    [Fact]
    public async Task A_save_that_fails_leaves_what_was_there()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await File.WriteAllTextAsync(Oci["archive"], "mine", Cancellation);
        string layer = Directory.GetFiles(Path.Join(Oci.Root, "blobs/sha256")).OrderByDescending(file => new FileInfo(file).Length).First();
        byte[] bytes = await File.ReadAllBytesAsync(layer, Cancellation);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(layer, bytes, Cancellation);

        Failed(await Oci.RunAsync("save", "-q", "--format", "oci-archive", "-o", Oci["archive"], image), 125, "sha256:");

        Assert.Equal("mine", await File.ReadAllTextAsync(Oci["archive"], Cancellation));
        Assert.Equal([Oci["archive"]], Directory.GetFiles(Path.GetDirectoryName(Oci["archive"])!, "archive*"));
    }

    [Fact]
    public async Task What_is_no_image_is_one_clear_error()
    {
        await File.WriteAllTextAsync(Oci["text"], new string('x', 2000), Cancellation);
        Directory.CreateDirectory(Oci["empty"]);
        Directory.CreateDirectory(Oci["fifo"]);
        (await Shell.RunAsync("mkfifo", Path.Join(Oci["fifo"], "manifest.json"))).Succeeded();

        Failed(await Oci.RunAsync("load", "-i", Oci["nosuch"]), 125, "nosuch: no such file or directory");
        Failed(await Oci.RunAsync("load", "-i", Oci["text"]), 125, "text");
        Failed(await Oci.RunAsync("load", "-i", Oci["empty"]), 125, "does not match any of the supported image formats");
        Failed(await Oci.RunAsync("load", "-i", Oci["fifo"]), 125, "is no regular file");
        Failed(await Oci.RunAsync("save", "-o", Oci["x"], "localhost/nosuch"), 125, "nosuch: image not known");
        Failed(await Oci.RunAsync("save", "-o", Path.Join(Oci["no"], "dir/x"), await Oci.PullAsync(await Machine.PlainAsync())), 125, "no such file or directory");
    }
}
