using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class CgroupTests
{
    private const string Hybrid = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
        36 31 0:33 / /sys/fs/cgroup/dev\040ices rw,relatime - cgroup cgroup rw,devices
        39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    private static readonly ResourcesSpec Limits = new()
    {
        Pids = new(2048),
        Devices =
        [
            new(false) { Access = "rwm" },
            new(true) { Type = "c", Major = 1, Minor = 3, Access = "rwm" },
            new(true) { Type = "c", Major = 136, Access = "rwm" },
        ],
    };

    [Fact]
    public void Mounts_of_a_hybrid_host_are_found_by_controller()
    {
        CgroupMounts mounts = CgroupMounts.Parse(Hybrid);
        Assert.Equal("/sys/fs/cgroup/pids", mounts.V1["pids"]);
        Assert.Equal("/sys/fs/cgroup/dev ices", mounts.V1["devices"]);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", mounts.V1["cpuacct"]);
        Assert.Equal("/sys/fs/cgroup/unified", mounts.V2);
        Assert.False(mounts.IsUnified);
    }

    [Fact]
    public void A_host_with_cgroup_v2_alone_is_unified()
    {
        CgroupMounts mounts = CgroupMounts.Parse("26 1 0:24 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
        Assert.True(mounts.IsUnified);
        Assert.Equal("/sys/fs/cgroup", mounts.V2);
        Assert.False(CgroupMounts.Parse("").IsUnified);
    }

    [Fact]
    public void V1_gets_a_directory_a_controller_and_the_rules_in_order()
    {
        using TestRoot root = new();
        CgroupMounts mounts = new(
            new Dictionary<string, string> { ["pids"] = Fake(root, "pids", "pids.max"), ["devices"] = Fake(root, "devices", "devices.deny", "devices.allow") },
            V2: null);
        Cgroup cgroup = Cgroup.Create(mounts, "abc", Limits, out string? warning)!;
        Assert.Null(warning);
        Assert.Null(cgroup.UnifiedDirectory);
        Assert.Equal([$"{root.Path}/pids/oci/abc", $"{root.Path}/devices/oci/abc"], cgroup.Directories);
        Assert.Equal("2048", File.ReadAllText($"{root.Path}/pids/oci/abc/pids.max"));
        Assert.Equal("a", File.ReadAllText($"{root.Path}/devices/oci/abc/devices.deny"));
        Assert.Equal("c 136:* rwm", File.ReadAllText($"{root.Path}/devices/oci/abc/devices.allow")); // the last of them
    }

    [Fact]
    public void V2_gets_one_directory_and_passes_the_controller_down()
    {
        using TestRoot root = new();
        string mount = Fake(root, "v2", "pids.max");
        File.WriteAllText($"{mount}/cgroup.subtree_control", "");
        File.WriteAllText($"{mount}/oci/cgroup.subtree_control", "");
        ResourcesSpec limits = new() { Pids = Limits.Pids };
        Cgroup cgroup = Cgroup.Create(new(new Dictionary<string, string>(), mount), "abc", limits, out string? warning)!;
        Assert.Null(warning);
        Assert.Equal($"{mount}/oci/abc", cgroup.UnifiedDirectory);
        Assert.Equal("+pids", File.ReadAllText($"{mount}/cgroup.subtree_control"));
        Assert.Equal("+pids", File.ReadAllText($"{mount}/oci/cgroup.subtree_control"));
        Assert.Equal("2048", File.ReadAllText($"{mount}/oci/abc/pids.max"));
    }

    [Fact]
    public void A_host_without_a_usable_cgroup_gives_none_and_says_which_limit_is_missing()
    {
        CgroupMounts none = new(new Dictionary<string, string>(), V2: null);
        Assert.Null(Cgroup.Create(none, "abc", Limits, out string? warning));
        Assert.Equal("the limit of 2048 processes is not in force: no writable pids controller", warning);
        Assert.Null(Cgroup.Create(none, "abc", resources: null, out warning));
        Assert.Null(warning);

        CgroupMounts missing = new(new Dictionary<string, string> { ["pids"] = "/proc/nonexistent" }, V2: null);
        Assert.Null(Cgroup.Create(missing, "abc", Limits, out warning));
        Assert.NotNull(warning);
    }

    [Fact]
    public void A_thread_enters_groups_of_v1_alone()
    {
        using TestRoot root = new();
        string mount = Fake(root, "pids", "tasks", "pids.max");
        Cgroup cgroup = Cgroup.Create(
            new(new Dictionary<string, string> { ["pids"] = mount }, V2: null), "abc", Limits, out _)!;

        using SafeFileHandle entrance = Assert.Single(cgroup.OpenEntrances());
        Assert.Equal(Errno.None, Cgroup.TryEnter(entrance));

        Assert.Equal("0", File.ReadAllText($"{mount}/oci/abc/tasks"));
    }

    [Fact]
    public void A_process_enters_a_group_of_v2_as_a_whole()
    {
        using TestRoot root = new();
        string mount = Fake(root, "unified", "cgroup.procs", "pids.max");
        Cgroup cgroup = Cgroup.Create(new(new Dictionary<string, string>(), mount), "abc", resources: null, out _)!;

        Assert.Empty(cgroup.OpenEntrances());
        cgroup.Move(77)!.Wait();

        Assert.Equal("77", File.ReadAllText($"{mount}/oci/abc/cgroup.procs"));
    }

    [Fact]
    public void Deleting_removes_the_directories_and_may_be_repeated()
    {
        using TestRoot root = new();
        CgroupMounts mounts = new(new Dictionary<string, string> { ["pids"] = Directory.CreateDirectory($"{root.Path}/p").FullName }, V2: null);
        Cgroup cgroup = Cgroup.Create(mounts, "abc", Limits, out _)!;
        Assert.True(Directory.Exists($"{root.Path}/p/oci/abc"));
        Assert.True(cgroup.Delete());
        Assert.False(Directory.Exists($"{root.Path}/p/oci/abc"));
        Assert.True(cgroup.Delete());
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    public void An_id_that_is_no_name_is_refused(string id) => Assert.Throws<OciException>(
        () => Cgroup.Create(new(new Dictionary<string, string>(), V2: null), id, Limits, out _));

    private static string Fake(TestRoot root, string controller, params string[] files)
    {
        string mount = Path.Join(root.Path, controller);
        string directory = Directory.CreateDirectory(Path.Join(mount, "oci/abc")).FullName;
        foreach (string file in files.Append("cgroup.procs"))
        {
            File.WriteAllText(Path.Join(directory, file), "");
        }

        return mount;
    }
}
