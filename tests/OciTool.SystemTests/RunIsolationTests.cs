using System.Globalization;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What keeps a container apart from the host: namespaces, capabilities, seccomp, and how to loosen them.</summary>
public sealed class RunIsolationTests(Machine machine) : OciTest(machine)
{
    [Fact]
    [Cve("CVE-2022-27649", "inheritable capabilities that a program with file capabilities turns into more")]
    [Cve("CVE-2022-24769", "the same in another engine")]
    public async Task The_default_capabilities_are_the_eleven_of_podman()
    {
        ProgramResult run = await RunInPlainAsync([], "cat", "/proc/self/status");

        AssertStatus(run, "CapInh", "0000000000000000");
        AssertStatus(run, "CapPrm", "00000000800405fb");
        AssertStatus(run, "CapEff", "00000000800405fb");
        AssertStatus(run, "CapBnd", "00000000800405fb");
        AssertStatus(run, "CapAmb", "0000000000000000");
    }

    [Fact]
    public async Task A_user_who_is_not_root_has_no_capability_but_may_regain_the_bounded_ones()
    {
        ProgramResult run = await RunInPlainAsync(["--user", "1000:1000"], "cat", "/proc/self/status");

        AssertStatus(run, "CapPrm", "0000000000000000");
        AssertStatus(run, "CapEff", "0000000000000000");
        AssertStatus(run, "CapBnd", "00000000800405fb");
    }

    [Theory]
    [InlineData("00000000800425fb", "--cap-add", "NET_RAW")]
    [InlineData("00000000800425fb", "--cap-add", "cap_net_raw")]
    [InlineData("00000000800405fa", "--cap-drop", "CHOWN")]
    [InlineData("0000000000000000", "--cap-drop", "all")]
    [InlineData("0000000000000020", "--cap-drop", "all", "--cap-add", "KILL")]
    public async Task Capabilities_are_added_and_dropped(string expected, params string[] options)
    {
        ProgramResult run = await RunInPlainAsync(options, "cat", "/proc/self/status");

        AssertStatus(run, "CapEff", expected);
        AssertStatus(run, "CapBnd", expected);
    }

    [Fact]
    public async Task An_unknown_capability_is_one_clear_error() =>
        Failed(await RunInPlainAsync(["--cap-add", "NO_SUCH"], "true"), 125, "no_such");

    [Fact]
    public async Task Privileged_gives_every_capability_that_this_root_has()
    {
        string own = (await File.ReadAllLinesAsync("/proc/self/status", Cancellation))
            .Single(line => line.StartsWith("CapBnd", StringComparison.Ordinal)).Split('\t')[1];

        ProgramResult run = await RunInPlainAsync(["--privileged"], "cat", "/proc/self/status");

        AssertStatus(run, "CapEff", own);
        AssertStatus(run, "Seccomp", "0");
    }

    [Fact]
    public async Task System_calls_are_filtered_unless_the_filter_is_switched_off()
    {
        AssertStatus(await RunInPlainAsync([], "cat", "/proc/self/status"), "Seccomp", "2");
        AssertStatus(
            await RunInPlainAsync(["--security-opt", "seccomp=unconfined"], "cat", "/proc/self/status"), "Seccomp", "0");
    }

    [Fact]
    public async Task A_profile_of_ones_own_decides_which_system_calls_fail()
    {
        await File.WriteAllTextAsync(
            Oci["profile.json"],
            """
            {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}
            """,
            Cancellation);

        ProgramResult run = await ScriptAsync("mkdir /x || echo refused", "--security-opt", $"seccomp={Oci["profile.json"]}");

        Assert.Equal("refused\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task No_new_privileges_is_set_on_demand()
    {
        AssertStatus(await RunInPlainAsync([], "cat", "/proc/self/status"), "NoNewPrivs", "0");
        AssertStatus(
            await RunInPlainAsync(["--security-opt", "no-new-privileges"], "cat", "/proc/self/status"), "NoNewPrivs", "1");
    }

    [Theory]
    [InlineData("mnt")]
    [InlineData("pid")]
    [InlineData("ipc")]
    [InlineData("uts")]
    [InlineData("cgroup")]
    public async Task A_namespace_is_the_containers_own(string kind)
    {
        ProgramResult run = await RunInPlainAsync(["--network", "none"], "readlink", $"/proc/self/ns/{kind}");

        Assert.NotEqual(LinkOf($"/proc/self/ns/{kind}"), run.Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Network_none_has_the_loopback_interface_only_and_it_is_up()
    {
        ProgramResult run = await ScriptAsync("ls /sys/class/net; cat /proc/net/route | wc -l; ping -c 1 -W 2 127.0.0.1 | grep -c ttl",
            "--network", "none", "--cap-add", "NET_RAW");

        Assert.Equal(["lo", "1", "1"], run.Succeeded().Lines);
    }

    [Fact]
    public async Task Network_host_is_the_network_of_the_host()
    {
        ProgramResult run = await RunInPlainAsync(["--network", "host"], "readlink", "/proc/self/ns/net");

        Assert.Equal(LinkOf("/proc/self/ns/net"), run.Succeeded().Output.Trim());
    }

    [Fact]
    public async Task An_unknown_network_is_one_clear_error() =>
        Failed(await RunInPlainAsync(["--network", "bogus"], "true"), 125, "network.*bogus|bogus.*network");

    [Fact]
    public async Task The_container_sees_its_own_processes_only()
    {
        ProgramResult run = await ScriptAsync("ls -d /proc/[0-9]* | wc -l");

        Assert.InRange(int.Parse(run.Succeeded().Output, CultureInfo.InvariantCulture), 1, 4);
    }

    [Fact]
    public async Task No_file_of_ours_stays_open_in_the_container()
    {
        // from another process: whoever lists its own descriptors has opened one for that
        ProgramResult run = await ScriptAsync("ls /proc/1/fd; true");

        Assert.Equal(["0", "1", "2"], run.Succeeded().Lines);
    }

    [Fact]
    public async Task The_umask_is_the_usual_one() =>
        Assert.Equal("0022\n", (await ScriptAsync("umask")).Succeeded().Output);

    [Fact]
    public async Task A_container_can_neither_mount_nor_make_devices_of_the_host()
    {
        ProgramResult run = await ScriptAsync("mount -t tmpfs none /tmp; echo $?; mknod /x b 7 0; echo $?");

        Assert.DoesNotContain("0", run.Lines);
    }

    private static string? LinkOf(string path) => new FileInfo(path).LinkTarget;

    private static void AssertStatus(ProgramResult run, string name, string expected) =>
        Assert.Contains($"{name}:\t{expected}", run.Succeeded().Lines);
}
