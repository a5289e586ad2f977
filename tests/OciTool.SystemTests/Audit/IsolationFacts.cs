using System.Text.RegularExpressions;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Audit;

/// <summary>What a process in a container says of itself and of what it can do, as property and value.</summary>
internal static partial class IsolationFacts
{
    /// <summary>What a container must not look into (containers-common and newer runtimes, the union of both).</summary>
    private static readonly string[] HiddenPaths =
    [
        "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
        "/proc/timer_list", "/proc/timer_stats", "/sys/dev/block", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux",
    ];

    /// <summary>What it may look into and not write.</summary>
    private static readonly string[] ReadOnlyPaths =
        ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"];

    private static readonly string[] Namespaces = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

    private static readonly string Script = $$"""
        section() { echo "@@ $1"; }
        section namespaces; for kind in {{string.Join(' ', Namespaces)}}; do echo "$kind $(readlink /proc/self/ns/$kind)"; done
        section status; cat /proc/self/status
        section maps; cat /proc/self/uid_map
        section hidden
        for path in {{string.Join(' ', HiddenPaths)}}; do
          if [ -d $path ]; then seen=$(ls -A $path 2>/dev/null); else seen=$(dd if=$path bs=1 count=1 2>/dev/null | wc -c); [ "$seen" = 0 ] && seen=; fi
          if [ -n "$seen" ]; then echo "$path shown"; else echo "$path nothing to see"; fi
        done
        section written
        for path in {{string.Join(' ', ReadOnlyPaths)}}; do
          if [ -d $path ]; then touch $path/x 2>/dev/null && echo "$path written" || echo "$path refused"
          elif (: >> $path) 2>/dev/null; then echo "$path written"; else echo "$path refused"; fi
        done
        (mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/pids/x) 2>/dev/null && echo "/sys/fs/cgroup written" || echo "/sys/fs/cgroup refused"
        (: >> /proc/1/exe) 2>/dev/null && echo "/proc/1/exe written" || echo "/proc/1/exe refused"
        section devices; cd /dev; for node in *; do [ -d $node ] || echo "$node"; done; cd /
        section descriptors; ls /proc/1/fd
        section environment; env
        section mounts; cat /proc/self/mountinfo
        section limits; cat /proc/self/limits
        section oom; cat /proc/self/oom_score_adj
        section cgroups; cut -d: -f3 /proc/self/cgroup
        section network; ls /sys/class/net
        section processes; ls -d /proc/[0-9]* | wc -l
        section process; /probe process
        section mknod; /probe device c 1 3
        """;

    /// <summary>Devices that nobody but the host should open, each with a word for it.</summary>
    private static readonly (string Node, string Name)[] Devices =
    [
        ("b 254 0", "a virtual disk"), ("b 8 0", "a SCSI disk"), ("b 7 0", "a loop device"), ("b 259 0", "an NVMe disk"), ("c 1 1", "/dev/mem"),
        ("c 1 2", "/dev/kmem"), ("c 1 4", "/dev/port"), ("c 1 11", "/dev/kmsg"), ("c 4 0", "the console's terminal"), ("c 10 229", "/dev/fuse"),
        ("c 10 232", "/dev/kvm"), ("c 10 237", "/dev/loop-control"), ("c 1 3", "/dev/null"), ("c 5 2", "/dev/ptmx"),
    ];

    /// <summary>Asks in containers.</summary>
    /// <param name="run">Runs one with these options and this command.</param>
    public static async Task<SortedDictionary<string, string>> CollectAsync(Func<string[], string[], Task<ProgramResult>> run)
    {
        SortedDictionary<string, string> facts = new(StringComparer.Ordinal);
        ProgramResult answer = await run([], ["sh", "-c", Script]);
        Dictionary<string, string[]> sections = answer.Succeeded().Output.Split("@@ ", StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(part => part.Split('\n')[0], part => part.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..]);
        AddProcess(facts, sections);
        AddFiles(facts, sections);
        AddLimits(facts, sections["limits"]);
        string nodes = string.Join("; ", Devices.Select(device => $"/probe device {device.Node}"));
        ProgramResult opened = await run(["--cap-add", "MKNOD"], ["sh", "-c", nodes]);
        foreach (((string node, string name), string line) in Devices.Zip(opened.Succeeded().Lines))
        {
            facts[$"device {name} ({node}) that a container with CAP_MKNOD makes"] = line;
        }

        return facts;
    }

    /// <summary>The answers of the prober by their numbers.</summary>
    public static async Task<SortedDictionary<int, string>> CallsAsync(Func<string[], string[], Task<ProgramResult>> run, params string[] words)
    {
        ProgramResult answer = await run([], ["/probe", .. words]);
        SortedDictionary<int, string> calls = [];
        foreach (string line in answer.Succeeded().Lines)
        {
            string[] parts = line.Split(' ', 2);
            calls[int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) & 0xffff] = parts[1];
        }

        return calls;
    }

    private static void AddProcess(SortedDictionary<string, string> facts, Dictionary<string, string[]> sections)
    {
        foreach (string[] words in sections["namespaces"].Select(line => line.Split(' ')))
        {
            facts[$"namespace {words[0]}"] = new FileInfo($"/proc/self/ns/{words[0]}").LinkTarget == words[1] ? "the host's" : "its own";
        }

        string[] shown = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Groups"];
        foreach (string[] words in sections["status"].Select(line => line.Split(':', 2)).Where(words => shown.Contains(words[0])))
        {
            facts[$"status {words[0]}"] = words[1].Trim();
        }

        foreach (string[] words in sections["process"].Select(line => line.Split(' ', 2)))
        {
            facts[$"process {words[0]}"] = words[1];
        }

        facts["user IDs, inside, outside, count"] = Spaces().Replace(sections["maps"][0].Trim(), " ");
        facts["processes that are seen"] = int.Parse(sections["processes"][0], System.Globalization.CultureInfo.InvariantCulture) < 8 ? "its own" : "others";
        facts["network interfaces of --network none"] = string.Join(' ', sections["network"]);
        facts["oom_score_adj"] = sections["oom"][0] == File.ReadAllText("/proc/self/oom_score_adj").Trim() ? "the host's" : sections["oom"][0];
        facts["control group that is seen"] = sections["cgroups"].All(path => path == "/") ? "/" : "its place on the host";
        facts["environment"] = string.Join(' ', sections["environment"].Where(line => !line.StartsWith("SHLVL=", StringComparison.Ordinal))
            .Select(line => line.Split('=')[0]).Order(StringComparer.Ordinal));
    }

    private static void AddFiles(SortedDictionary<string, string> facts, Dictionary<string, string[]> sections)
    {
        foreach (string[] words in sections["hidden"].Select(line => line.Split(' ', 2)))
        {
            facts[$"reading {words[0]}"] = words[1];
        }

        foreach (string[] words in sections["written"].Select(line => line.Split(' ', 2)))
        {
            facts[$"writing {words[0]}"] = words[1];
        }

        facts["device nodes"] = string.Join(' ', sections["devices"]);
        facts["open descriptors"] = string.Join(' ', sections["descriptors"]);
        facts["mknod without CAP_MKNOD"] = sections["mknod"][0];
        facts["mounts that propagate to or from the host"] = sections["mounts"].Count(line => MountPropagates().IsMatch(line)) is var count and > 0 ? $"{count}" : "none";
        foreach (string[] words in sections["mounts"].Select(line => line.Split(' ')))
        {
            string point = words[4];
            if (!HiddenPaths.Contains(point) && !point.StartsWith("/proc/", StringComparison.Ordinal) && !point.StartsWith("/sys/fs/cgroup", StringComparison.Ordinal))
            {
                // what the file system of the host has is not ours to say
                string type = words[Array.IndexOf(words, "-") + 1];
                bool isBind = point.StartsWith("/etc/", StringComparison.Ordinal) || point.StartsWith("/run/", StringComparison.Ordinal);
                string options = string.Join(',', words[5].Split(',').Where(option => option is "ro" or "rw" or "nosuid" or "nodev" or "noexec"));
                facts[$"mount {point}"] = isBind ? $"one file, {options}" : $"{type}, {options}";
            }
        }
    }

    private static void AddLimits(SortedDictionary<string, string> facts, string[] limits)
    {
        Dictionary<string, string> host = File.ReadAllLines("/proc/self/limits")[1..].ToDictionary(NameOf, ValueOf);
        foreach (string line in limits[1..])
        {
            facts[$"limit of {NameOf(line)}"] = NameOf(line) is "open files" or "processes" || host[NameOf(line)] != ValueOf(line)
                ? ValueOf(line)
                : "the host's";
        }

        static string NameOf(string line) => line[4..26].Trim();

        static string ValueOf(string line) => Spaces().Replace(line[26..68].Trim(), " ");
    }

    [GeneratedRegex(" (shared|master):", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MountPropagates();

    [GeneratedRegex(" +", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Spaces();
}
