using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config-linux.md: device nodes, and the rules of their control group.</summary>
public sealed class RuntimeDeviceTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#default-devices", "null, zero, full, random, urandom and tty are there for all, with their numbers")]
    [Requirement("runtime-linux.md#dev-symbolic-links", "fd, stdin, stdout and stderr lead to those of the process, ptmx to that of the instance")]
    public Task The_usual_devices_and_links_are_there(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync(
            "cd /dev; for d in null zero full random urandom tty; do stat -c '%n %a %t:%T' $d; done; for l in fd stdin stdout stderr ptmx; do readlink $l; done");
        Assert.Equal(
            [
                "null 666 1:3", "zero 666 1:5", "full 666 1:7", "random 666 1:8", "urandom 666 1:9", "tty 666 5:0",
                "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx",
            ],
            result.Succeeded().Lines);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#devices", "a device has its type, numbers, mode and owner")]
    public Task Devices_are_made_as_they_are_described(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("cd /dev; stat -c '%F %a %t:%T %u:%g' dir/my-null my-loop my-fifo", config =>
            config.Linux["devices"] = new JsonArray(
                Device("/dev/dir/my-null", "c", 1, 3, 0b110_010_000, 5, 6),
                Device("/dev/my-loop", "b", 7, 0, 0b110_000_000, 0, 6),
                Device("/dev/my-fifo", "p", 0, 0, 0b110_110_110, 7, 0)));
        Assert.Equal(
            ["character special file 620 1:3 5:6", "block special file 600 7:0 0:6", "fifo 666 0:0 7:0"],
            result.Succeeded().Lines);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "an unknown type of device is an error")]
    public Task An_unknown_type_of_device_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Linux["devices"] = new JsonArray(Device("/dev/odd", "x", 1, 3, 0b110_110_110, 0, 0))));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#allowed-device-list", "a device that is not allowed cannot be opened, with CAP_MKNOD neither")]
    [Requirement("config-linux.md#allowed-device-list", "the rules apply one after the other, and to the accesses that they name")]
    public Task A_device_is_opened_only_where_a_rule_allows_it(string name) => Under(name, async runtime =>
    {
        // the messages of the kernel: on every machine, and of no default rule
        const string script = "mknod /tmp/kmsg c 1 11 && if true < /tmp/kmsg; then echo reads; fi; if true >> /tmp/kmsg; then echo writes; fi";
        Assert.Equal("", (await runtime.ScriptAsync(script, config => config.Capabilities("CAP_MKNOD", "CAP_SYSLOG"))).Output);
        ProgramResult allowed = await runtime.ScriptAsync(script, config =>
        {
            config.Capabilities("CAP_MKNOD", "CAP_SYSLOG");
            config.Resources["devices"]!.AsArray().Add((JsonNode)new JsonObject
            {
                ["allow"] = true,
                ["type"] = "c",
                ["major"] = 1,
                ["minor"] = 11,
                ["access"] = "rm",
            });
        });
        Assert.Equal("reads\n", allowed.Output);
    });

    private static JsonObject Device(string path, string type, int major, int minor, int mode, int user, int group) => new()
    {
        ["path"] = path,
        ["type"] = type,
        ["major"] = major,
        ["minor"] = minor,
        ["fileMode"] = mode,
        ["uid"] = user,
        ["gid"] = group,
    };
}
