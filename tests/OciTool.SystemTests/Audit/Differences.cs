namespace OciTool.SystemTests.Audit;

/// <summary>Where a container of ours is meant to differ from podman's, with the reason.</summary>
internal static class Differences
{
    /// <summary>Verdict and reason by property; a difference that is not here fails the audit.</summary>
    public static readonly SortedDictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["namespace cgroup"] = "stricter: its own on every host, where podman has the host's under cgroup v1",
        ["control group that is seen"] = "stricter: follows from the namespace",
        ["writing /sys/fs/cgroup"] = "stricter: under cgroup v1, podman's directory above the controllers is a file system that can be written",
        ["reading /proc/interrupts"] = "stricter: tells of keystrokes; newer runtimes hide it, too",
        ["status Groups"] = "stricter: its own group is among the supplementary ones, so that a file can be closed to it (CVE-2022-36109)",
    };

    /// <summary>What another host says differently: the document does not hold podman's value.</summary>
    public static readonly string[] DependOnTheHost = ["namespace cgroup", "control group that is seen", "writing /sys/fs/cgroup"];
}
