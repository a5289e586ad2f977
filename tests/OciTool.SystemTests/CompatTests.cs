using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Images of several platforms, and of platforms that this machine is not.</summary>
public sealed class CompatTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task An_index_gives_the_image_of_this_machine()
    {
        string image = await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync);

        ProgramResult run = await Oci.RunAsync("run", "--rm", image, "uname", "-m");

        Assert.Equal("x86_64\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task The_best_level_that_this_processor_runs_is_chosen()
    {
        string image = await Machine.PublishAsync("busybox-levels", Machine.Images.AmdLevels());
        string flags = await File.ReadAllTextAsync("/proc/cpuinfo", Cancellation);
        string expected = flags.Contains(" avx2 ", StringComparison.Ordinal) && flags.Contains(" bmi2 ", StringComparison.Ordinal)
            ? "v3"
            : flags.Contains(" sse4_2 ", StringComparison.Ordinal) ? "v2" : "v1";

        ProgramResult run = await Oci.RunAsync("run", "--rm", image, "cat", "/level");

        Assert.Equal(expected, run.Succeeded().Output);
    }

    [Fact]
    public async Task A_platform_that_is_asked_for_is_pulled_beside_the_one_that_is_there()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync));
        TestImage foreign = await Machine.Images.ForeignAsync();

        ProgramResult pull = await Oci.RunAsync("pull", "-q", "--platform", "linux/arm64", image);

        Assert.Equal($"{foreign.Id}\n", pull.Succeeded().Output);
        Assert.Equal("linux/arm64\n", (await Oci.RunAsync("inspect", "--format", "{{.Os}}/{{.Architecture}}", foreign.Id)).Output);
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--platform", "linux/amd64", image, "uname", "-m")).Succeeded().Output);
    }

    [Fact]
    public async Task A_program_of_a_foreign_architecture_is_one_clear_error_that_names_it()
    {
        Need.That(!Directory.Exists("/proc/sys/fs/binfmt_misc") || !File.Exists("/proc/sys/fs/binfmt_misc/qemu-aarch64"),
            "needs a machine that does not emulate arm64");
        string image = await Machine.PublishAsync("busybox-arm64", Machine.Images.ForeignAsync);

        ProgramResult run = await Oci.RunAsync("run", "-q", "--rm", "--platform", "linux/arm64", image, "uname", "-m");

        Assert.InRange(run.Status, 125, 126);
        Failed(run, run.Status, "arm64|exec format");
        await StillWorksAsync();
    }

    [Fact]
    public async Task An_index_without_a_platform_for_us_is_one_clear_error()
    {
        string image = await Machine.PublishAsync(
            "busybox-foreign-only", TestImage.Index((await Machine.Images.ForeignAsync(), "s390x", null)));

        Failed(await Oci.RunAsync("pull", image), 125, "amd64");
        await StillWorksAsync();
    }

    [Theory]
    [InlineData("pull", "--platform", "linux/s390x")]
    [InlineData("pull", "--arch", "s390x")]
    [InlineData("run", "--platform", "linux/s390x")]
    public async Task An_image_for_another_platform_than_the_one_asked_for_is_refused_before_its_layers_travel(string verb, string option, string value)
    {
        string image = await Machine.PublishAsync("busybox-arm64", Machine.Images.ForeignAsync);

        ProgramResult result = await Oci.RunAsync(verb, option, value, image);

        Failed(result, 125, $"image {image} is for linux/arm64, not for linux/s390x");
        Assert.Contains("Hint: leave the platform out", result.Error, StringComparison.Ordinal);
        Assert.Empty((await Oci.RunAsync("images", "-q")).Succeeded().Output);
        string layers = Path.Join(Oci.Root, "layers");
        Assert.True(!Directory.Exists(layers) || Directory.GetFileSystemEntries(layers, "*", SearchOption.AllDirectories).Length <= 1);
        await StillWorksAsync();
    }

    [Fact]
    public async Task With_platform_lax_it_is_taken_with_a_warning()
    {
        string image = await Machine.PublishAsync("busybox-arm64", Machine.Images.ForeignAsync);

        ProgramResult result = await Oci.RunAsync("pull", "-q", "--platform", "linux/s390x", "--platform-lax", image);

        Assert.Equal($"{(await Machine.Images.ForeignAsync()).Id}\n", result.Succeeded().Output);
        Assert.Contains("image platform (linux/arm64) does not match the expected platform (linux/s390x)", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_is_no_platform_is_refused() =>
        Failed(await Oci.RunAsync("pull", "--platform", "a/b/c/d", await Machine.PlainAsync()), 125, "platform");
}
