using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md#linux-mount-options: every option that has to be known, and what comes of it.</summary>
public sealed class RuntimeMountOptionTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "every option that must be known is known")]
    public Task Every_option_is_known(string name) => Under(name, async runtime =>
    {
        string[] options =
        [
            "async", "atime", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud", "noatime", "nodev",
            "nodiratime", "noexec", "noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid", "private", "relatime", "ro",
            "rprivate", "rshared", "rslave", "runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid", "sync", "unbindable",
        ];
        (await runtime.ScriptAsync("true", config =>
        {
            foreach (string option in options)
            {
                config.Mount($"/on/{option}", "tmpfs", "tmpfs", option);
            }
        })).Succeeded();
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "defaults is known")]
    [RuncDiffers("1.1 passes it on to the file system, which refuses it")]
    public Task Defaults_are_no_option_of_the_file_system(string name) => Under(name, async runtime =>
        (await runtime.ScriptAsync("true", config => config.Mount("/on", "tmpfs", "tmpfs", "defaults"))).Succeeded());

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "ro, nosuid, nodev, noexec, noatime, nodiratime, strictatime and relatime are set, and their opposites clear them")]
    public Task Flags_are_set_and_cleared(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        ProgramResult result = await runtime.ScriptAsync("cut -d' ' -f2,4 /proc/self/mounts", config =>
        {
            config.Mount("/t/strict", "tmpfs", "tmpfs", "ro", "nosuid", "nodev", "noexec", "noatime");
            config.Mount("/t/cleared", "tmpfs", "tmpfs", "ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "atime");
            config.Mount("/t/bound", "bind", source, "bind", "ro", "nosuid", "nodev", "noexec", "nodiratime");
            config.Mount("/t/sync", "tmpfs", "tmpfs", "sync", "dirsync", "strictatime");
        });
        Dictionary<string, string[]> mounts = result.Succeeded().Lines.Select(line => line.Split(' '))
            .GroupBy(words => words[0]).ToDictionary(mount => mount.Key, mount => mount.Last()[1].Split(','));
        Assert.Equal(["noatime", "nodev", "noexec", "nosuid", "ro"], mounts["/t/strict"].Where(flag => !flag.Contains('=')).Except(["inode64"]).Order());
        Assert.Equal(["relatime", "rw"], mounts["/t/cleared"].Where(flag => !flag.Contains('=')).Except(["inode64"]).Order());
        Assert.Superset(new HashSet<string> { "ro", "nosuid", "nodev", "noexec", "nodiratime" }, new HashSet<string>(mounts["/t/bound"]));
        Assert.Superset(new HashSet<string> { "sync", "dirsync" }, new HashSet<string>(mounts["/t/sync"]));
        Assert.DoesNotContain("relatime", mounts["/t/sync"]);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "a bind mount that is ro cannot be written, one that is not can")]
    public Task A_read_only_bind_mount_cannot_be_written(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        ProgramResult result = await runtime.ScriptAsync("touch /rw/a; touch /ro/b; ls /ro", config =>
        {
            config.Mount("/rw", "bind", source, "rbind", "rw");
            config.Mount("/ro", "bind", source, "rbind", "ro");
        });
        Assert.Equal("a\n", result.Output);
        Assert.Contains("/ro/b: Read-only file system", result.Error);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "rro makes what is mounted below read-only, too; ro does not")]
    public Task Recursive_read_only_reaches_what_is_below(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        Directory.CreateDirectory(Path.Join(source, "below"));
        (await Shell.RunAsync("mount", "-t", "tmpfs", "below", Path.Join(source, "below"))).Succeeded();
        try
        {
            ProgramResult result = await runtime.ScriptAsync("touch /ro/a; touch /ro/below/b; touch /rro/c; touch /rro/below/d; ls /ro/below", config =>
            {
                config.Mount("/ro", "bind", source, "rbind", "ro");
                config.Mount("/rro", "bind", source, "rbind", "rro");
            });
            Assert.Equal("b\n", result.Output);
            foreach (string refused in new[] { "/ro/a", "/rro/c", "/rro/below/d" })
            {
                Assert.Contains($"{refused}: Read-only file system", result.Error);
            }
        }
        finally
        {
            (await Shell.RunAsync("umount", Path.Join(source, "below"))).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "recursive flags are set on the whole tree")]
    public Task Recursive_flags_are_set_on_the_whole_tree(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        Directory.CreateDirectory(Path.Join(source, "below"));
        (await Shell.RunAsync("mount", "-t", "tmpfs", "below", Path.Join(source, "below"))).Succeeded();
        try
        {
            ProgramResult result = await runtime.ScriptAsync("cut -d' ' -f2,4 /proc/self/mounts", config =>
                config.Mount("/mnt", "bind", source, "rbind", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rnodiratime", "rnosymfollow"));
            foreach (string point in new[] { "/mnt ", "/mnt/below " })
            {
                string line = Assert.Single(result.Succeeded().Lines, line => line.StartsWith(point, StringComparison.Ordinal));
                foreach (string flag in new[] { "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow" })
                {
                    Assert.Contains(flag, line);
                }
            }
        }
        finally
        {
            (await Shell.RunAsync("umount", Path.Join(source, "below"))).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "nosymfollow: links on the mount are not followed")]
    public Task Links_on_a_mount_can_be_dead(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        File.CreateSymbolicLink(Path.Join(source, "link"), "/etc");
        ProgramResult result = await runtime.ScriptAsync("ls /mnt/link/", config => config.Mount("/mnt", "bind", source, "bind", "nosymfollow"));
        Assert.Equal(1, result.Status);
        Assert.Contains("Too many", result.Error);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "private, slave, shared and unbindable, and their recursive forms, set the propagation")]
    public Task Propagation_is_set(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        ProgramResult result = await runtime.ScriptAsync("cut -d' ' -f5- /proc/self/mountinfo", config =>
        {
            foreach (string option in new[] { "private", "shared", "unbindable", "slave" })
            {
                config.Mount($"/p/{option}", "bind", source, "bind", option);
                config.Mount($"/p/r{option}", "bind", source, "rbind", $"r{option}");
            }
        });
        string Fields(string point) => Assert.Single(result.Succeeded().Lines, line => line.StartsWith($"{point} ", StringComparison.Ordinal)).Split(" - ")[0];
        foreach (string prefix in new[] { "/p/", "/p/r" })
        {
            Assert.DoesNotMatch("shared:|master:|unbindable", Fields($"{prefix}private"));
            Assert.Contains("shared:", Fields($"{prefix}shared"));
            Assert.Contains("unbindable", Fields($"{prefix}unbindable"));
            Assert.DoesNotContain("shared:", Fields($"{prefix}slave"));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "a slave sees what the host mounts later, a private one does not")]
    public Task What_the_host_mounts_later_reaches_a_slave_alone(string name) => Under(name, async runtime =>
    {
        string source = Directory.CreateDirectory(runtime["source"]).FullName;
        Directory.CreateDirectory(Path.Join(source, "late"));
        (await Shell.RunAsync("mount", "--bind", source, source)).Succeeded();
        try
        {
            (await Shell.RunAsync("mount", "--make-shared", source)).Succeeded();
            Container container = await runtime.StartedAsync(config =>
            {
                config.Script("echo ready; while [ ! -e /slave/late/file ]; do sleep 0.02; done; echo slave; ls /private/late; echo end");
                config.Mount("/slave", "bind", source, "rbind", "rslave");
                config.Mount("/private", "bind", source, "rbind", "rprivate");
            });
            await container.WritesAsync("ready");
            (await Shell.RunAsync("mount", "-t", "tmpfs", "late", Path.Join(source, "late"))).Succeeded();
            await File.WriteAllTextAsync(Path.Join(source, "late/file"), "", Cancellation);
            await container.WritesAsync("end");
            Assert.Equal("ready\nslave\nend\n", container.Output);
        }
        finally
        {
            await Shell.RunAsync("umount", "-l", Path.Join(source, "late"));
            (await Shell.RunAsync("umount", "-l", source)).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-mount-options", "remount changes a mount that is there")]
    public Task A_mount_can_be_changed_by_a_later_entry(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("touch /dev/new; touch /dev/shm/new", config => config.Mount("/dev/shm", "tmpfs", "tmpfs", "remount", "ro", "nosuid"));
        Assert.Contains("/dev/shm/new: Read-only file system", result.Error);
        Assert.DoesNotContain("/dev/new", result.Error);
    });
}
