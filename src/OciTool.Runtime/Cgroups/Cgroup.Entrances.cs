using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>How processes get into the groups.</summary>
public sealed partial class Cgroup
{
    /// <summary>Opens the groups of v1 for a thread that enters them by <see cref="TryEnter"/>.</summary>
    /// <param name="subPaths">
    /// Groups below, for some or all hierarchies, each <c>PATH</c> or <c>CONTROLLER[,CONTROLLER]:PATH</c> as in
    /// <c>exec --cgroup</c>; they exist.
    /// </param>
    /// <returns>One file a hierarchy, the caller's to close. execve closes them unless they are made to stay.</returns>
    /// <remarks>
    /// The kernel asks whether who opened a file may move processes: so these work in a user namespace, and behind a
    /// changed root. With cgroup v1 a thread moves alone, which takes 0.2 ms: for a whole process the kernel waits for a
    /// grace period, 5 to 50 ms. The one thread is enough where it will call execve, which ends the others.
    /// </remarks>
    /// <exception cref="OciException">A group cannot be opened, or is not below these.</exception>
    public IReadOnlyList<SafeFileHandle> OpenEntrances(params IReadOnlyList<string> subPaths)
    {
        List<SafeFileHandle> files = new(_directories.Count);
        try
        {
            foreach (CgroupDirectory directory in _directories)
            {
                if (!directory.IsUnified)
                {
                    files.Add(OpenEntrance($"{Below(directory, subPaths)}/tasks"));
                }
            }

            return files;
        }
        catch
        {
            foreach (SafeFileHandle file in files)
            {
                file.Dispose();
            }

            throw;
        }
    }

    /// <summary>Moves the caller's thread into a group.</summary>
    /// <param name="entrance">One of <see cref="OpenEntrances"/>.</param>
    /// <returns>Why the group refuses it.</returns>
    public static Errno TryEnter(SafeFileHandle entrance) => KernelFile.Write(entrance, "0");

    /// <summary>Begins to move a process into the group of v2, which moves whole processes only and takes its time.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="neighbour">A process of the container, whose group will do where the container's own is closed; 0 for none.</param>
    /// <param name="subPaths">As of <see cref="OpenEntrances"/>.</param>
    /// <returns>To wait for; null where there is no v2.</returns>
    /// <remarks>
    /// A container that has made groups for itself and passes controllers down to them has no process in the group that it
    /// was given, and nobody can enter that: the kernel says EBUSY. Where its first process is others may be too.
    /// </remarks>
    /// <exception cref="OciException">A group cannot be opened, or the neighbour has left the container's groups.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the move closes them")]
    public ProcessMove? Move(int pid, int neighbour = 0, params IReadOnlyList<string> subPaths)
    {
        foreach (CgroupDirectory directory in _directories)
        {
            if (directory.IsUnified)
            {
                string group = Below(directory, subPaths);
                SafeFileHandle entrance = OpenEntrance($"{group}/cgroup.procs");
                try
                {
                    SafeFileHandle? fallback = neighbour > 0 && IsUnified ? OpenEntranceOf(neighbour, directory.Path) : null;
                    return new ProcessMove(group, entrance, fallback, pid);
                }
                catch
                {
                    entrance.Dispose();
                    throw;
                }
            }
        }

        return null;
    }

    private static SafeFileHandle OpenEntranceOf(int pid, string own)
    {
        CgroupMounts mounts = CgroupMounts.Read();
        string directory = mounts.DirectoryOf(mounts.V2 ?? "", ProcessGroups.Of(pid).PathOf("") ?? "");
        return directory == own || directory.StartsWith(own + "/", StringComparison.Ordinal)
            ? OpenEntrance($"{directory}/cgroup.procs")
            : throw new OciException($"process {pid} is not in cgroup '{Printable.Shorten(own)}'");
    }

    private static SafeFileHandle OpenEntrance(string file)
    {
        Errno error = KernelFile.TryOpen(file, write: true, out SafeFileHandle? opened);
        return opened ?? throw new OciException($"cannot open cgroup '{Printable.Shorten(file)}': {ErrnoException.Describe(error)}");
    }

    private static string Below(CgroupDirectory directory, IReadOnlyList<string> subPaths)
    {
        string path = directory.Path;
        for (int i = 0; i < subPaths.Count; i++)
        {
            path = Below(directory, subPaths[i]) ?? path;
        }

        return path;
    }

    private static string? Below(CgroupDirectory directory, string subPath)
    {
        int colon = subPath.IndexOf(':', StringComparison.Ordinal);
        bool isMeant = colon < 0;
        foreach (string controller in colon < 0 ? [] : subPath[..colon].Split(','))
        {
            isMeant |= directory.Has(controller);
        }

        if (!isMeant)
        {
            return null;
        }

        string path = directory.Path;
        foreach (string segment in subPath[(colon + 1)..].Split('/'))
        {
            if (segment == ".." || segment.Contains('\0', StringComparison.Ordinal))
            {
                throw new OciException($"bad sub cgroup path '{Printable.Shorten(subPath)}'");
            }

            if (segment is not ("" or "."))
            {
                path = $"{path}/{segment}";
            }
        }

        return path;
    }
}
