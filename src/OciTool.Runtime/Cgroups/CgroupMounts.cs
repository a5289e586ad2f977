namespace OciTool.Runtime.Cgroups;

/// <summary>Where this host's control groups are mounted.</summary>
/// <param name="V1">The mount point of each cgroup v1 controller; of a named hierarchy by <c>name=NAME</c>.</param>
/// <param name="V2">The mount point of cgroup v2, if there is one.</param>
public sealed record CgroupMounts(IReadOnlyDictionary<string, string> V1, string? V2)
{
    /// <summary>Whether cgroup v2 has all controllers; not on a hybrid host.</summary>
    public bool IsUnified => V2 is not null && V1.Count == 0;

    /// <summary>The group that a mount point shows, where that is not the hierarchy's root.</summary>
    public IReadOnlyDictionary<string, string> Roots { get; init; } = new Dictionary<string, string>();

    /// <summary>Looks at this host.</summary>
    public static CgroupMounts Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>Reads the text of <c>/proc/self/mountinfo</c>.</summary>
    /// <param name="mountinfo">The text (proc(5)).</param>
    public static CgroupMounts Parse(string mountinfo)
    {
        Dictionary<string, string> v1 = [];
        Dictionary<string, string> roots = [];
        string? v2 = null;
        foreach (ReadOnlySpan<char> line in mountinfo.AsSpan().EnumerateLines())
        {
            int separator = line.IndexOf(" - cgroup");
            if (separator < 0)
            {
                continue;
            }

            string[] words = line[..separator].ToString().Split(' ');
            string[] fileSystem = line[(separator + 3)..].ToString().Split(' ');
            if (words.Length < 5 || fileSystem.Length < 3)
            {
                continue;
            }

            string point = Unescape(words[4]);
            if (words[3] != "/")
            {
                roots.TryAdd(point, Unescape(words[3]));
            }

            if (fileSystem[0] == "cgroup2")
            {
                v2 ??= point;
            }
            else if (fileSystem[0] == "cgroup")
            {
                foreach (string option in fileSystem[2].Split(','))
                {
                    if (IsController(option))
                    {
                        v1.TryAdd(option, point);
                    }
                }
            }
        }

        return new(v1, v2) { Roots = roots };
    }

    /// <summary>The directory of a group.</summary>
    /// <param name="mountPoint">Where its hierarchy is mounted.</param>
    /// <param name="path">Its path as <c>/proc/PID/cgroup</c> shows it.</param>
    public string DirectoryOf(string mountPoint, string path)
    {
        if (Roots.TryGetValue(mountPoint, out string? root))
        {
            // a mount that shows a part, as in a container without a cgroup namespace of its own
            path = path == root ? "" : path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : path;
        }

        // outside of the cgroup namespace a path begins with /..
        return path is "" or "/" || path.Contains("/..", StringComparison.Ordinal) ? mountPoint : mountPoint + path;
    }

    private static bool IsController(string option) => option is not
        ("rw" or "ro" or "xattr" or "noprefix" or "clone_children" or "cpuset_v2_mode" or "favordynmods" or "none")
        && !option.StartsWith("release_agent=", StringComparison.Ordinal);

    private static string Unescape(string path) => path
        .Replace("\\040", " ", StringComparison.Ordinal)
        .Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal)
        .Replace("\\134", "\\", StringComparison.Ordinal);
}
