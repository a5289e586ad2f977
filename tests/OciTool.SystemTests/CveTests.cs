using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Attacks that succeeded against other tools, made through <c>oci run</c>; those that other tests make have the attribute there.</summary>
public sealed class CveTests(Machine machine) : OciTest(machine)
{
    private const string Secret = "a-secret-of-the-host";

    private static int Rounds => int.Parse(
        Environment.GetEnvironmentVariable("OCI_RACE_ROUNDS") is { Length: > 0 } rounds ? rounds : "60", CultureInfo.InvariantCulture);

    private string Canary => Oci["canary"];

    [Fact]
    [Cve("CVE-2021-30465", "a link is swapped for the mount point between the check and the mount, in a volume that two containers share")]
    [Cve("CVE-2024-45310", "the same while the mount point is made: empty files and directories on the host")]
    [Trait("Pace", "slow")]
    public async Task A_mount_point_that_is_swapped_for_a_link_meanwhile_does_not_lead_to_the_host()
    {
        string before = await PlantAsync();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string shared = Directory.CreateDirectory(Oci["shared"]).FullName;
        string volume = Directory.CreateDirectory(Oci["volume"]).FullName;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<int> swaps = Task.Factory.StartNew(
            () => Swap(Path.Join(shared, "point"), stop.Token), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        int started = 0;

        for (int round = 0; round < Rounds; round++)
        {
            ProgramResult run = await Oci.RunAsync(
                "run", "--rm", "--network", "none", "-v", $"{shared}:/shared", "-v", $"{volume}:/shared/point/made", "--tmpfs", "/shared/point/other",
                image, "touch", "/shared/point/made/x", "/shared/point/other/x");
            started += run.Status == 0 ? 1 : 0;
        }

        await stop.CancelAsync();
        Assert.True(await swaps > Rounds, $"the links were swapped {await swaps} times only");
        Assert.True(started > 0, "no container started: nothing was raced");
        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    [Cve("CVE-2022-23648", "a volume that the image declares leads to a directory of the host, whose content is copied into it")]
    public async Task A_volume_that_an_image_declares_shows_nothing_of_the_host()
    {
        string before = await PlantAsync();
        string up = string.Concat(Enumerable.Repeat("../", 16));
        TestImage image = Machine.Images.With(
            new Layer().Symlink("link", Canary).Symlink("above", up + Canary[1..]),
            config => config["Volumes"] = new JsonObject
            {
                ["/link"] = new JsonObject(),
                ["/above/directory"] = new JsonObject(),
                [$"/{up}{Canary[1..]}"] = new JsonObject(),
                [Canary] = new JsonObject(),
            });
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        ProgramResult run = await Oci.RunAsync(
            "run", "-q", "--rm", registry.Image, "sh", "-c", $"cat /link/secret /above/secret {Canary}/secret; touch /link/x {Canary}/x; true");

        Assert.DoesNotContain(Secret, run.Output, StringComparison.Ordinal);
        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    [Cve("CVE-2020-1726", "what the image has at a volume's place replaces the files that are in the volume")]
    public async Task What_an_image_has_at_a_volumes_place_does_not_reach_the_volume()
    {
        string before = await PlantAsync();
        TestImage image = Machine.Images.With(
            new Layer().Directory("data").File("data/secret", "of the image").File("data/more", "of the image"),
            config => config["Volumes"] = new JsonObject { ["/data"] = new JsonObject() });
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        ProgramResult run = await Oci.RunAsync("run", "-q", "--rm", "-v", $"{Canary}:/data", registry.Image, "cat", "/data/secret");

        Assert.Equal(Secret, run.Succeeded().Output);
        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    [Cve("CVE-2023-25809", "/sys/fs/cgroup can be written, so that a container changes the limits of others")]
    public async Task No_control_group_can_be_written()
    {
        ProgramResult run = await ScriptAsync(
            """
            find /sys/fs/cgroup -maxdepth 2 -type d | while read directory; do mkdir $directory/x 2>/dev/null && echo $directory; done
            find /sys/fs/cgroup -maxdepth 2 -name '*.max' -o -name cgroup.procs -o -name release_agent | while read file; do (: >> $file) 2>/dev/null && echo $file; done
            find /sys/fs/cgroup -name cgroup.procs | wc -l
            """);

        // one line: how many there are to try
        Assert.True(int.Parse(Assert.Single(run.Succeeded().Lines), CultureInfo.InvariantCulture) > 0);
    }

    [Fact]
    [Cve("CVE-2024-21626", "the working directory is a descriptor of the host that the runtime left open")]
    public async Task A_working_directory_by_a_descriptor_does_not_lead_to_the_host()
    {
        string before = await PlantAsync();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string up = string.Concat(Enumerable.Repeat("../", 20));
        string steal = $"cat {up}{Canary[1..]}/secret; touch {up}{Canary[1..]}/x; true";

        for (int descriptor = 0; descriptor <= 30; descriptor++)
        {
            ProgramResult byFlag = await Oci.RunAsync(
                "run", "--rm", "--network", "none", "-w", $"/proc/self/fd/{descriptor}", image, "sh", "-c", steal);
            Assert.True(byFlag.Status is 0 or 125 or 126 or 127, byFlag.ToString());
            Assert.DoesNotContain(Secret, byFlag.Output, StringComparison.Ordinal);
        }

        TestImage hostile = Machine.Images.With(config => config["WorkingDir"] = "/proc/self/fd/7");
        await using FaultRegistry registry = await FaultRegistry.StartAsync(hostile);
        ProgramResult byImage = await Oci.RunAsync("run", "--rm", "-q", registry.Image, "sh", "-c", steal);
        Assert.DoesNotContain(Secret, byImage.Output, StringComparison.Ordinal);
        Assert.Equal(before, await Tree.HashAsync(Canary));
    }

    [Fact]
    [Cve("CVE-2020-15257", "an abstract socket of the engine, which a container on the host's network can call")]
    public async Task No_process_of_ours_listens_on_a_socket_that_a_container_can_reach()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using RunningProgram run = Oci.Start("run", "--rm", "-i", "--network", "host", image, "sh", "-c", "echo ready; cat", marker);
        await run.OutputHasAsync("ready");

        string[] sockets = [.. Processes.With(Oci.Root, marker).SelectMany(process => SocketsOf(process.Id))];
        string[] reachable = [.. File.ReadLines("/proc/net/unix").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 7 && words[7].StartsWith('@') && sockets.Contains(words[6])).Select(words => words[7])];
        run.Input.Close();
        (await run.EndAsync()).Succeeded();

        Assert.Empty(reachable);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1000")]
    [InlineData("guest")]
    [InlineData("1000:10")]
    [InlineData("65534:65534")]
    [Cve("CVE-2022-36109", "the own group is missing among the supplementary ones, so that what is closed to it opens")]
    public async Task The_own_group_is_among_the_supplementary_ones_and_no_group_of_the_host(string user)
    {
        ProgramResult run = await RunInPlainAsync(["--user", user], "sh", "-c", "grep -E '^(Gid|Groups):' /proc/self/status");

        string[] lines = run.Succeeded().Lines;
        string own = lines[0].Split('\t')[1];
        string[] groups = lines[1].Split('\t')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(own, groups);
        Assert.Empty(groups.Except([own, "10"])); // wheel, of which the image makes guest a member
    }

    [Theory]
    [InlineData("4294967296")]
    [InlineData("2147483648")]
    [InlineData("-1")]
    [InlineData("1000:4294967296")]
    [Cve("CVE-2024-40635", "a number beyond the range of IDs wraps around to root")]
    [Cve("CVE-2026-46680", "the same by the image's own user, with an account of that name")]
    public async Task A_user_out_of_range_is_refused_wherever_it_comes_from(string user)
    {
        string name = user.Split(':')[^1];
        TestImage image = Machine.Images.With(
            new Layer().Directory("etc").File("etc/passwd", $"{name}:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n").File("etc/group", $"{name}:x:0:\n"),
            config => config["User"] = user);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        await Oci.PullAsync(registry.Image);

        Failed(await Oci.RunAsync("run", "--rm", registry.Image, "id"), 126, "range");
        Failed(await Oci.RunAsync("run", "--rm", $"--user={user}", registry.Image, "id"), 126, "range");
    }

    [Fact]
    [Cve("CVE-2018-10892", "/proc/acpi is not hidden, through which a container switches devices of the host")]
    [Cve("CVE-2020-8694", "the power meter of the processor is not hidden, which tells what others compute")]
    public async Task What_tells_of_or_switches_the_hosts_hardware_is_hidden_where_it_is()
    {
        ProgramResult run = await ScriptAsync(
            """
            mounted() { grep -c " $1 " /proc/self/mountinfo; }
            for path in /proc/acpi /sys/devices/virtual/powercap /sys/firmware /proc/interrupts; do
              [ -e $path ] || continue
              [ "$(mounted $path)" = 1 ] || echo "$path is not covered"
              [ -d $path ] && [ -n "$(ls -A $path)" ] && echo "$path is not empty"
              [ -d $path ] && touch $path/x 2>/dev/null && echo "$path can be written"
            done
            echo looked at $(mounted /sys/firmware)
            """);

        Assert.Equal(["looked at 1"], run.Succeeded().Lines);
    }

    [Fact]
    [Cve("TIOCSTI", "a container types on the terminal of who started it")]
    public async Task The_terminal_of_the_caller_is_not_the_containers()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        const string Script = "for fd in 0 1 2; do readlink /proc/self/fd/$fd; done; (: < /dev/tty) 2>/dev/null && echo controlled; stat -c 'devpts %d' /dev/pts; echo end";
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "oci run --rm \"$1\" sh -c \"$2\"; echo first; oci run --rm -t \"$1\" sh -c \"$2\"; stat -c 'ours %d' /dev/pts; echo done", image, Script);

        string[] shown = (await terminal.ShowsAsync("done\r")).ReplaceLineEndings("\n").Split('\n');

        string[] without = shown[1..Array.IndexOf(shown, "first")]; // the terminal names itself before
        Assert.DoesNotContain(without, line => line.Contains("/dev/pts/", StringComparison.Ordinal) || line == "controlled");
        string[] with = shown[Array.IndexOf(shown, "first")..];
        Assert.Equal(3, with.Count(line => line == "/dev/pts/0"));
        string ours = Assert.Single(with, line => line.StartsWith("ours ", StringComparison.Ordinal))["ours ".Length..];
        Assert.DoesNotContain($"devpts {ours}", shown);
        Assert.Equal(2, shown.Count(line => line.StartsWith("devpts ", StringComparison.Ordinal)));
    }

    private static int Swap(string point, CancellationToken stop)
    {
        string canary = Path.Join(Path.GetDirectoryName(Path.GetDirectoryName(point)), "canary");
        int swaps = 0;
        for (int attempt = 0; !stop.IsCancellationRequested; attempt++)
        {
            try
            {
                string aside = $"{point}.{attempt}"; // a new name each time: what an attempt leaves must not stop the next one
                Directory.CreateDirectory(point);
                Directory.Move(point, aside);
                File.CreateSymbolicLink(point, swaps % 3 == 0 ? canary : $"../../../../../../../..{canary}");
                Thread.SpinWait(2000);
                File.Delete(point);
                Directory.Delete(aside, recursive: true);
                swaps++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // a container has made or mounted something there meanwhile
                Thread.Yield();
            }
        }

        return swaps;
    }

    private static IEnumerable<string> SocketsOf(int process)
    {
        foreach (string descriptor in Directory.GetFileSystemEntries($"/proc/{process}/fd"))
        {
            if (new FileInfo(descriptor).LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal))
            {
                yield return target["socket:[".Length..^1];
            }
        }
    }

    private async Task<string> PlantAsync()
    {
        Directory.CreateDirectory($"{Canary}/directory");
        await File.WriteAllTextAsync($"{Canary}/secret", Secret, Cancellation);
        return await Tree.HashAsync(Canary);
    }
}
