using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Images and containers that want to reach the host: a canary directory there never changes.</summary>
public sealed class SecurityTests(Machine machine) : OciTest(machine)
{
    private string Canary => Oci["canary"];

    [Theory]
    [InlineData("dev")]
    [InlineData("etc")]
    [InlineData("proc")]
    [InlineData("sys")]
    [InlineData("tmp")]
    [InlineData("data")]
    [Cve("CVE-2026-41579", "/dev of the image is a link, so that device nodes and links are made in a directory of the host")]
    [Cve("CVE-2026-47766", "the same in another runtime: devices made through a link")]
    [Cve("CVE-2019-19921", "/proc of the image is a link, so that what protects it is mounted elsewhere")]
    public async Task A_directory_that_is_a_link_to_the_host_does_not_lead_there(string directory)
    {
        await PlantAsync();
        TestImage image = Hostile(new Layer().Symlink(directory, Canary));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        string before = await Tree.HashAsync(Canary);
        Directory.CreateDirectory(Oci["volume"]);

        // whether it runs or refuses is its own choice
        await Oci.RunAsync(
            "run", "--rm", "-v", $"{Oci["volume"]}:/data/made", "--tmpfs", "/tmp/made", "-w", "/", registry.Image,
            "busybox", "touch", "/dev/x", "/etc/x", "/tmp/x", "/data/x");

        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    public async Task A_mount_point_that_is_a_link_to_the_host_does_not_lead_there()
    {
        await PlantAsync();
        TestImage image = Machine.Images.With(
            new Layer().Symlink("link", Canary).Symlink("up", "../../../../../../../../" + Canary));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        string before = await Tree.HashAsync(Canary);
        Directory.CreateDirectory(Oci["volume"]);

        await Oci.RunAsync(
            "run", "--rm", "-v", $"{Oci["volume"]}:/link/made", "-v", $"{Oci["volume"]}:/up/made", registry.Image,
            "touch", "/link/made/x");

        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    [Cve("CVE-2026-55686", "the working directory leads through a link, and is made on the host")]
    public async Task A_working_directory_through_a_link_is_made_inside()
    {
        await PlantAsync();
        TestImage image = Machine.Images.With(
            new Layer().Symlink("w", Canary), config => config["WorkingDir"] = "/w/new");
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        string before = await Tree.HashAsync(Canary);

        await Oci.RunAsync("run", "--rm", registry.Image, "touch", "x");
        await Oci.RunAsync("run", "--rm", "-w", "/w/other", registry.Image, "touch", "x");

        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Theory]
    [InlineData("etc/passwd")]
    [InlineData("etc/group")]
    [Cve("CVE-2024-9676", "/etc/passwd of the image is a FIFO, on which the start waits for ever")]
    public async Task A_user_file_that_is_a_fifo_does_not_hang_the_start(string file)
    {
        TestImage image = Hostile(new Layer().Directory("etc").Fifo(file));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        await Oci.PullAsync(registry.Image);
        long begin = Stopwatch.GetTimestamp();

        ProgramResult run = await Oci.RunAsync("run", "--rm", "--user", "guest:wheel", registry.Image, "busybox", "true");

        Assert.InRange(run.Status, 125, 126);
        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10), run.ToString());
    }

    [Fact]
    public async Task A_user_file_that_is_a_link_to_the_host_is_not_read_there()
    {
        await PlantAsync();
        await File.WriteAllTextAsync($"{Canary}/passwd", "outsider:x:77:77::/:/bin/sh\n", Cancellation);
        TestImage image = Hostile(new Layer().Directory("etc").Symlink("etc/passwd", $"{Canary}/passwd"));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        Failed(await Oci.RunAsync("run", "-q", "--rm", "--user", "outsider", registry.Image, "busybox", "id"), 126, "outsider");
    }

    [Fact]
    [Cve("CVE-2026-57231", "a variable of the image without a value, or with an asterisk, takes those of the host")]
    public async Task Variables_of_the_image_cannot_name_variables_of_the_host()
    {
        TestImage image = Machine.Images.With(
            config => config["Env"] = new JsonArray("PATH=/bin", "TESTSECRET", "TESTSEC*", "=x"));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        ProgramResult run = await Oci.RunAsync(
            [("TESTSECRET", "leaked")], input: null, "run", "--rm", registry.Image, "env");

        Assert.DoesNotContain("leaked", run.Succeeded().Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rm")]
    [InlineData("--rm", "--init")]
    [InlineData("--rm", "--privileged", "--init")]
    [Cve("CVE-2019-5736", "the container writes the runtime that started it through /proc/self/exe")]
    public async Task The_binary_cannot_be_written_from_a_container(params string[] options)
    {
        string before = await BinaryHashAsync();

        await ScriptAsync("for exe in /proc/[0-9]*/exe /proc/self/exe; do : > $exe; echo evil > $exe; dd if=/etc/passwd of=$exe; done", options);
        string image = await Machine.PlainAsync();
        await Oci.RunAsync(["run", .. options, image, "/proc/self/exe", "--version"]);

        Assert.Equal(before, await BinaryHashAsync());
    }

    [Fact]
    public async Task Entries_that_point_out_of_the_layer_stay_inside()
    {
        await PlantAsync();
        string up = string.Concat(Enumerable.Repeat("../", 16));
        TestImage[] images =
        [
            Hostile(new Layer().File($"{up}{Canary[1..]}/written", "x")),
            Hostile(new Layer().File($"{Canary}/written", "x")),
            Hostile(new Layer().Symlink("link", Canary).File("link/written", "x")),
            Hostile(new Layer().Symlink("link", Canary).File("link/.wh.file", "")),
            Hostile(new Layer().Symlink("link", Canary).File("link/.wh..wh..opq", "")),
            Hostile(new Layer().File(".wh...", "")),
            Hostile(new Layer().File(".wh..", "")),
        ];
        string before = await Tree.HashAsync(Canary);

        foreach (TestImage image in images)
        {
            await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
            await Oci.RunAsync("pull", registry.Image);
        }

        Assert.Equal(before, await Tree.HashAsync(Canary));
        await StillWorksAsync();
    }

    [Fact]
    public async Task What_an_image_says_cannot_command_the_terminal()
    {
        TestImage image = Machine.Images.With(config =>
        {
            config["Labels"] = new JsonObject { ["evil"] = "\e]0;owned\a\u202e" };
            config["User"] = "\e[31mnobody";
        });
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        await Oci.PullAsync(registry.Image);

        ProgramResult label = await Oci.RunAsync("inspect", "--format", "{{.Config.Labels.evil}}", registry.Image);
        ProgramResult whole = await Oci.RunAsync("inspect", registry.Image);
        ProgramResult run = await Oci.RunAsync("run", "--rm", registry.Image, "true");

        Assert.DoesNotContain("\e", whole.Succeeded().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", label.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_is_closed_to_other_users()
    {
        await Oci.PullAsync(await Machine.PlainAsync());

        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(Oci.Root));
    }

    private static async Task<string> BinaryHashAsync()
    {
        await using FileStream binary = File.OpenRead(Oci.Binary);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(binary, Cancellation));
    }

    /// <summary>An image of busybox alone, without the directories that the layer may want to be something else.</summary>
    private static TestImage Hostile(Layer layer) => TestImage.Of(
        BusyboxImages.Config, "amd64", new Layer().Directory("bin").Program("bin/busybox", BusyboxImages.Program).ToTar(), layer.ToTar());

    private async Task PlantAsync()
    {
        Directory.CreateDirectory($"{Canary}/directory");
        await File.WriteAllTextAsync($"{Canary}/file", "canary", Cancellation);
        await File.WriteAllTextAsync($"{Canary}/ptmx", "canary", Cancellation);
    }
}
