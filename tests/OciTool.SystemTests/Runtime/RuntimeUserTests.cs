using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md#user and #linux-process: who the program is and what it may do.</summary>
public sealed class RuntimeUserTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#user", "uid and gid are the process's, additionalGids its further groups, and no others")]
    public Task The_user_is_the_configured_one(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("grep -E '^(Uid|Gid|Groups)' /proc/self/status; touch /tmp/mine; stat -c %u:%g /tmp/mine", config =>
            config.Process["user"] = new JsonObject { ["uid"] = 1000, ["gid"] = 1001, ["additionalGids"] = new JsonArray(5, 6000) });
        Assert.Equal("Uid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\nGroups:\t5 6000 \n1000:1001\n", result.Succeeded().Output);
        Assert.Equal("Groups:\t \n", (await runtime.ScriptAsync("grep ^Groups /proc/self/status")).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#user", "umask is set; without one it is the caller's")]
    [RuncDiffers("without one 1.1 has 022")]
    [OciDiffers("without one it has 022, as runc and crun do: dockerd's own is 0, and every container would get that")]
    public Task The_mask_of_new_files_is_the_configured_one(string name) => Under(name, async runtime =>
    {
        Assert.Equal("0077\n", (await runtime.ScriptAsync("umask", config => config.Process["user"]!["umask"] = 63)).Succeeded().Output);
        Assert.Equal("0000\n", (await runtime.ScriptAsync("umask", config => config.Process["user"]!["umask"] = 0)).Succeeded().Output);
        Bundle bundle = runtime.NewBundle(config => config.Script("umask"));
        Assert.Equal("0027\n", (await runtime.ThroughShellAsync("umask 027; exec \"$@\"", "run", "-b", bundle.Path, runtime.NewId())).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#user", "umask is set")]
    public Task A_configured_mask_is_set(string name) => Under(name, async runtime =>
        Assert.Equal("0077\n", (await runtime.ScriptAsync("umask", config => config.Process["user"]!["umask"] = 63)).Succeeded().Output));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "the five sets of capabilities are the configured ones")]
    public Task The_capabilities_are_the_configured_ones(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("grep ^Cap /proc/self/status", config => config.Process["capabilities"] = new JsonObject
        {
            ["bounding"] = Configs.Array("CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE"),
            ["permitted"] = Configs.Array("CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"),
            ["effective"] = Configs.Array("CAP_CHOWN", "CAP_NET_BIND_SERVICE"),
            ["inheritable"] = Configs.Array("CAP_CHOWN", "CAP_NET_BIND_SERVICE"),
            ["ambient"] = Configs.Array("CAP_NET_BIND_SERVICE"),
        });
        // a program that root executes gets all of the bounding set; the sets themselves show for everybody else
        Assert.Equal("CapInh:\t0000000000000401\nCapPrm:\t0000000000002421\nCapEff:\t0000000000002421\nCapBnd:\t0000000000002421\nCapAmb:\t0000000000000400\n", result.Succeeded().Output);
        ProgramResult user = await runtime.ScriptAsync("grep ^Cap /proc/self/status", config =>
        {
            config.Process["user"] = new JsonObject { ["uid"] = 1000, ["gid"] = 1000 };
            config.Process["capabilities"] = new JsonObject
            {
                ["bounding"] = Configs.Array("CAP_CHOWN", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE"),
                ["permitted"] = Configs.Array("CAP_CHOWN", "CAP_NET_BIND_SERVICE"),
                ["effective"] = Configs.Array("CAP_CHOWN", "CAP_NET_BIND_SERVICE"),
                ["inheritable"] = Configs.Array("CAP_CHOWN", "CAP_NET_BIND_SERVICE"),
                ["ambient"] = Configs.Array("CAP_NET_BIND_SERVICE"),
            };
        });
        Assert.Equal("CapInh:\t0000000000000401\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t0000000000002401\nCapAmb:\t0000000000000400\n", user.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "without capabilities the process has none")]
    public Task Without_capabilities_there_are_none(string name) => Under(name, async runtime =>
    {
        foreach (JsonNode? empty in new JsonNode?[] { new JsonObject() })
        {
            ProgramResult result = await runtime.ScriptAsync("grep ^Cap /proc/self/status", config => config.Process["capabilities"] = empty?.DeepClone());
            Assert.All(result.Succeeded().Lines, line => Assert.EndsWith("\t0000000000000000", line));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "a capability that cannot be granted is a warning, no error")]
    public Task An_unknown_capability_is_a_warning(string name) => Under(name, async runtime =>
    {
        string log = runtime["log"];
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("grep ^CapBnd /proc/self/status");
            config.Capabilities("CAP_KILL", "CAP_TO_BE_INVENTED");
        });
        ProgramResult result = await runtime.RunAsync("--log", log, "run", "-b", bundle.Path, runtime.NewId());
        Assert.Equal("CapBnd:\t0000000000000020\n", result.Succeeded().Output);
        // an engine reads the log as one error: a warning may be on standard error instead
        string said = (File.Exists(log) ? await File.ReadAllTextAsync(log, Cancellation) : "") + result.Error;
        Assert.Contains("CAP_TO_BE_INVENTED", said);
        Assert.Matches("(?i)warn", said);
    });
}
