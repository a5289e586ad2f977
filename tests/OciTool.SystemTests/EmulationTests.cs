using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>An image of another architecture runs through the machine's handler for it.</summary>
public sealed class EmulationTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task A_foreign_image_runs_where_the_handler_holds_its_interpreter_open()
    {
        string image = await PullForeignAsync();

        ProgramResult run = await RunEmulatedAsync("F", "run", "--rm", "--network", "none", "--platform", "linux/arm64", image, "uname", "-m");

        Assert.Equal("aarch64\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task Without_the_F_flag_the_interpreter_is_looked_for_in_the_container_and_not_found()
    {
        string image = await PullForeignAsync();

        ProgramResult run = await RunEmulatedAsync("", "run", "--rm", "--network", "none", "--platform", "linux/arm64", image, "uname", "-m");

        Assert.True(run.Status is 126 or 127, run.ToString());
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Without_the_F_flag_it_runs_with_the_interpreter_mounted()
    {
        string image = await PullForeignAsync();

        ProgramResult run = await RunEmulatedAsync(
            "", "run", "--rm", "--network", "none", "--platform", "linux/arm64", "-v", $"{Emulated.InterpreterOf("aarch64")}:{Emulated.InterpreterOf("aarch64")}:ro", image, "uname", "-m");

        Assert.Equal("aarch64\n", run.Succeeded().Output);
    }

    [Theory]
    [InlineData("bullseye", "armhf", "arm", "arm")]
    [InlineData("bookworm", "arm64", "arm64", "aarch64")]
    [InlineData("bookworm", "s390x", "s390x", "s390x")]
    [InlineData("trixie", "armhf", "arm", "arm")]
    [InlineData("bookworm", "ppc64el", "ppc64le", "ppc64le")]
    [InlineData("trixie", "riscv64", "riscv64", "riscv64")]
    [InlineData("sid", "arm64", "arm64", "aarch64")]
    public async Task The_verdict_of_an_emulated_userland_is_what_happens(string suite, string debian, string architecture, string emulator)
    {
        string platform = $"linux/{architecture}";
        string image = await Oci.PullAsync(
            await Machine.PublishAsync($"verdict-{suite}-{debian}", () => Releases.ImageAsync(suite, debian, architecture)), "--platform", platform, "--snapshotter", "directory");

        ProgramResult verdict = await Emulated.RunAsync(Oci, emulator, "F", "compat", "--platform", platform, image);
        ProgramResult run = await Emulated.RunAsync(Oci, emulator, "F", "run", "--rm", "--network", "none", "--platform", platform, image);
        ProgramResult without = await Oci.RunAsync("compat", "--platform", platform, image);

        Assert.True(verdict.Status == (run.Status == 0 ? 0 : 2), $"{verdict}\n{run}");
        Assert.Equal(0, run.Status);
        Assert.Equal(2, without.Status); // on this very machine without the handler
    }

    private async Task<string> PullForeignAsync()
    {
        Need.Programs("qemu-aarch64-static");
        return await Oci.PullAsync(
            await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync), "--platform", "linux/arm64", "--snapshotter", "directory");
    }

    private Task<ProgramResult> RunEmulatedAsync(string flags, params string[] arguments) => Emulated.RunAsync(Oci, "aarch64", flags, arguments);
}
