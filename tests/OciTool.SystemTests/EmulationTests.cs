using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>
/// An image of another architecture runs through the machine's handler for it. The handler is registered in a user namespace of
/// the test (Linux 6.7), so that nobody else meets it.
/// </summary>
public sealed class EmulationTests(Machine machine) : OciTest(machine)
{
    private const string Interpreter = "/usr/bin/qemu-aarch64-static";

    // binfmt.d(5), as qemu's own scripts register it
    private const string Handler =
        @":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
        + Interpreter + ":";

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
            "", "run", "--rm", "--network", "none", "--platform", "linux/arm64", "-v", $"{Interpreter}:{Interpreter}:ro", image, "uname", "-m");

        Assert.Equal("aarch64\n", run.Succeeded().Output);
    }

    private async Task<string> PullForeignAsync()
    {
        Need.Programs("qemu-aarch64-static");
        return await Oci.PullAsync(
            await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync), "--platform", "linux/arm64", "--snapshotter", "directory");
    }

    private Task<ProgramResult> RunEmulatedAsync(string flags, params string[] arguments) => Shell.RunAsync(
        "unshare",
        [
            "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec",
            "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; printf '%s' \"$1\" >/proc/sys/fs/binfmt_misc/register; shift; exec \"$@\"",
            "sh", Handler + flags, Oci.Binary, .. Oci.Arguments(["--snapshotter", "directory", .. arguments]),
        ],
        Oci.CleanEnvironment());
}
