using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>A container engine with a store of its own, which runs the same scripts with runc and with our runtime.</summary>
public abstract class Engine : IAsyncLifetime
{
    /// <summary>What every script may call: statuses and what is read back become lines of the output.</summary>
    private const string Words = """
        say() { echo "$1 $?"; }
        eventually() { for i in $(seq 100); do [ "$(eval "$1" 2>/dev/null)" = "$2" ] && return 0; sleep 0.1; done; echo "never '$2': $(eval "$1" 2>&1)"; return 1; }
        terminal() { script -qec "$1" /dev/null </dev/null >tty.out; echo "terminal $? $(grep -ao /dev/pts/0 tty.out)"; }
        memory='cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
        pids='cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null'
        cpu='if [ -e /sys/fs/cgroup/cpu.max ]; then cat /sys/fs/cgroup/cpu.max; else echo $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us); fi'

        """;

    private readonly TemporaryDirectory _directory = new();
    private readonly string _token = Guid.NewGuid().ToString("N")[..12];

    /// <summary>A path for the engine's and the test's own files.</summary>
    protected string this[string name] => _directory[name];

    /// <summary>A tree with busybox.</summary>
    protected string Rootfs { get; private set; } = "";

    /// <summary>Where the engine's own files are, by which its containers' bundles and mounts are known.</summary>
    protected virtual string Home => _directory.Path;

    public async ValueTask InitializeAsync()
    {
        Need.Root();
        Need.Programs("runc", "script", "tar");
        Directory.CreateDirectory(_directory["tree"]);
        Rootfs = Bundle.Create(_directory["tree"], "/", change: null).Rootfs;
        await File.WriteAllTextAsync(Path.Join(Rootfs, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        File.CreateSymbolicLink(_directory[RuntimeUnderTest.OciRuntime], Oci.Binary);
        foreach (string runtime in RuntimeUnderTest.All)
        {
            Directory.CreateDirectory(_directory[$"work-{runtime}"]);
        }

        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (string mount in Mounts.Under(_directory.Path).Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        foreach (string runtime in RuntimeUnderTest.All)
        {
            CgroupOf(runtime).Remove();
        }

        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs a script with each runtime, and fails unless both print what is expected and leave nothing.</summary>
    internal async Task BothPrintAsync(string expected, string script)
    {
        ProgramResult[] results = await Task.WhenAll(RuntimeUnderTest.All.Select(runtime => ScriptAsync(runtime, script)));
        foreach ((string runtime, ProgramResult result) in RuntimeUnderTest.All.Zip(results))
        {
            Assert.True(result.Output == $"{expected}\n", $"{runtime} printed\n{result.Output}\nand not\n{expected}\nerrors:\n{result.Error}");
        }

        foreach (string runtime in RuntimeUnderTest.All)
        {
            // an engine may tidy up after its command has returned
            string left = await RuntimeTest.EventuallyAsync(() => LeftAsync(runtime), left => left.Length == 0);
            Assert.True(left.Length == 0, $"{runtime} left {left}");
        }
    }

    /// <summary>The path of a runtime's program.</summary>
    protected string ProgramOf(string runtime) =>
        runtime == RuntimeUnderTest.OciRuntime ? _directory[runtime] : Need.Find(runtime)!;

    /// <summary>The group above those of all containers with a runtime.</summary>
    protected string CgroupParentOf(string runtime) => $"{RuntimeUnderTest.CgroupParent}-{_token}-{runtime}";

    protected abstract Task StartAsync();

    protected virtual Task StopAsync() => Task.CompletedTask;

    /// <summary>The definitions that let a script talk to the engine, with <c>$states</c> for how the runtime's states are listed.</summary>
    protected abstract string Definitions(string runtime);

    private Cgroup CgroupOf(string runtime) => new(CgroupParentOf(runtime));

    private Task<ProgramResult> ScriptAsync(string runtime, string script) => Shell.RunAsync("sh", "-c", $"""
        cd '{_directory[$"work-{runtime}"]}'
        rootfs='{Rootfs}'
        {Definitions(runtime)}
        {Words}
        {script}
        """);

    private async Task<string> LeftAsync(string runtime)
    {
        ProgramResult states = await Shell.RunAsync("sh", "-c", $"{Definitions(runtime)}\n$states");
        IEnumerable<string> mounts = Mounts.Under(Home)
            .Where(mount => mount.EndsWith("/merged", StringComparison.Ordinal) || mount.EndsWith("/rootfs", StringComparison.Ordinal) || mount.EndsWith("/shm", StringComparison.Ordinal));
        // conmon's own group is podman's affair
        IEnumerable<string> groups = CgroupOf(runtime).Children.Where(group => group != "conmon");
        return string.Join(' ', [.. states.Succeeded().Lines.Where(line => line.Contains(Home, StringComparison.Ordinal)), .. mounts, .. groups]);
    }
}
