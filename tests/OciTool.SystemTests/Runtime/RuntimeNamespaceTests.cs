using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config-linux.md#namespaces and #user-namespace-mappings.</summary>
public sealed class RuntimeNamespaceTests : RuntimeTest
{
    private static readonly (string Type, string File)[] Kinds =
        [("pid", "pid"), ("network", "net"), ("mount", "mnt"), ("ipc", "ipc"), ("uts", "uts"), ("user", "user"), ("cgroup", "cgroup")];

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "an entry without a path is a new namespace")]
    public Task Namespaces_are_new(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync(Show(), config =>
        {
            config.Namespace("cgroup");
            Mapped(config);
        });
        string[] inside = result.Succeeded().Lines;
        for (int index = 0; index < Kinds.Length; index++)
        {
            Assert.NotEqual(Own(Kinds[index].File), inside[index]);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a type that is not listed is the runtime's own namespace")]
    public Task Namespaces_that_are_not_listed_are_the_runtimes(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync(Show(), config =>
        {
            config.Linux["namespaces"] = new JsonArray(new JsonObject { ["type"] = "mount" });
            config.Remove("hostname");
        });
        Assert.Equal(
            Kinds.Select(kind => kind.Type == "mount" ? "" : Own(kind.File)),
            result.Succeeded().Lines.Select((line, index) => Kinds[index].Type == "mount" ? "" : line));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "an entry with a path is the namespace of that file")]
    public Task Namespaces_are_joined_by_their_files(string name) => Under(name, async runtime =>
    {
        using var holder = RunningProgram.Start("unshare", ["--net", "--ipc", "--uts", "--cgroup", "sh", "-c", "hostname joined; echo ready; exec sleep 1000"]);
        await holder.OutputHasAsync("ready");
        ProgramResult result = await runtime.ScriptAsync($"{Show()}; hostname", config =>
        {
            foreach ((string type, string file) in Kinds.Where(kind => kind.Type is "network" or "ipc" or "uts" or "cgroup"))
            {
                config.Namespace(type, $"/proc/{holder.Id}/ns/{file}");
            }

            config.Remove("hostname");
        });
        string[] inside = result.Succeeded().Lines;
        for (int index = 0; index < Kinds.Length; index++)
        {
            if (Kinds[index].Type is "network" or "ipc" or "uts" or "cgroup")
            {
                Assert.Equal(Of(holder.Id, Kinds[index].File), inside[index]);
            }
        }

        Assert.Equal("joined", inside[^1]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a pid namespace can be joined")]
    public Task A_pid_namespace_is_joined(string name) => Under(name, async runtime =>
    {
        Container pod = await runtime.SleepingAsync();
        int pid = await pod.PidAsync();
        ProgramResult result = await runtime.ScriptAsync("readlink /proc/self/ns/pid; tr '\\0' ' ' </proc/1/cmdline; echo $$ | grep -vx 1 >/dev/null && echo; echo other", config =>
            config.Namespace("pid", $"/proc/{pid}/ns/pid"));
        Assert.Equal($"{Of(pid, "pid")}\nsleep 1000 \nother\n", result.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a user namespace can be joined")]
    [RuncDiffers("1.1 demands mappings for it, too")]
    public Task A_user_namespace_is_joined(string name) => Under(name, async runtime =>
    {
        Container pod = await runtime.SleepingAsync(Mapped);
        int pid = await pod.PidAsync();
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("readlink /proc/self/ns/user; cat /proc/self/uid_map; id -u");
            config.Namespace("user", $"/proc/{pid}/ns/user");
        });
        ProgramResult result = await runtime.RunBundleAsync(bundle);
        Assert.Equal(Of(pid, "user"), result.Succeeded().Lines[0]);
        Assert.Matches(@"^\s*0\s+100000\s+65536$", result.Lines[1]);
        Assert.Equal("0", result.Lines[2]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a mount namespace can be joined")]
    public Task A_mount_namespace_is_joined(string name) => Under(name, async runtime =>
    {
        using var holder = RunningProgram.Start("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 1000"]);
        await holder.OutputHasAsync("ready");
        ProgramResult result = await runtime.ScriptAsync("readlink /proc/self/ns/mnt", config => config.Namespace("mount", $"/proc/{holder.Id}/ns/mnt"));
        Assert.Equal(Of(holder.Id, "mnt"), result.Succeeded().Lines[0]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a time namespace has the configured offsets")]
    [Requirement("config-linux.md#offset-for-time-namespace", "timeOffsets are those of the clocks in it")]
    [RuncDiffers("1.1 does not know time namespaces")]
    public Task Clocks_can_be_shifted(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time", config =>
        {
            config.Namespace("time");
            config.Linux["timeOffsets"] = new JsonObject
            {
                ["boottime"] = new JsonObject { ["secs"] = 100000000, ["nanosecs"] = 0 },
                ["monotonic"] = new JsonObject { ["secs"] = 100000000, ["nanosecs"] = 5 },
            };
        });
        Assert.True(int.Parse(result.Succeeded().Lines[0]) > 99999999, result.Output);
        Assert.NotEqual(Own("time"), result.Lines[1]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a path that is no namespace of that type is an error")]
    public Task A_namespace_of_another_type_is_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Namespace("network", $"/proc/{Environment.ProcessId}/ns/uts"));
        await runtime.RefusesAsync(config => config.Namespace("ipc", "/etc/passwd"));
        await runtime.RefusesAsync(config => config.Namespace("ipc", runtime["missing"]));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a path is absolute")]
    public Task A_relative_namespace_path_is_refused(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Namespace("network", "netns"));
        File.CreateSymbolicLink(Path.Join(bundle.Path, "netns"), $"/proc/{Environment.ProcessId}/ns/net");
        (_, ProgramResult result) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, result.Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#namespaces", "a type that is listed twice is an error")]
    public Task A_namespace_that_is_listed_twice_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Namespaces.Add((JsonNode)new JsonObject { ["type"] = "pid" })));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "an unknown namespace type is an error")]
    public Task An_unknown_namespace_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Namespace("dreams")));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#hostname", "hostname is that of the UTS namespace")]
    public Task The_host_name_is_the_configured_one(string name) => Under(name, async runtime =>
    {
        Assert.Equal("here\n", (await runtime.ScriptAsync("hostname", config => config["hostname"] = "here")).Succeeded().Output);
        Assert.NotEqual("here", Environment.MachineName);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#hostname", "without a UTS namespace of its own a hostname is refused: it would be the host's")]
    public Task A_host_name_without_a_namespace_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Without("uts")));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#domainname", "domainname is that of the UTS namespace")]
    [RuncDiffers("1.1.5 does not know it")]
    public Task The_domain_name_is_the_configured_one(string name) => Under(name, async runtime =>
        Assert.Equal("example.test\n", (await runtime.ScriptAsync("cat /proc/sys/kernel/domainname", config => config["domainname"] = "example.test")).Succeeded().Output));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#user-namespace-mappings", "uidMappings and gidMappings are those of the new user namespace")]
    [Requirement("config.md#user", "uid and gid are those in the user namespace")]
    public Task Users_are_mapped(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync(config =>
        {
            Mapped(config);
            config.Process["user"] = new JsonObject { ["uid"] = 5, ["gid"] = 6 };
        });
        int pid = await container.PidAsync();
        Assert.Contains("Uid:\t100005\t100005\t100005\t100005\n", Container.Proc(pid, "status"));
        Assert.Contains("Gid:\t200006\t200006\t200006\t200006\n", Container.Proc(pid, "status"));
        Assert.Matches(@"^\s*0\s+100000\s+65536\n$", Container.Proc(pid, "uid_map"));
        Assert.Matches(@"^\s*0\s+200000\s+65536\n$", Container.Proc(pid, "gid_map"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#user-namespace-mappings", "mappings without a user namespace, or a new one without them, are refused")]
    public Task Mappings_and_a_user_namespace_belong_together(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Namespace("user"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#sysctl", "sysctl sets what belongs to the container's namespaces")]
    public Task Settings_of_the_kernel_are_set(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ping_group_range", config =>
            config.Linux["sysctl"] = new JsonObject { ["net.ipv4.ip_forward"] = "1", ["net/core/somaxconn"] = "256", ["kernel.shmmni"] = "4000", ["net.ipv4.ping_group_range"] = "0 10" });
        Assert.Equal("1\n256\n4000\n0\t10\n", result.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#sysctl", "what is the host's is refused")]
    public Task Settings_of_the_host_are_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Linux["sysctl"] = new JsonObject { ["vm.swappiness"] = "10" });
        await runtime.RefusesAsync(config => config.Linux["sysctl"] = new JsonObject { ["kernel.pid_max"] = "10000" });
        await runtime.RefusesAsync(config =>
        {
            config.Without("network");
            config.Linux["sysctl"] = new JsonObject { ["net.ipv4.ip_forward"] = "1" };
        });
        await runtime.RefusesAsync(config => config.Linux["sysctl"] = new JsonObject { ["net.ipv4.no_such_thing"] = "1" });
    });

    private static void Mapped(JsonObject config)
    {
        config.Namespace("user");
        config.Linux["uidMappings"] = new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = 100000, ["size"] = 65536 });
        config.Linux["gidMappings"] = new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = 200000, ["size"] = 65536 });
    }

    private static string Show() => string.Join("; ", Kinds.Select(kind => $"readlink /proc/self/ns/{kind.File}"));

    private static string Own(string file) => Of(Environment.ProcessId, file);

    private static string Of(int pid, string file) => new FileInfo($"/proc/{pid}/ns/{file}").LinkTarget!;
}
