namespace OciTool.Runtime.Cgroups;

/// <summary>A thread's stay in the groups of a container (cgroup v1).</summary>
public sealed class CgroupMembership : IDisposable
{
    private const string Self = "0";

    private readonly IReadOnlyList<string> _directories;
    private readonly List<string> _former = [];

    internal CgroupMembership(IReadOnlyList<string> directories) => _directories = directories;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string directory in _former)
        {
            Cgroup.Write(Path.Join(directory, "tasks"), Self);
        }

        _former.Clear();
    }

    internal void Enter()
    {
        string memberships = File.ReadAllText("/proc/thread-self/cgroup");
        try
        {
            foreach (string directory in _directories)
            {
                string former = FormerDirectory(memberships, directory);
                Cgroup.Write(Path.Join(directory, "tasks"), Self);
                _former.Add(former);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose(); // all groups or none
            throw;
        }
    }

    /// <summary>Where the thread is now in the hierarchy of a container's directory, <c>MOUNT/oci/ID</c>.</summary>
    internal static string FormerDirectory(string memberships, string directory)
    {
        string mount = Path.GetDirectoryName(Path.GetDirectoryName(directory)!)!;
        string controller = Path.GetFileName(mount);
        foreach (string line in memberships.Split('\n'))
        {
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && Array.IndexOf(fields[1].Split(','), controller) >= 0)
            {
                // where only a part of the hierarchy is mounted, as in a container, its top is the best that is in reach
                string path = Path.Join(mount, fields[2]);
                return File.Exists(Path.Join(path, "tasks")) ? path : mount;
            }
        }

        return mount;
    }
}
