using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Which form layers get, and what happens on kernels that can do less than this one.</summary>
public sealed class SnapshotFormTests(Machine machine) : OciTest(machine)
{
    private const int ManyLayers = 500; // the most that overlayfs stacks

    private static readonly Version FilesFrom = new(6, 12);
    private static readonly Version DetachedFrom = new(6, 15);

    private static Version Kernel => Environment.OSVersion.Version;

    [Fact]
    public async Task Root_gets_file_system_images_and_info_says_why()
    {
        await Oci.PullAsync(await Machine.PlainAsync());

        Assert.Equal(["layer.erofs"], TreesOfLayers());
        Assert.Equal(Kernel >= FilesFrom ? "erofs: mounted from files\n" : "erofs: mounted through loop devices\n", await FormAsync());
    }

    [Fact]
    public async Task Info_makes_no_store()
    {
        Assert.StartsWith("erofs: ", await FormAsync(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Oci.Root));
    }

    [Fact]
    public async Task Layers_of_another_form_than_asked_for_are_removed_with_their_image()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        (await Oci.RunAsync("--snapshotter", "directory", "rmi", image)).Succeeded();

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Join(Oci.Root, "layers/sha256")));
    }

    [Theory]
    [InlineData("--snapshotter", "directory")]
    [InlineData("--snapshotter=directory")]
    public async Task Who_asks_for_directories_gets_them(params string[] options)
    {
        await Oci.PullAsync(await Machine.PlainAsync(), options);

        Assert.Equal(["fs"], TreesOfLayers());
        Assert.Equal("directory: asked for\n", await FormAsync(options));
    }

    [Fact]
    public async Task The_environment_asks_as_the_option_does()
    {
        string image = await Machine.PlainAsync();

        (await Oci.RunAsync([("OCI_SNAPSHOTTER", "directory")], input: null, "pull", "-q", image)).Succeeded();

        Assert.Equal(["fs"], TreesOfLayers());
    }

    [Fact]
    public async Task A_form_that_does_not_exist_is_an_error() =>
        Failed(await Oci.RunAsync("--snapshotter", "btrfs", "pull", "-q", await Machine.PlainAsync()), 125, "btrfs", "erofs, directory");

    [Fact]
    public async Task Without_root_layers_are_directories()
    {
        Need.Programs("setpriv");
        string home = Oci["nobody"];
        Directory.CreateDirectory(home);
        (await Shell.RunAsync("chown", "65534", home)).Succeeded();
        (await Shell.RunAsync("chmod", "755", Oci["."])).Succeeded();

        ProgramResult info = await Shell.RunAsync(
            "setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", Oci.Binary, "--root", Path.Join(home, "root"),
                "--runroot", Path.Join(home, "run"), "info", "--format", Form],
            new Dictionary<string, string?> { ["HOME"] = home });

        Assert.Equal("directory: only root can mount EROFS\n", info.Succeeded().Output);
    }

    [Fact]
    public async Task On_this_kernel_no_mount_call_is_refused_in_a_run()
    {
        Assert.SkipUnless(Kernel >= DetachedFrom, "needs Linux 6.15");
        Need.Programs("strace");
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        (ProgramResult run, string trace) = await TraceAsync("fsconfig:delay_exit=1", follow: false, "run", "--rm", "--network", "none", image, "true");

        run.Succeeded();
        Assert.DoesNotContain(trace.Split('\n'), call => call.StartsWith("fs", StringComparison.Ordinal) && call.Contains("= -1", StringComparison.Ordinal));
    }

    /// <summary>The calls that older kernels refuse are made to fail: what comes instead is the real thing.</summary>
    [Theory]
    [InlineData("fsconfig:error=ENOTBLK:when=4", "/dev/loop")] // before 6.12 a file is not mounted itself
    [InlineData("fsconfig:error=EINVAL:when=8", ",lowerdir=")] // before 6.15 a layer must be attached somewhere
    [InlineData("fsconfig:error=EINVAL:when=5", ",lowerdir=")] // before 6.7 all layers are one option
    public async Task Older_kernels_run_file_system_images_in_another_way(string injected, string instead)
    {
        Assert.SkipUnless(Kernel >= DetachedFrom, "needs Linux 6.15"); // others go one of these ways in every test
        Need.Programs("strace");
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        (ProgramResult run, string trace) = await TraceAsync(
            injected, follow: false, "run", "--rm", "--network", "none", image, "sh", "-c",
            "echo new > /etc/new && cat /etc/new /etc/redhat-release && grep ' / ' /proc/mounts");

        Assert.StartsWith("new\nFedora release 34 (Thirty Four)\n", run.Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("(INJECTED)", trace, StringComparison.Ordinal);
        Assert.Contains(instead, trace + run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_without_erofs_gets_directories()
    {
        Need.Programs("strace");
        string image = await Machine.PlainAsync();

        (ProgramResult info, _) = await TraceAsync("fsopen:error=ENODEV", follow: true, "info", "--format", Form);
        (ProgramResult pull, _) = await TraceAsync("fsopen:error=ENODEV", follow: true, "pull", "-q", image);

        Assert.Equal("directory: EROFS cannot be mounted here: fsopen 'erofs': No such device\n", info.Succeeded().Output);
        pull.Succeeded();
        Assert.Equal(["fs"], TreesOfLayers());
        Assert.Equal("Fedora release 34 (Thirty Four)\n", (await Oci.RunAsync("run", "--rm", image, "cat", "/etc/redhat-release")).Succeeded().Output);
    }

    [Fact]
    public async Task A_kernel_without_erofs_says_how_to_run_what_was_pulled_on_another()
    {
        Need.Programs("strace");
        string image = await Oci.PullAsync(await Machine.PlainAsync());

        (ProgramResult run, _) = await TraceAsync("fsopen:error=ENODEV:when=2", follow: false, "run", "--rm", image, "true");

        Failed(run, 125, "cannot mount the image's layers: fsopen 'erofs': No such device");
        Assert.Contains("Hint: some are EROFS files", run.Error, StringComparison.Ordinal);
        Assert.Contains("--snapshotter directory", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_changes_its_form_from_its_blobs_while_it_runs()
    {
        await using FaultRegistry registry = await FaultRegistry.StartAsync(Machine.Images.Plain);
        string image = await Oci.PullAsync(registry.Image);
        using RunningProgram container = Oci.Start("run", "--rm", "-i", image, "sh", "-c", "echo ready; read line; cat /etc/redhat-release");
        await container.OutputHasAsync("ready");
        registry.Break(Machine.Images.Plain.Layer().Digest, Faults.Status(404));

        await Oci.PullAsync(image, "--snapshotter", "directory");

        Assert.Equal(["fs"], TreesOfLayers());
        await container.Input.WriteLineAsync();
        container.Input.Close();
        Assert.Equal("ready\nFedora release 34 (Thirty Four)\n", (await container.EndAsync()).Succeeded().Output);
        Assert.Equal("Fedora release 34 (Thirty Four)\n", (await Oci.RunAsync("run", "--rm", image, "cat", "/etc/redhat-release")).Succeeded().Output);
    }

    [Fact]
    public async Task Both_forms_are_mixed_in_one_image()
    {
        byte[] bottom = Machine.Images.PlainLayer;
        byte[] top = new Layer().File("etc/redhat-release", "Top\n").File("top", "top\n").ToTar();
        JsonObject config = [];
        string one = await Machine.PublishAsync("forms/one", TestImage.Of(config, "amd64", bottom));
        string two = await Machine.PublishAsync("forms/two", TestImage.Of(config, "amd64", bottom, top));

        await Oci.PullAsync(one, "--snapshotter", "directory");
        await Oci.PullAsync(two);

        Assert.Equal(["fs", "layer.erofs"], TreesOfLayers());
        ProgramResult run = await Oci.RunAsync("run", "--rm", two, "/bin/sh", "-c", "cat /etc/redhat-release /top; ls -d /bin");
        Assert.Equal("Top\ntop\n/bin\n", run.Succeeded().Output);
    }

    [Theory]
    [InlineData("erofs", "fsconfig:error=EINVAL:when=5")]
    [InlineData("directory", "fsconfig:error=EINVAL:when=2")]
    public async Task As_many_layers_as_overlayfs_stacks_run_also_where_it_takes_them_as_one_option(string form, string injected)
    {
        Need.Programs("strace");
        byte[][] layers =
        [
            Machine.Images.PlainLayer,
            .. Enumerable.Range(1, ManyLayers - 1).Select(i => new Layer().File($"many/{i}", $"{i}\n").File("last", $"{i}\n").ToTar()),
        ];
        await using FaultRegistry registry = await FaultRegistry.StartAsync(TestImage.Of([], "amd64", layers));
        string image = await Oci.PullAsync(registry.Image, "--snapshotter", form);
        string[] run = ["run", "--rm", "--network", "none", image, "/bin/sh", "-c", "ls /many | wc -l; cat /last /many/1 /etc/redhat-release"];

        ProgramResult[] results = [await Oci.RunAsync(run), (await TraceAsync(injected, follow: false, run)).Result];

        Assert.All(results, result => Assert.Equal("499\n499\n1\nFedora release 34 (Thirty Four)\n", result.Succeeded().Output));
    }

    private const string Form = """{{index .Store.GraphStatus "Snapshot Form"}}: {{index .Store.GraphStatus "Snapshot Form Reason"}}""";

    private async Task<string> FormAsync(params string[] options) =>
        (await Oci.RunAsync([.. options, "info", "--format", Form])).Succeeded().Output;

    /// <summary>What the layers of the store were made into, each word once.</summary>
    private string[] TreesOfLayers() =>
        [.. Directory.EnumerateFileSystemEntries(Path.Join(Oci.Root, "layers/sha256"))
            .SelectMany(layer => Directory.EnumerateFileSystemEntries(layer).Select(Path.GetFileName).OfType<string>())
            .Where(name => name != "layer.json").Distinct().Order(StringComparer.Ordinal)];

    private async Task<(ProgramResult Result, string Trace)> TraceAsync(string injected, bool follow, params string[] arguments)
    {
        string trace = Oci["trace"];
        ProgramResult result = await Shell.RunAsync(
            "strace",
            [.. (ReadOnlySpan<string>)(follow ? ["-f"] : []), "-qq", "-o", trace, "-e", "trace=fsopen,fsconfig,ioctl", "-e", $"inject={injected}",
                Oci.Binary, .. Oci.Arguments(arguments)],
            Oci.CleanEnvironment());
        return (result, await File.ReadAllTextAsync(trace, Cancellation));
    }
}
