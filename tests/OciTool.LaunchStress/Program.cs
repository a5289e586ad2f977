using System.Diagnostics;
using System.Runtime.InteropServices;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;

namespace OciTool.LaunchStress;

/// <summary>Usage: ROOTFS COUNT THREADS [-t] [-i] COMMAND…: the time and the number of failures go to standard error.</summary>
/// <remarks>The threads allocate; with any, another one sends signals to this process. A descriptor or a child that is left over is a failure.</remarks>
internal static class Program
{
    private static volatile byte[]? _garbage;

    private static int Main(string[] args)
    {
        if (args is [InitProcess.Verb, ..])
        {
            return InitProcess.Run(args);
        }

        int count = int.Parse(args[1]);
        for (int i = int.Parse(args[2]); i > 0; i--)
        {
            new Thread(Allocate) { IsBackground = true }.Start();
        }

        using PosixSignalRegistration signals = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => _garbage = new byte[100]);
        if (args[2] != "0")
        {
            new Thread(Signal) { IsBackground = true }.Start();
        }

        Stopwatch clock = Stopwatch.StartNew();
        int descriptors = 0;
        long slowest = 0;
        int status = 0;
        int failures = 0;
        for (int i = 0; i < count; i++)
        {
            long before = clock.ElapsedMilliseconds;
            status = Launch(args);
            failures += status == 0 ? 0 : 1;
            if (i == 0)
            {
                descriptors = Descriptors(); // what the first launch has opened for good
            }

            slowest = Math.Max(slowest, clock.ElapsedMilliseconds - before);
        }

        int left = Descriptors() - descriptors;
        string children = File.ReadAllText($"/proc/self/task/{Environment.ProcessId}/children");
        if (left > 0 || children.Length > 0)
        {
            Console.Error.WriteLine($"Error: {left} descriptors and the children '{children}' are left over");
            status = 1;
        }

        if (count > 1)
        {
            Console.Error.WriteLine(
                $"{count} launches, {failures} failures, {clock.Elapsed.TotalMilliseconds / count:F2} ms each, slowest {slowest} ms");
        }

        return failures > 0 && status == 0 ? 1 : status; // every launch counts, not the last alone
    }

    private static int Launch(string[] args)
    {
        try
        {
            using RootDirectory root = DetachedMount.Create(new Mount("bind", args[0], []));
            string[] command = [.. args.Skip(3).SkipWhile(word => word is "-t" or "-i")];
            string[] options = [.. args[3..].TakeWhile(word => word.StartsWith('-'))];
            using MainProcess process = MainProcess.Start(options.Contains("-i"), options.Contains("-t"));
            return process.Run(new ContainerLaunch
            {
                Id = "stress",
                Rootfs = root,
                Spec = Specification(command),
            });
        }
        catch (Exception e) when (e is OciException or IOException)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return (e as OciException)?.ExitCode ?? 125;
        }
    }

    private static RuntimeSpec Specification(string[] command) => new(RuntimeSpec.Version)
    {
        Hostname = "stress",
        Process = new("/", new(0, 0))
        {
            Args = command,
            Env = ["PATH=/bin:/usr/bin", "HOME=/"],
            Rlimits = [new("RLIMIT_NOFILE", 1 << 30, 1 << 30)],
            Capabilities = new() { Bounding = ["CAP_CHOWN"], Permitted = ["CAP_CHOWN"], Effective = ["CAP_CHOWN"] },
        },
        Mounts =
        [
            new("/proc") { Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
            new("/dev") { Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"] },
            new("/sys") { Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
            new("/dev/pts") { Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            new("/dev/shm") { Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=64000k"] },
            new("/dev/mqueue") { Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
            new("/sys/fs/cgroup") { Type = "cgroup", Source = "cgroup", Options = ["rprivate", "nosuid", "noexec", "nodev", "relatime", "ro"] },
        ],
        Linux = new()
        {
            Namespaces = [new("mount"), new("pid"), new("ipc"), new("uts"), new("network"), new("cgroup")],
            MaskedPaths = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/sys/dev/block"],
            ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    };

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static void Signal()
    {
        using ProcessHandle self = new(Environment.ProcessId);
        while (true)
        {
            self.TrySignal(Signals.WindowChanged);
            Thread.Sleep(1);
        }
    }

    private static void Allocate()
    {
        for (int i = 0; ; i++)
        {
            _garbage = new byte[1000 + (i % 5000)];
            if (i % 200 == 0)
            {
                GC.Collect(0);
            }
        }
    }
}
