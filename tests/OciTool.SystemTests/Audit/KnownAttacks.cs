namespace OciTool.SystemTests.Audit;

/// <summary>The attacks on container tools that matter here; docs/security.md says what comes of each.</summary>
internal static class KnownAttacks
{
    /// <summary>Each has a test with a <see cref="CveAttribute"/>, or a reason below.</summary>
    public static readonly string[] Ids =
    [
        // mounts and paths
        "CVE-2021-30465", "CVE-2024-45310", "CVE-2025-52881", "CVE-2019-19921", "CVE-2023-27561", "CVE-2026-41579", "CVE-2026-47766",
        "CVE-2026-55686", "CVE-2022-23648", "CVE-2024-1753", "CVE-2024-9341", "CVE-2024-9407", "CVE-2024-9675", "CVE-2025-9566",
        "CVE-2023-0778", "CVE-2020-1726", "CVE-2023-25809", "CVE-2018-15664", "CVE-2019-14271",
        // /proc and the console
        "CVE-2025-31133", "CVE-2025-52565", "CVE-2019-16884", "CVE-2023-28642", "CVE-2018-10892", "CVE-2020-8694",
        // descriptors and the binary
        "CVE-2024-21626", "CVE-2016-9962", "CVE-2019-5736", "CVE-2022-0847", "CVE-2020-15257", "CVE-2020-27534", "CVE-2022-1227",
        "CVE-2021-43784",
        // capabilities, users, environment, terminals
        "CVE-2022-27649", "CVE-2022-27650", "CVE-2022-29162", "CVE-2022-24769", "CVE-2022-36109", "CVE-2023-25173", "CVE-2016-3697",
        "CVE-2024-40635", "CVE-2026-46680", "CVE-2024-9676", "CVE-2026-47262", "CVE-2026-30892", "CVE-2026-57231", "CVE-2021-3602",
        "CVE-2020-14370", "TIOCSTI",
    ];

    /// <summary>What is not as it should be.</summary>
    public static readonly string[] Weaknesses =
    [
        "`oci-runtime create` of a container that joins another one's PID namespace by its path: its first process is seen in there before its root is the container's, and a process of the other container that holds CAP_SYS_PTRACE in the same user namespace could look into it. `exec` has no such moment (`RuntimeCveTests.Nor_by_a_container_that_may_trace`).",
    ];

    /// <summary>Why there is nothing to test.</summary>
    public static readonly SortedDictionary<string, string> WithoutTest = new(StringComparer.Ordinal)
    {
        ["CVE-2018-15664"] = "a race with links in `docker cp`: there is no verb that copies into or out of a container",
        ["CVE-2020-27534"] = "a temporary directory of a builder named by its input: nothing is built here",
        ["CVE-2021-43784"] = "a length that overflows in the netlink message to the init process: there is no netlink between them; the plan goes over a socket, and every length in it is checked (`InitPlanTests`)",
        ["CVE-2022-0847"] = "a fault of the kernel (Dirty Pipe): a read-only mount does not protect from it, kernels from 5.16.11, 5.15.25 and 5.10.102 do",
        ["CVE-2022-1227"] = "`podman top` ran a program of the image with the host's rights: no verb runs a program of an image other than as the container",
        ["CVE-2023-0778"] = "a link in a volume that is exported: there is no export of volumes",
        ["CVE-2024-1753"] = "a mount in a Containerfile: nothing is built here",
        ["CVE-2024-9341"] = "a link at the place of the host's FIPS policy in the image: nothing of the host is mounted there",
        ["CVE-2024-9407"] = "options of a mount in a Containerfile: nothing is built here",
        ["CVE-2024-9675"] = "a cache of a build named by a path: nothing is built here",
        ["CVE-2025-9566"] = "a link in a volume of `kube play`: there is no such verb",
    };
}
