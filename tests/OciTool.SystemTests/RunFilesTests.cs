using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>The files of a container: volumes, temporary and read-only file systems, /proc, /sys, /dev and /etc.</summary>
public sealed class RunFilesTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task A_volume_is_the_directory_of_the_host()
    {
        Directory.CreateDirectory(Oci["data"]);
        await File.WriteAllTextAsync(Oci["data/in"], "from host", Cancellation);

        ProgramResult run = await ScriptAsync("cat /made/mount/point/in; echo out > /made/mount/point/out",
            "-v", $"{Oci["data"]}:/made/mount/point");

        Assert.Equal("from host", run.Succeeded().Output);
        Assert.Equal("out\n", await File.ReadAllTextAsync(Oci["data/out"], Cancellation));
    }

    [Fact]
    public async Task A_read_only_volume_cannot_be_written()
    {
        Directory.CreateDirectory(Oci["data"]);

        ProgramResult run = await ScriptAsync("touch /data/x", "-v", $"{Oci["data"]}:/data:ro");

        Assert.Equal(1, run.Status);
        Assert.Contains("Read-only file system", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Oci["data"]));
    }

    [Fact]
    public async Task A_single_file_can_be_a_volume()
    {
        await File.WriteAllTextAsync(Oci["file"], "mine", Cancellation);

        ProgramResult run = await ScriptAsync("cat /etc/redhat-release", "-v", $"{Oci["file"]}:/etc/redhat-release:ro");

        Assert.Equal("mine", run.Succeeded().Output);
    }

    [Fact]
    public async Task A_volume_that_is_absent_on_the_host_is_one_clear_error()
    {
        Failed(await RunInPlainAsync(["-v", $"{Oci["absent"]}:/data"], "true"), 125, "absent.*no such file or directory");
        Assert.False(Directory.Exists(Oci["absent"]));
    }

    [Fact]
    public async Task A_tmpfs_is_empty_writable_and_not_executable_by_default()
    {
        ProgramResult run = await ScriptAsync("grep ' /scratch ' /proc/mounts; touch /scratch/x; ls /scratch", "--tmpfs", "/scratch");

        Assert.Matches("^tmpfs /scratch tmpfs rw,nosuid,nodev", run.Succeeded().Lines[0]);
        Assert.Equal("x", run.Lines[1]);
    }

    [Fact]
    public async Task A_tmpfs_takes_options()
    {
        ProgramResult run = await ScriptAsync("grep ' /scratch ' /proc/mounts", "--tmpfs", "/scratch:size=1m,mode=700");

        Assert.Contains("size=1024k", run.Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("mode=700", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_container_can_write_to_its_temporary_file_systems_only()
    {
        ProgramResult run = await ScriptAsync("touch /x && echo rootfs; touch /dev/shm/x && echo shm; touch /etc/x && echo etc", "--read-only");

        Assert.Equal("shm\n", run.Output);
        Assert.Contains("Read-only file system", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_container_writes_is_gone_in_the_next_one()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        (await Oci.RunAsync("run", "--rm", image, "sh", "-c", "echo x > /new; rm /etc/redhat-release")).Succeeded();

        ProgramResult second = await Oci.RunAsync("run", "--rm", image, "sh", "-c", "ls /new; cat /etc/redhat-release");

        Assert.Equal("Fedora release 34 (Thirty Four)\n", second.Output);
        await Oci.BlobsAreWholeAsync();
    }

    [Fact]
    public async Task The_default_devices_are_there_and_no_other()
    {
        ProgramResult run = await ScriptAsync("cd /dev && stat -c '%n %F %a %t:%T' null zero full random urandom tty; ls");

        Assert.Equal(
            [
                "null character special file 666 1:3", "zero character special file 666 1:5",
                "full character special file 666 1:7", "random character special file 666 1:8",
                "urandom character special file 666 1:9", "tty character special file 666 5:0",
            ],
            run.Succeeded().Lines[..6]);
        Assert.Equal(
            ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"],
            run.Lines[6..].Where(name => name is not ("core" or "console")));
    }

    [Fact]
    public async Task The_pseudo_file_systems_are_mounted_as_podman_mounts_them()
    {
        ProgramResult run = await RunInPlainAsync([], "cat", "/proc/mounts");

        Dictionary<string, string[]> mounts = run.Succeeded().Lines.Select(line => line.Split(' '))
            .GroupBy(fields => fields[1]).ToDictionary(group => group.Key, group => group.Last());
        Assert.Equal("overlay", mounts["/"][2]);
        foreach ((string path, string type, string options) in new[]
        {
            ("/proc", "proc", "nosuid,nodev,noexec"), ("/dev", "tmpfs", "nosuid"),
            ("/dev/pts", "devpts", "nosuid,noexec"), ("/dev/shm", "tmpfs", "nosuid,nodev,noexec"),
            ("/dev/mqueue", "mqueue", "nosuid,nodev,noexec"), ("/sys", "sysfs", "nosuid,nodev,noexec"),
        })
        {
            Assert.Equal(type, mounts[path][2]);
            Assert.Subset(mounts[path][3].Split(',').ToHashSet(), options.Split(',').ToHashSet());
        }

        Assert.Contains("size=64000k", mounts["/dev/shm"][3], StringComparison.Ordinal);
        Assert.Contains("ro", mounts["/sys"][3].Split(','));
    }

    [Fact]
    public async Task Masked_files_are_empty()
    {
        string[] files = [.. new[] { "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug" }.Where(File.Exists)];
        Assert.NotEmpty(files);

        ProgramResult run = await RunInPlainAsync([], ["stat", "-c", "%n %t:%T", .. files]);

        Assert.Equal(files.Select(file => $"{file} 1:3"), run.Succeeded().Lines);
    }

    [Fact]
    public async Task Masked_directories_are_empty_and_read_only()
    {
        string[] directories = [.. new[] { "/sys/firmware", "/proc/scsi", "/proc/acpi" }.Where(Directory.Exists)];
        Assert.NotEmpty(directories);

        ProgramResult run = await ScriptAsync(
            $"for directory in {string.Join(' ', directories)}; do ls -A $directory; touch $directory/x && echo written; done; true");

        Assert.Equal("", run.Succeeded().Output);
    }

    [Theory]
    [InlineData("/proc/sys/kernel/hostname")]
    [InlineData("/proc/sys/vm/drop_caches")]
    [InlineData("/proc/irq/default_smp_affinity")]
    public async Task A_kernel_setting_cannot_be_written(string path)
    {
        ProgramResult run = await ScriptAsync($": > {path}");

        Assert.NotEqual(0, run.Status);
        Assert.Contains("Read-only file system", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Privileged_unmasks_the_kernel_and_shows_the_devices_of_the_host()
    {
        ProgramResult run = await ScriptAsync("test -w /proc/sys/vm/drop_caches && echo writable; wc -c < /proc/timer_list; ls /dev | wc -l; grep -i '^capeff\\|^seccomp:' /proc/self/status", "--privileged");

        Assert.Equal("writable", run.Succeeded().Lines[0]);
        Assert.True(int.Parse(run.Lines[2], System.Globalization.CultureInfo.InvariantCulture) > 14, run.ToString());
        Assert.Contains("Seccomp:\t0", run.Lines);
    }

    [Fact]
    public async Task The_network_files_are_the_containers_own()
    {
        ProgramResult run = await ScriptAsync(
            "hostname; cat /etc/hostname; cat /etc/hosts", "--hostname", "box", "--network", "none");

        Assert.Equal(["box", "box"], run.Succeeded().Lines[..2]);
        Assert.Matches(@"127\.0\.0\.1\s+localhost", run.Output);
        Assert.Matches(@"\sbox(\s|$)", run.Output);
    }

    [Fact]
    public async Task The_name_servers_of_the_host_serve_a_container_on_its_network()
    {
        string expected = (await File.ReadAllLinesAsync("/etc/resolv.conf", Cancellation))
            .First(line => line.StartsWith("nameserver", StringComparison.Ordinal));

        ProgramResult run = await RunInPlainAsync(["--network", "host"], "cat", "/etc/resolv.conf");

        Assert.Contains(expected, run.Succeeded().Lines);
    }

    [Fact]
    public async Task The_host_name_is_the_short_id_unless_one_is_given()
    {
        ProgramResult run = await RunInPlainAsync(["--cidfile", Oci["cid"], "--network", "none"], "hostname");

        Assert.Equal($"{(await File.ReadAllTextAsync(Oci["cid"], Cancellation))[..12]}\n", run.Succeeded().Output);
    }
}
