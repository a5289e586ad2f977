namespace OciTool.Runtime.Cgroups;

/// <summary>Where this host's control groups are mounted.</summary>
/// <param name="V1">The mount point of each cgroup v1 controller.</param>
/// <param name="V2">The mount point of cgroup v2, if there is one.</param>
public sealed record CgroupMounts(IReadOnlyDictionary<string, string> V1, string? V2)
{
    /// <summary>Whether cgroup v2 has all controllers; not on a hybrid host.</summary>
    public bool IsUnified => V2 is not null && V1.Count == 0;

    /// <summary>Looks at this host.</summary>
    public static CgroupMounts Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>Reads the text of <c>/proc/self/mountinfo</c>.</summary>
    /// <param name="mountinfo">The text (proc(5)).</param>
    public static CgroupMounts Parse(string mountinfo)
    {
        Dictionary<string, string> v1 = [];
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
            if (fileSystem[0] == "cgroup2")
            {
                v2 ??= point;
            }
            else
            {
                foreach (string option in fileSystem[2].Split(','))
                {
                    if (option is not ("rw" or "ro"))
                    {
                        v1.TryAdd(option, point);
                    }
                }
            }
        }

        return new(v1, v2);
    }

    private static string Unescape(string path) => path
        .Replace("\\040", " ", StringComparison.Ordinal)
        .Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal)
        .Replace("\\134", "\\", StringComparison.Ordinal);
}
