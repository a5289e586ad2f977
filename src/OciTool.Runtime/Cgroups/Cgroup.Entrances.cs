using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>How processes get into the groups.</summary>
public sealed partial class Cgroup
{
    /// <summary>Opens the groups for processes that enter them by <see cref="TryEnter"/>.</summary>
    /// <param name="subPaths">
    /// Groups below, for some or all hierarchies, each <c>PATH</c> or <c>CONTROLLER[,CONTROLLER]:PATH</c> as in
    /// <c>exec --cgroup</c>; they exist.
    /// </param>
    /// <returns>One file a hierarchy, the caller's to close. execve closes them unless they are made to stay.</returns>
    /// <remarks>
    /// The kernel asks whether who opened a file may move processes: so these work in a user namespace, and behind a
    /// changed root. With cgroup v1 a thread moves alone, which takes 0.2 ms: for a whole process the kernel waits for a
    /// grace period, 5 to 50 ms. The one thread is enough where it will call execve, which ends the others. cgroup v2 moves
    /// processes only.
    /// </remarks>
    /// <exception cref="OciException">A group cannot be opened, or is not below these.</exception>
    public IReadOnlyList<SafeFileHandle> OpenEntrances(params IReadOnlyList<string> subPaths)
    {
        List<SafeFileHandle> files = new(_directories.Count);
        try
        {
            foreach (CgroupDirectory directory in _directories)
            {
                string path = directory.Path;
                foreach (string subPath in subPaths)
                {
                    path = Below(directory, subPath) ?? path;
                }

                string file = EntranceFile(directory, path);
                Errno error = KernelFile.TryOpen(file, write: true, out SafeFileHandle? opened);
                files.Add(opened ?? throw new OciException(
                    $"cannot open cgroup '{Printable.Shorten(file)}': {ErrnoException.Describe(error)}"));
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

    /// <summary>Opens the group of cgroup v2 that a process of the container is in.</summary>
    /// <param name="pid">The container's first process.</param>
    /// <returns>The file, the caller's to close; null on a host with v1.</returns>
    /// <remarks>
    /// A container that has made groups for itself and passes controllers down to them has no process in the group that it
    /// was given, and nobody can enter that: the kernel says EBUSY (<see cref="TryEnter"/>). Where its first process is
    /// others may be too.
    /// </remarks>
    /// <exception cref="OciException">There is no such process, or it has left the container's groups.</exception>
    public SafeFileHandle? OpenEntranceOf(int pid)
    {
        if (UnifiedDirectory is not { } own)
        {
            return null;
        }

        CgroupMounts mounts = CgroupMounts.Read();
        string directory = mounts.DirectoryOf(mounts.V2 ?? "", ProcessGroups.Of(pid).PathOf("") ?? "");
        if (directory != own && !directory.StartsWith(own + "/", StringComparison.Ordinal))
        {
            throw new OciException($"process {pid} is not in cgroup '{Printable.Shorten(own)}'");
        }

        string file = $"{directory}/cgroup.procs";
        Errno error = KernelFile.TryOpen(file, write: true, out SafeFileHandle? opened);
        return opened ?? throw new OciException($"cannot open cgroup '{Printable.Shorten(file)}': {ErrnoException.Describe(error)}");
    }

    /// <summary>Moves the caller into a group: the thread with cgroup v1, the process with v2.</summary>
    /// <param name="entrance">One of <see cref="OpenEntrances"/>.</param>
    /// <returns>Why the group refuses it; see <see cref="OpenEntranceOf"/> for <see cref="Errno.EBUSY"/>.</returns>
    public static Errno TryEnter(SafeFileHandle entrance) => KernelFile.Write(entrance, "0");

    private static string EntranceFile(CgroupDirectory directory, string path) =>
        directory.IsUnified ? $"{path}/cgroup.procs" : $"{path}/tasks";

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
