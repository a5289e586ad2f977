using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md#mounts: order, names, sources and what is mounted.</summary>
public sealed class RuntimeMountTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "entries are mounted in their order")]
    public Task Later_mounts_lie_on_earlier_ones(string name) => Under(name, async runtime =>
    {
        string first = WithFile(runtime, "first"), second = WithFile(runtime, "second");
        ProgramResult result = await runtime.ScriptAsync("ls /a; ls /a/b; ls /c", config =>
        {
            config.Mount("/a", "tmpfs", "tmpfs");
            config.Mount("/a/b", "bind", first, "bind");
            config.Mount("/c", "bind", first, "bind");
            config.Mount("/c", "bind", second, "bind");
        });
        Assert.Equal("b\nfirst\nsecond\n", result.Succeeded().Output);
        ProgramResult hidden = await runtime.ScriptAsync("ls /a", config =>
        {
            config.Mount("/a/b", "bind", first, "bind");
            config.Mount("/a", "tmpfs", "tmpfs");
        });
        Assert.Equal("", hidden.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "a relative destination is below /")]
    public Task A_relative_destination_is_below_the_root(string name) => Under(name, async runtime =>
        Assert.Equal("file\n", (await runtime.ScriptAsync("ls /a/b", config => config.Mount("a/b", "bind", WithFile(runtime, "file"), "bind"))).Succeeded().Output));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "a bind mount's source is absolute, or relative to the bundle")]
    public Task A_relative_source_is_in_the_bundle(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("cat /mnt/inside; cat /file");
            config.Mount("/mnt", "none", "data", "rbind");
            config.Mount("/file", "bind", "data/inside", "bind");
        });
        Directory.CreateDirectory(Path.Join(bundle.Path, "data"));
        await File.WriteAllTextAsync(Path.Join(bundle.Path, "data/inside"), "here\n", Cancellation);
        Assert.Equal("here\nhere\n", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "bind or rbind among the options makes it a bind mount, whatever the type says")]
    public Task A_bind_mount_needs_no_type(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("ls /a /b");
            config.Mount("/a", "ignored", WithFile(runtime, "one"), "bind");
            config.Mounts.Add((JsonNode)new JsonObject { ["destination"] = "/b", ["source"] = WithFile(runtime, "two"), ["options"] = new JsonArray("rbind") });
        });
        ProgramResult result = (await runtime.RunBundleAsync(bundle)).Succeeded();
        Assert.Equal("/a:\none\n\n/b:\ntwo\n", result.Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "rbind brings what is mounted below, bind does not")]
    public Task A_recursive_bind_mount_has_what_is_mounted_below(string name) => Under(name, async runtime =>
    {
        string source = WithFile(runtime, "top");
        Directory.CreateDirectory(Path.Join(source, "below"));
        (await Shell.RunAsync("mount", "-t", "tmpfs", "below", Path.Join(source, "below"))).Succeeded();
        try
        {
            await File.WriteAllTextAsync(Path.Join(source, "below/deep"), "", Cancellation);
            ProgramResult result = await runtime.ScriptAsync("ls /flat/below; echo; ls /deep/below", config =>
            {
                config.Mount("/flat", "bind", source, "bind");
                config.Mount("/deep", "bind", source, "rbind");
            });
            Assert.Equal("\ndeep\n", result.Succeeded().Output);
        }
        finally
        {
            (await Shell.RunAsync("umount", Path.Join(source, "below"))).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "a mount point that is missing is made, a directory or a file as its source is")]
    public Task Mount_points_are_made(string name) => Under(name, async runtime =>
    {
        string source = WithFile(runtime, "file");
        Assert.Equal("directory\nregular file\n", (await runtime.ScriptAsync("stat -c %F /new/directory /new/file | sed 's/ empty//'", config =>
        {
            config.Mount("/new/directory", "bind", source, "bind");
            config.Mount("/new/file", "bind", Path.Join(source, "file"), "bind");
        })).Succeeded().Output.Replace("regular empty file", "regular file"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "a destination is resolved in the root, links included")]
    public Task A_destination_behind_a_link_stays_in_the_root(string name) => Under(name, async runtime =>
    {
        string outside = Directory.CreateDirectory(runtime["outside"]).FullName;
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script($"ls {outside}/mnt; ls /up");
            config.Mount("/link/mnt", "bind", WithFile(runtime, "file"), "bind");
            config.Mount("/dots", "bind", WithFile(runtime, "other"), "bind");
        });
        Directory.CreateDirectory(bundle[outside[1..]]);
        File.CreateSymbolicLink(bundle["link"], outside);
        Directory.CreateDirectory(bundle["up"]);
        File.CreateSymbolicLink(bundle["dots"], "../../../up");
        Assert.Equal("file\nother\n", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#mounts", "a source that is missing is an error")]
    public Task A_missing_source_is_refused(string name) => Under(name, async runtime =>
        Assert.Contains("no such file or directory", await runtime.RefusesAsync(config => config.Mount("/mnt", "bind", runtime["missing"], "rbind"))));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "unknown options go to the file system")]
    [Requirement("config.md#valid-values", "an option that the file system refuses is an error")]
    public Task Options_of_the_file_system_reach_it(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("grep ' /t ' /proc/self/mounts; stat -c %a:%u:%g /t", config =>
            config.Mount("/t", "tmpfs", "tmpfs", "size=64k", "nr_inodes=50", "mode=0751", "uid=7", "gid=8"));
        Assert.Contains("size=64k", result.Succeeded().Output);
        Assert.Contains("nr_inodes=50", result.Output);
        Assert.Contains("751:7:8", result.Output);
        await runtime.RefusesAsync(config => config.Mount("/t", "tmpfs", "tmpfs", "nosuchoption=1"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "tmpcopyup fills a tmpfs with what it covers")]
    public Task A_tmpfs_can_begin_with_what_it_covers(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("cat /data/file; stat -c %a /data/file; readlink /data/link; echo new > /data/file; grep -c ' /data tmpfs ' /proc/self/mounts");
            config.Mount("/data", "tmpfs", "tmpfs", "tmpcopyup", "mode=755");
        });
        Directory.CreateDirectory(bundle["data"]);
        await File.WriteAllTextAsync(bundle["data/file"], "old\n", Cancellation);
        File.SetUnixFileMode(bundle["data/file"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(bundle["data/link"], "file");
        Assert.Equal("old\n600\nfile\n1\n", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
        Assert.Equal("old\n", await File.ReadAllTextAsync(bundle["data/file"], Cancellation));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#default-filesystems", "/proc, /sys, /dev/pts and /dev/shm are what the configuration says")]
    public Task The_default_file_systems_are_there(string name) => Under(name, async runtime =>
    {
        string[] mounts = (await runtime.ScriptAsync("cut -d' ' -f2,3 /proc/self/mounts")).Succeeded().Lines;
        Assert.Contains("/proc proc", mounts);
        Assert.Contains("/sys sysfs", mounts);
        Assert.Contains("/dev/pts devpts", mounts);
        Assert.Contains("/dev/shm tmpfs", mounts);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: configuration", "a mount of type `cgroup` shows the container's own groups, on version 1 and 2")]
    public Task The_control_groups_can_be_mounted(string name) => Under(name, async runtime =>
    {
        string own = Cgroup.IsUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
        ProgramResult result = await runtime.ScriptAsync(
            $"ls /sys/fs/cgroup; grep -x 1 {own}/cgroup.procs; mkdir {own}/new",
            config => config.Mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"));
        Assert.Contains(Cgroup.IsUnified ? "cgroup.procs" : "memory", result.Output);
        Assert.EndsWith("\n1\n", result.Output);
        Assert.Contains("Read-only file system", result.Error);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-platform-mounts", "mappings of a mount without those of the other kind are refused")]
    [RuncDiffers("1.1 ignores the mappings of mounts")]
    public Task A_mount_with_half_a_mapping_is_refused(string name) => Under(name, async runtime =>
        await runtime.RefusesAsync(config =>
        {
            config.Mount("/mnt", "bind", WithFile(runtime, "file"), "bind", "idmap");
            config.Mounts[^1]!["uidMappings"] = new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = 1000, ["size"] = 10 });
        }));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "idmap without any mapping is an error")]
    [RuncDiffers("1.1 ignores the option")]
    public Task A_mapped_mount_without_mappings_is_refused(string name) => Under(name, async runtime =>
        await runtime.RefusesAsync(config => config.Mount("/mnt", "bind", WithFile(runtime, "file"), "bind", "idmap")));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "idmap maps the owners as the mount's mappings say")]
    [RuncDiffers("1.1 ignores the mappings of mounts")]
    public Task A_mapped_mount_has_other_owners(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("stat -c %u:%g /mnt/file", config =>
        {
            config.Mount("/mnt", "bind", WithFile(runtime, "file"), "bind", "idmap");
            JsonArray Mapping() => new(new JsonObject { ["containerID"] = 0, ["hostID"] = 1000, ["size"] = 10 });
            config.Mounts[^1]!["uidMappings"] = Mapping();
            config.Mounts[^1]!["gidMappings"] = Mapping();
        });
        Assert.Equal("1000:1000\n", result.Output);
    });

    /// <summary>A directory of the host with one file.</summary>
    private static string WithFile(RuntimeUnderTest runtime, string file)
    {
        string directory = Directory.CreateDirectory(runtime[$"with-{file}-{Guid.NewGuid():N}"]).FullName;
        File.WriteAllText(Path.Join(directory, file), "");
        return directory;
    }
}
