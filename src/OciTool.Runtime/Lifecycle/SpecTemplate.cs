using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>The configuration that <c>spec</c> writes: a shell in namespaces of its own.</summary>
public static class SpecTemplate
{
    private static readonly string[] Capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    /// <summary>Makes it.</summary>
    public static RuntimeSpec Make() => new(RuntimeSpec.Version)
    {
        Process = new("/", new(0, 0))
        {
            Terminal = true,
            Args = ["sh"],
            Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            Capabilities = new() { Bounding = Capabilities, Effective = Capabilities, Permitted = Capabilities },
            Rlimits = [new("RLIMIT_NOFILE", 1024, 1024)],
            NoNewPrivileges = true,
        },
        Root = new("rootfs") { Readonly = true },
        Hostname = "oci",
        Mounts =
        [
            new("/proc") { Type = "proc", Source = "proc" },
            new("/dev") { Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            new("/dev/pts") { Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            new("/dev/shm") { Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
            new("/dev/mqueue") { Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
            new("/sys") { Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
            new("/sys/fs/cgroup") { Type = "cgroup", Source = "cgroup", Options = ["nosuid", "noexec", "nodev", "relatime", "ro"] },
        ],
        Linux = new()
        {
            Resources = new() { Devices = [new(false) { Access = "rwm" }] },
            Namespaces = [new("pid"), new("network"), new("ipc"), new("uts"), new("mount"), new("cgroup")],
            MaskedPaths =
            [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi", "/proc/interrupts",
                "/sys/devices/virtual/powercap",
            ],
            ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    };
}
