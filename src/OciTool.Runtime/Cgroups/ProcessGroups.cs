using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>The groups that a process is in: the lines of <c>/proc/PID/cgroup</c> (cgroups(7)).</summary>
internal sealed class ProcessGroups
{
    private readonly string _text;

    private ProcessGroups(string text) => _text = text;

    /// <summary>Reads the lines of a process.</summary>
    /// <param name="pid">The process; 0 for the caller.</param>
    /// <exception cref="ErrnoException">There is no such process.</exception>
    internal static ProcessGroups Of(int pid)
    {
        string path = pid == 0 ? "/proc/self/cgroup" : $"/proc/{pid}/cgroup";
        Errno error = KernelFile.Read(path, out string text);
        return error == Errno.None ? new(text) : throw new ErrnoException("read", path, error);
    }

    internal static ProcessGroups Parse(string text) => new(text);

    /// <summary>The path of the group with a controller of cgroup v1, or of cgroup v2 for the empty name.</summary>
    /// <returns>Null where there is no such hierarchy.</returns>
    internal string? PathOf(string controller)
    {
        foreach (ReadOnlySpan<char> line in _text.AsSpan().EnumerateLines())
        {
            int first = line.IndexOf(':');
            int second = first < 0 ? -1 : line[(first + 1)..].IndexOf(':') + first + 1;
            if (second <= first)
            {
                continue;
            }

            ReadOnlySpan<char> names = line[(first + 1)..second];
            foreach (Range name in names.Split(','))
            {
                if (names[name].SequenceEqual(controller))
                {
                    return line[(second + 1)..].ToString();
                }
            }
        }

        return null;
    }
}
