using System.Globalization;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>The processes in a group.</summary>
internal static class CgroupProcesses
{
    /// <summary>Adds the processes of one group; nothing where there is no such group.</summary>
    internal static void Read(IKernelFiles files, string directory, ICollection<int> processes)
    {
        if (files.Read($"{directory}/cgroup.procs", out string text) != Errno.None)
        {
            return;
        }

        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            // 0 is one that this process cannot see, for it is in another PID namespace
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0)
            {
                processes.Add(pid);
            }
        }
    }

    /// <summary>Adds the processes of a group and of those below it.</summary>
    internal static void ReadAll(IKernelFiles files, string directory, ICollection<int> processes)
    {
        Read(files, directory, processes);
        try
        {
            foreach (string below in Directory.EnumerateDirectories(directory))
            {
                ReadAll(files, below, processes);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the group was removed meanwhile
        }
    }
}
