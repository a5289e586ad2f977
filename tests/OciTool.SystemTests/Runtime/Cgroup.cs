namespace OciTool.SystemTests.Runtime;

/// <summary>A control group by its path below the mount points, in whatever hierarchies this machine has.</summary>
internal sealed record Cgroup(string Path)
{
    /// <summary>Whether there is one hierarchy with all controllers (version 2).</summary>
    public static bool IsUnified { get; } = File.Exists("/sys/fs/cgroup/cgroup.controllers");

    /// <summary>The mount points of all hierarchies.</summary>
    public static IReadOnlyList<string> Hierarchies { get; } =
        [.. File.ReadLines("/proc/self/mountinfo")
            .Where(line => line.Contains(" - cgroup ", StringComparison.Ordinal) || line.Contains(" - cgroup2 ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[4]).Where(point => point.StartsWith("/sys/fs/cgroup", StringComparison.Ordinal))];

    /// <summary>The directories that there are of it.</summary>
    public IEnumerable<string> Directories => Hierarchies.Select(point => point + Path).Where(Directory.Exists);

    /// <summary>The groups below it by the name of their directory, each once.</summary>
    public IReadOnlyList<string> Children =>
        [.. Directories.SelectMany(Directory.GetDirectories).Select(System.IO.Path.GetFileName).Distinct().Order()!];

    /// <summary>The content of a file that has another name in each version.</summary>
    public string Read(string controller, string first, string second) =>
        File.ReadAllText(FileOf(controller, first, second)).Trim();

    /// <summary>Where that file is.</summary>
    public string FileOf(string controller, string first, string second) =>
        IsUnified ? $"/sys/fs/cgroup{Path}/{second}" : $"/sys/fs/cgroup/{controller}{Path}/{first}";

    /// <summary>Removes it and all below it, which have to be empty of processes.</summary>
    public void Remove()
    {
        foreach (string directory in Directories)
        {
            RemoveTree(directory);
        }
    }

    private static void RemoveTree(string directory)
    {
        foreach (string child in Directory.GetDirectories(directory))
        {
            RemoveTree(child);
        }

        try
        {
            Directory.Delete(directory);
        }
        catch (IOException)
        {
            // in use: the test that sees it tells
        }
    }
}
