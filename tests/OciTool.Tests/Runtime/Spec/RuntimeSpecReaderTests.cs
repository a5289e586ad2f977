using System.Text;
using System.Text.Json;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

/// <summary>The documents of the runtime-spec: what we read is what we write, and what is wrong is named.</summary>
public sealed class RuntimeSpecReaderTests
{
    // every member of config.json and config-linux.md but the limits, which CgroupDocumentTests has
    private const string Whole = """
        {"ociVersion":"1.2.0",
        "process":{"cwd":"/","user":{"uid":1,"gid":2,"umask":18,"additionalGids":[5,6]},"terminal":true,"consoleSize":{"height":25,"width":80},
          "args":["sh","-c"],"env":["A=b"],
          "capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"inheritable":["CAP_CHOWN"],"permitted":["CAP_KILL"],"ambient":[]},
          "rlimits":[{"type":"RLIMIT_NOFILE","soft":1024,"hard":18446744073709551615}],"noNewPrivileges":true,"oomScoreAdj":-100,
          "ioPriority":{"class":"IOPRIO_CLASS_IDLE","priority":4},
          "scheduler":{"policy":"SCHED_DEADLINE","nice":-1,"priority":2,"flags":["SCHED_FLAG_RESET_ON_FORK"],"runtime":1,"deadline":2,"period":3},
          "execCPUAffinity":{"initial":"0","final":"0-3"},"apparmorProfile":"p","selinuxLabel":"l"},
        "root":{"path":"rootfs","readonly":true},"hostname":"h","domainname":"d",
        "mounts":[{"destination":"/m","type":"bind","source":"/s","options":["ro"],
          "uidMappings":[{"containerID":0,"hostID":1000,"size":4294967295}],"gidMappings":[{"containerID":0,"hostID":1000,"size":1}]}],
        "hooks":{"prestart":[{"path":"/a","args":["a","b"],"env":["K=v"],"timeout":3}],"createRuntime":[{"path":"/b"}],"createContainer":[{"path":"/c"}],
          "startContainer":[{"path":"/d"}],"poststart":[{"path":"/e"}],"poststop":[{"path":"/f"}]},
        "annotations":{"k":"v"},
        "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/proc/1/ns/net"}],
          "uidMappings":[{"containerID":0,"hostID":1,"size":2}],"gidMappings":[{"containerID":3,"hostID":4,"size":5}],
          "timeOffsets":{"monotonic":{"secs":-5,"nanosecs":7}},"personality":{"domain":"LINUX32","flags":["f"]},
          "intelRdt":{"closID":"c"},"netDevices":{"eth0":{"name":"eth1"},"eth2":{}},
          "devices":[{"path":"/dev/x","type":"c","major":1,"minor":-1,"fileMode":438,"uid":1,"gid":2}],
          "cgroupsPath":"/g","resources":{"pids":{"limit":5}},"sysctl":{"net.ipv4.ip_forward":"1"},
          "seccomp":{"defaultAction":"SCMP_ACT_ALLOW"},"rootfsPropagation":"slave","maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],
          "mountLabel":"m"}}
        """;

    [Fact]
    public void Every_member_of_the_specification_is_read_and_written_back()
    {
        using JsonDocument read = JsonDocument.Parse(Whole);
        using JsonDocument written = JsonDocument.Parse(RuntimeJson.ToBytes(Read(Whole), RuntimeJson.Write).ToArray());
        Assert.True(JsonElement.DeepEquals(read.RootElement, written.RootElement), written.RootElement.ToString());
    }

    [Fact]
    public void What_is_null_or_unknown_is_not_there() =>
        Assert.Equal(
            """{"ociVersion":"1.2.0","annotations":{"empty":""},"linux":{"namespaces":[]}}""",
            Encoding.UTF8.GetString(RuntimeJson.ToBytes(
                Read("""
                    {"ociVersion":"1.2.0","process":null,"hostname":null,"mounts":null,"annotations":{"empty":null},
                    "windows":{"layerFolders":["x"]},"linux":{"namespaces":[],"sysctl":null,"new":[{"deep":{}}]}}
                    """),
                RuntimeJson.Write)));

    [Theory]
    [InlineData("""[]""", "the document must be an object")]
    [InlineData("""null""", "the document must be an object")]
    [InlineData("""{}""", "ociVersion is missing")]
    [InlineData("""{"ociVersion":null}""", "ociVersion is missing")]
    [InlineData("""{"ociVersion":1}""", "ociVersion must be text")]
    [InlineData("""{"ociVersion":"1","process":[]}""", "process must be an object")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/"}}""", "process.user is missing")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0}}}""", "process.user.gid is missing")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":-1,"gid":0}}}""", "process.user.uid is out of range: -1")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":4294967296,"gid":0}}}""", "process.user.uid is out of range: 4294967296")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":"0","gid":0}}}""", "process.user.uid must be a number")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0.5,"gid":0}}}""", "process.user.uid must be a whole number of at most 64 bits")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0,"gid":0,"additionalGids":[1,"x"]}}}""", "process.user.additionalGids[1] must be a number")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0,"gid":0},"args":"sh"}}""", "process.args must be a list")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0,"gid":0},"args":["sh",null]}}""", "process.args[1] must be text")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0,"gid":0},"terminal":"yes"}}""", "process.terminal must be true or false")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":0,"gid":0},"rlimits":[{"type":"a","soft":1,"hard":2},{"type":"b","soft":-1}]}}""", "process.rlimits[1].soft is out of range: -1")]
    [InlineData("""{"ociVersion":"1","linux":{"sysctl":{"a":1}}}""", "linux.sysctl.a must be text")]
    [InlineData("""{"ociVersion":"1","linux":{"timeOffsets":{"boottime":3}}}""", "linux.timeOffsets.boottime must be an object")]
    [InlineData("""{"ociVersion":"1","linux":{"timeOffsets":{"boottime":{"secs":"1"}}}}""", "linux.timeOffsets.boottime.secs must be a number")]
    [InlineData("""{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"x","syscalls":[{"action":"y"}]}}}""", "linux.seccomp.syscalls[0].names is missing")]
    [InlineData("""{"ociVersion":"1","annotations":[]}""", "annotations must be an object")]
    [InlineData("""{"ociVersion":"1","root":{"path":"a","pa\u0074h":"b"}}""", "path")]
    [InlineData("""{"ociVersion":"\ud800"}""", "ociVersion must be text in UTF-8")]
    [InlineData("""{"ociVersion":"1"} x""", "x")]
    [InlineData("", "")]
    public void What_is_wrong_is_named(string document, string error) =>
        Assert.Contains(error, Assert.ThrowsAny<JsonException>(() => Read(document)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_remembered_of_a_container_is_read_back()
    {
        ContainerEntry entry = new("id", "/b", "/b/rootfs", new DateTimeOffset(2026, 11, 25, 1, 2, 3, TimeSpan.Zero).AddTicks(4567))
        {
            Pid = 7,
            StartTime = ulong.MaxValue,
            IsCreated = true,
            HasPids = true,
            Cgroup = new([new("/sys/fs/cgroup/cpu,cpuacct/x", ["cpu", "cpuacct"]), new("/sys/fs/cgroup/unified/x", [])]) { SystemdUnit = "oci-x.scope" },
            Annotations = new Dictionary<string, string> { ["k"] = "v\u00fc\n" },
            Hooks = new() { Poststop = [new("/hook") { Args = ["hook"], Timeout = 3 }] },
        };
        byte[] document = RuntimeJson.ToBytes(entry, LifecycleJson.Write).ToArray();
        ContainerEntry read = ContainerEntry.Read(document);
        Assert.Equal(entry.Created, read.Created);
        Assert.True(read.Cgroup!.Directories[0].Has("cpuacct"));
        Assert.True(read.Cgroup.Directories[1].IsUnified);
        Assert.Equal(document, RuntimeJson.ToBytes(read, LifecycleJson.Write).ToArray());
    }

    private static RuntimeSpec Read(string document) => RuntimeSpecReader.ReadConfig(Encoding.UTF8.GetBytes(document));
}
