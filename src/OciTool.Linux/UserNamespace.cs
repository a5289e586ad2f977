using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A range of IDs inside a user namespace and what it stands for outside.</summary>
/// <param name="Inside">The first ID inside.</param>
/// <param name="Outside">The first ID outside.</param>
/// <param name="Count">How many.</param>
public readonly record struct IdRange(uint Inside, uint Outside, uint Count);

/// <summary>Makes user namespaces: of a container, or of a mount whose owners are shown as others.</summary>
public static class UserNamespace
{
    /// <summary>Makes a user namespace that lives as long as the descriptor of it, or a process or mount in it.</summary>
    /// <param name="users">How user IDs are mapped.</param>
    /// <param name="groups">How group IDs are mapped.</param>
    /// <exception cref="ErrnoException">The kernel refuses the namespace or the mapping.</exception>
    /// <remarks>
    /// A process with threads cannot be moved into a user namespace. So a child is born into one, and waits at a pipe until the
    /// namespace was taken from it.
    /// </remarks>
    public static SafeFileHandle Create(IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        Descriptors.Pipe(out SafeFileHandle read, out SafeFileHandle write);
        using (read)
        using (write)
        {
            using ProcessHandle holder = Start(read);
            try
            {
                string directory = $"/proc/{holder.Id}";
                Write($"{directory}/uid_map", users);
                Write($"{directory}/gid_map", groups);
                return Namespaces.Open($"{directory}/ns/user");
            }
            finally
            {
                holder.TrySignal(Signals.Kill);
                holder.Wait();
            }
        }
    }

    /// <summary>Whether this process's user namespace was made by somebody who may not give up groups, and so lets nobody do it.</summary>
    /// <remarks>user_namespaces(7), "The /proc/pid/setgroups file".</remarks>
    public static bool DeniesGroups() =>
        KernelFile.Read("/proc/self/setgroups", out string answer) == Errno.None && answer.StartsWith("deny", StringComparison.Ordinal);

    /// <summary>Whether a group exists in this process's user namespace.</summary>
    public static bool HasGroup(uint id)
    {
        if (KernelFile.Read("/proc/self/gid_map", out string map) != Errno.None)
        {
            return true; // without /proc nobody can have made a namespace that we would be in
        }

        foreach (string line in map.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] range = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (uint.TryParse(range[0], out uint first) && uint.TryParse(range[2], out uint count) && id >= first && id - first < count)
            {
                return true;
            }
        }

        return false;
    }

    private static unsafe ProcessHandle Start(SafeFileHandle pipe)
    {
        byte nothing;
        using ChildCalls calls = new();
        calls.Add(Interop.Kernel.SYS_prctl, Credentials.PR_SET_PDEATHSIG, Signals.Kill);
        calls.Add(Interop.Kernel.SYS_read, Interop.Kernel.Descriptor(pipe), (nint)(&nothing), 1);
        return new ProcessHandle(calls.Start((int)NamespaceKinds.User, blocksSignals: true));
    }

    // the kernel takes a mapping in one write only
    private static void Write(string path, IReadOnlyList<IdRange> ranges)
    {
        string text = string.Concat(ranges.Select(range => $"{range.Inside} {range.Outside} {range.Count}\n"));
        using SafeFileHandle file = RootDirectory.Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_WRONLY, mode: 0, resolve: 0);
        Descriptors.Write(file, System.Text.Encoding.ASCII.GetBytes(text), path);
    }
}
