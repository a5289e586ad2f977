using System.Diagnostics;
using System.Globalization;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A process that is killed anywhere leaves a store that the next one goes on with.</summary>
public sealed class KillTests(Machine machine) : OciTest(machine)
{
    private static readonly int[] Rounds = [1, 2, 3, 4, 5, 7, 10, 15];

    /// <summary>The calls at which the phases of a pull begin or end.</summary>
    [Theory]
    [InlineData("connect")]
    [InlineData("flock")]
    [InlineData("pwrite64")]
    [InlineData("fdatasync,syncfs,fsync")]
    [InlineData("rename,renameat,renameat2")]
    [InlineData("mkdir,mkdirat")]
    [InlineData("unlink,unlinkat")]
    [Fault(1, "killed with -9 at any step of a pull, nothing is listed half and the next pull goes on from the bytes that are there")]
    public async Task A_pull_that_is_killed_at_a_system_call_is_gone_on_with(string call)
    {
        TestImage image = Machine.Images.WithRandomLayers(3, 300_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        foreach (int round in Rounds)
        {
            ProgramResult pull = await Oci.InjectAsync(call, $"signal=SIGKILL:when={round}", "pull", "-q", name);
            if (pull.Status == 0)
            {
                return; // it makes this call less often
            }

            Assert.Equal("", pull.Output);
            Oci.StoreIsWhole();
            (await Oci.RunAsync("images", "-q")).Succeeded();
            Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", name)).Succeeded().Output);
            await Oci.StoreIsCleanAsync(name);
            Directory.Delete(Oci.Root, recursive: true);
        }
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    [Fault(1, "killed with -9 in the middle of a blob, the next pull asks for the rest alone and hashes all of it")]
    public async Task The_bytes_of_a_killed_download_are_not_fetched_again(double part)
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 3_000_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        Blob layer = image.Layer(1);
        string partial = Path.Join(Oci.Root, "ingest", layer.Digest.Replace(':', '-'));
        registry.Rest = TimeSpan.FromMilliseconds(20);
        using (RunningProgram pull = Oci.Start("pull", "-q", name))
        {
            while (!File.Exists(partial) || new FileInfo(partial).Length < layer.Content.Length * part)
            {
                await Task.Delay(5, Cancellation);
            }

            await pull.SignalAsync("KILL");
            await pull.EndAsync();
        }

        long kept = new FileInfo(partial).Length;
        registry.Rest = TimeSpan.Zero;
        registry.Forget();
        await Oci.PullAsync(name);

        // the other blobs may be asked for by the dead still, whose requests wait in the registry
        string asked = Assert.Single(registry.Requests, request => request.Contains(layer.Digest, StringComparison.Ordinal));
        Assert.EndsWith($"{layer.Digest} [bytes={kept}-]", asked, StringComparison.Ordinal);
        await Oci.StoreIsCleanAsync(name);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [Fault(2, "SIGINT and SIGTERM end a pull within a second with status 130 or 143; what has arrived is kept")]
    public async Task A_signal_ends_a_pull_at_once_and_keeps_what_has_arrived(string signal, int status)
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 3_000_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        registry.Rest = TimeSpan.FromMilliseconds(50);
        string partial = Path.Join(Oci.Root, "ingest", image.Layer(1).Digest.Replace(':', '-'));
        using RunningProgram pull = Oci.Start("pull", "-q", name);
        while (!File.Exists(partial) || new FileInfo(partial).Length < 100_000)
        {
            await Task.Delay(5, Cancellation);
        }

        await pull.SignalAsync(signal);
        ProgramResult ended = await pull.EndAsync(TimeSpan.FromSeconds(10)); // a second, on a machine that does nothing else

        Assert.Equal(status, ended.Status);
        Assert.InRange(new FileInfo(partial).Length, 100_000, 3_000_000);
        registry.Rest = TimeSpan.Zero;
        registry.Forget();
        await Oci.PullAsync(name);
        Assert.Contains(registry.BlobRequests, request => request.Contains("[bytes=", StringComparison.Ordinal));
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(2, "a signal during a sync that takes long is not waited out")]
    public async Task A_signal_does_not_wait_for_a_slow_disk()
    {
        Need.Programs("strace");
        string name = await Machine.PlainAsync();
        string pidFile = Oci["pid"];
        using RunningProgram pull = RunningProgram.Start(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:delay_enter=30000000",
                "sh", "-c", "echo $$ > \"$0\"; exec \"$@\"", pidFile, Oci.Binary, .. Oci.Arguments("pull", "-q", name)],
            Oci.CleanEnvironment());
        while (Directory.Exists(Path.Join(Oci.Root, "ingest")) is false || Directory.GetFiles(Path.Join(Oci.Root, "ingest")).Length == 0)
        {
            await Task.Delay(10, Cancellation);
        }

        await Task.Delay(1000, Cancellation);
        long start = Stopwatch.GetTimestamp();
        string pid = (await File.ReadAllTextAsync(pidFile, Cancellation)).Trim();
        (await Shell.RunAsync("kill", "-TERM", pid)).Succeeded();
        while (!HasEnded(pid))
        {
            Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 20);
            await Task.Delay(20, Cancellation);
        }

        Assert.Equal(143, (await pull.EndAsync()).Status);
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    // strace keeps the thread that it delays, but no other
    private static bool HasEnded(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/status").Contains("State:\tZ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    [Theory]
    [InlineData("rename,renameat,renameat2")]
    [InlineData("unlink,unlinkat")]
    [InlineData("fsync,fdatasync")]
    [Fault(1, "a removal that is killed leaves the image, or nothing of it; the next removal or pull puts it right")]
    public async Task A_removal_that_is_killed_at_a_system_call_is_gone_on_with(string call)
    {
        string name = await Machine.PlainAsync();
        foreach (int round in Rounds)
        {
            await Oci.PullAsync(name);
            ProgramResult removal = await Oci.InjectAsync(call, $"signal=SIGKILL:when={round}", "rmi", name);
            if (removal.Status == 0)
            {
                return;
            }

            Oci.StoreIsWhole();
            string[] listed = (await Oci.RunAsync("images", "-q")).Succeeded().Lines;
            if (listed.Length > 0)
            {
                (await Oci.RunAsync("run", "--rm", name, "true")).Succeeded();
            }

            await Oci.PullAsync(name);
            await Oci.StoreIsCleanAsync(name);
        }
    }

    [Fact]
    [Fault(1, "a container whose runner is killed with -9 before it is whole, or with --rm, is swept by the next pull or removal")]
    public async Task Containers_of_killed_runs_are_swept()
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());
        foreach (int round in Rounds)
        {
            ProgramResult run = await Shell.RunAsync(
                "strace",
                ["-qq", "-o", "/dev/null", "-e", "trace=rename,unlink,rmdir", "-e",
                    string.Create(CultureInfo.InvariantCulture, $"inject=rename,unlink,rmdir:signal=SIGKILL:when={round}"),
                    Oci.Binary, .. Oci.Arguments("run", "--rm", name, "true")],
                Oci.CleanEnvironment());
            if (run.Status == 0)
            {
                break;
            }

            await Processes.GoneAsync([Oci.Root], TimeSpan.FromSeconds(10));
            await Oci.PullAsync(name);
            await Oci.StoreIsCleanAsync(name);
            Assert.Empty((await Oci.RunAsync("ps", "-aq")).Succeeded().Lines);
        }
    }
}
