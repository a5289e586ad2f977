using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Processes;

public sealed class LaunchTests
{
    [Fact]
    public void A_command_without_a_slash_is_looked_for_along_the_containers_path() => Assert.Equal(
        ["/a/x", "/b/c/x"], InitProcess.Candidates("x", ["HOME=/", "PATH=/a::/b/c"]));

    [Fact]
    public void A_command_with_a_slash_is_taken_as_it_is() =>
        Assert.Equal(["./x"], InitProcess.Candidates("./x", ["PATH=/a"]));

    [Fact]
    public void Without_a_path_the_usual_directories_are_searched() =>
        Assert.Contains("/usr/local/bin/x", InitProcess.Candidates("x", []));

    [Fact]
    public void An_empty_command_is_nowhere() => Assert.Empty(InitProcess.Candidates("", ["PATH=/a"]));

    [Fact]
    public void Options_of_a_bind_mount_become_attributes()
    {
        PlannedMount mount = PlannedMount.From(
            new("/data") { Type = "bind", Source = "/srv", Options = ["rbind", "ro", "nodev", "noatime", "rslave"] });

        Assert.True(mount.Recursive);
        Assert.Equal(MountAttributes.ReadOnly | MountAttributes.NoDevices | MountAttributes.NoAccessTime, mount.Set);
        Assert.Equal(MountAttributes.AccessTimeMask, mount.Clear);
        Assert.Equal(MountPropagation.Slave, mount.Propagation);
        Assert.Empty(mount.Options);
    }

    [Fact]
    public void The_last_of_two_contrary_options_counts()
    {
        PlannedMount mount = PlannedMount.From(new("/data") { Type = "tmpfs", Options = ["noexec", "exec"] });

        Assert.Equal(MountAttributes.None, mount.Set);
        Assert.Equal(MountAttributes.NoExecute, mount.Clear);
    }

    [Fact]
    public void Options_of_a_file_system_are_passed_on() => Assert.Equal(
        ["size=64m", "mode=1777"],
        PlannedMount.From(new("/tmp") { Type = "tmpfs", Options = ["nosuid", "size=64m", "mode=1777"] }).Options);

    [Fact]
    public void An_unknown_option_of_a_bind_mount_is_an_error() => Assert.Contains(
        "unknown option 'size=1m'",
        Assert.Throws<OciException>(() =>
            PlannedMount.From(new("/data") { Type = "bind", Options = ["size=1m"] })).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("exec", Errno.ENOENT, 127)]
    [InlineData("exec", Errno.EACCES, 126)]
    [InlineData("exec", Errno.ENOEXEC, 126)]
    [InlineData("chdir", Errno.ENOENT, 126)]
    [InlineData("mount", Errno.ENOENT, 125)]
    public void A_failed_start_has_the_status_that_scripts_expect(string step, Errno errno, int status) =>
        Assert.Equal(status, new ContainerStartException(step, "x", errno).ExitCode);

    [Fact]
    public void A_missing_command_is_reported_in_the_words_that_scripts_look_for() => Assert.Equal(
        "exec: \"nosuchcmd\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found",
        new ContainerStartException("exec", "nosuchcmd", Errno.ENOENT).Message);

    [Fact]
    public void The_default_capabilities_have_the_mask_that_podman_shows()
    {
        CapabilitySet set = default;
        foreach (string name in (string[])
            ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"])
        {
            Assert.True(set.TryAdd($"CAP_{name}", out set));
        }

        Assert.Equal(0x800405fbUL, set.Bits);
        Assert.False(set.TryAdd("CAP_NONE", out _));
    }

    [Theory]
    [InlineData("memory", "/a")]
    [InlineData("cpu,cpuacct", "")]
    [InlineData("systemd", "/s")]
    [InlineData("unified", "/u")]
    [InlineData("pids", null)]
    public void A_hierarchy_is_found_by_its_directory(string name, string? path) => Assert.Equal(
        path, Rootfs.PathIn(["4:memory:/a", "3:cpu,cpuacct:/", "1:name=systemd:/s", "0::/u"], name));

    [Fact]
    public void A_namespace_that_is_not_there_cannot_be_joined() => Assert.Contains(
        "cannot join the network namespace /nowhere/x: No such file or directory",
        Assert.Throws<OciException>(() => ContainerNamespaces.Open(
            new() { Namespaces = [new("network") { Path = "/nowhere/x" }] })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_namespace_is_named_once() => Assert.Contains(
        "named twice",
        Assert.Throws<OciException>(() => ContainerNamespaces.Open(
            new() { Namespaces = [new("uts"), new("uts")] })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Recursive_options_are_kept_apart()
    {
        PlannedMount mount = PlannedMount.From(
            new("/data") { Type = "bind", Options = ["rbind", "rro", "rnosuid", "nodev", "rexec", "ro", "rw"] });

        Assert.Equal(MountAttributes.ReadOnly | MountAttributes.NoSuid, mount.SetBelow);
        Assert.Equal(MountAttributes.NoExecute, mount.ClearBelow);
        Assert.Equal(MountAttributes.NoDevices, mount.Set);
    }
}
