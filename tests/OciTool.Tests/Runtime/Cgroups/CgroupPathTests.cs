using OciTool.Images;
using OciTool.Runtime.Cgroups;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

public sealed class CgroupPathTests
{
    [Theory]
    [InlineData(null, true, "oci/abc")]
    [InlineData("", true, "oci/abc")]
    [InlineData("/docker/abc", true, "docker/abc")]
    [InlineData("//docker/./abc/", true, "docker/abc")]
    [InlineData("pod/abc", false, "pod/abc")]
    public void A_path_is_below_the_root_or_the_caller(string? path, bool isAbsolute, string segments)
    {
        CgroupPath parsed = CgroupPath.Parse(path, "abc");
        Assert.Equal((isAbsolute, segments), (parsed.IsAbsolute, string.Join('/', parsed.Segments)));
    }

    [Theory]
    [InlineData("/../x")]
    [InlineData("a/../../x")]
    [InlineData("..")]
    [InlineData("/a\0b")]
    [InlineData("/a\nb")]
    [InlineData("/")]
    [InlineData("./.")]
    public void A_path_that_leads_elsewhere_is_refused(string path) =>
        Assert.Throws<OciException>(() => CgroupPath.Parse(path, "abc"));

    [Fact]
    public void A_path_relative_to_a_part_that_is_mounted_is_found()
    {
        // a container without a cgroup namespace of its own sees its part, and the whole path
        CgroupMounts mounts = CgroupMounts.Parse(
            "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,xattr,memory\n"
            + "36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n");
        Assert.Equal(["memory", "pids"], mounts.V1.Keys);
        Assert.Equal("/sys/fs/cgroup/memory", mounts.DirectoryOf("/sys/fs/cgroup/memory", "/docker/abc"));
        Assert.Equal("/sys/fs/cgroup/memory/x", mounts.DirectoryOf("/sys/fs/cgroup/memory", "/docker/abc/x"));
        Assert.Equal("/sys/fs/cgroup/pids/docker/abc", mounts.DirectoryOf("/sys/fs/cgroup/pids", "/docker/abc"));
        Assert.Equal("/sys/fs/cgroup/pids", mounts.DirectoryOf("/sys/fs/cgroup/pids", "/"));
        Assert.Equal("/sys/fs/cgroup/pids", mounts.DirectoryOf("/sys/fs/cgroup/pids", "/../other"));
    }

    [Fact]
    public void The_groups_of_a_process_are_found_by_controller()
    {
        ProcessGroups groups = ProcessGroups.Parse("9:name=systemd:/s\n4:cpu,cpuacct:/a:b\n0::/u\n");
        Assert.Equal("/s", groups.PathOf("name=systemd"));
        Assert.Equal("/a:b", groups.PathOf("cpuacct"));
        Assert.Equal("/a:b", groups.PathOf("cpu"));
        Assert.Equal("/u", groups.PathOf(""));
        Assert.Null(groups.PathOf("pids"));
    }
}
