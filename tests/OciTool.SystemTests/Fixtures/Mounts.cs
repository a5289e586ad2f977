namespace OciTool.SystemTests.Fixtures;

/// <summary>The mounts of this process's namespace (proc_pid_mountinfo(5)).</summary>
internal static class Mounts
{
    /// <summary>The mount points at or below a directory, parents first.</summary>
    public static string[] Under(string directory) =>
        [.. File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4])
            .Where(point => point == directory || point.StartsWith($"{directory}/", StringComparison.Ordinal))];
}
