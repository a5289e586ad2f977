using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>Makes the directories of groups.</summary>
/// <param name="files">The files in them.</param>
internal sealed class CgroupTree(IKernelFiles files)
{
    private readonly List<string> _made = [];

    /// <summary>Why a controller could not be passed down.</summary>
    internal string? ControllerFailure { get; private set; }

    /// <summary>Whether a group was made here, and not found.</summary>
    internal bool IsNew(string directory) => _made.Contains(directory);

    /// <summary>Makes a group of cgroup v1, and those above it that are missing.</summary>
    /// <param name="top">A group that is there.</param>
    /// <param name="segments">The directories below it.</param>
    /// <param name="isCpuset">Whether the groups have sets of processors and memory nodes, without which nobody can enter.</param>
    /// <returns>Null where none can be made.</returns>
    /// <exception cref="OciException">The kernel refuses for another reason than missing privilege.</exception>
    internal string? MakeV1(string top, IReadOnlyList<string> segments, bool isCpuset)
    {
        string directory = $"{top}/{string.Join('/', segments)}";
        if (!isCpuset)
        {
            Errno error = Make(directory);
            if (error != Errno.ENOENT)
            {
                return Checked(error, directory);
            }
        }

        directory = top;
        foreach (string segment in segments)
        {
            string parent = directory;
            directory = $"{parent}/{segment}";
            Errno error = Make(directory);
            if (Checked(error, directory) is null)
            {
                return null;
            }

            if (isCpuset)
            {
                Inherit(parent, directory, "cpuset.cpus");
                Inherit(parent, directory, "cpuset.mems");
            }
        }

        return directory;
    }

    /// <summary>Makes a group of cgroup v2, and those above it that are missing, and passes controllers down to it.</summary>
    /// <param name="mountPoint">Where the hierarchy is mounted.</param>
    /// <param name="segments">The directories below it.</param>
    /// <param name="controllers">The controllers that it needs; null for all.</param>
    /// <returns>Null where none can be made.</returns>
    /// <exception cref="OciException">The kernel refuses for another reason than missing privilege.</exception>
    internal string? MakeV2(string mountPoint, IReadOnlyList<string> segments, IReadOnlyList<string>? controllers)
    {
        if (controllers is null)
        {
            files.Read($"{mountPoint}/cgroup.controllers", out string all);
            controllers = all.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        }

        string directory = mountPoint;
        foreach (string segment in segments)
        {
            // a controller reaches a group only through all its ancestors
            PassDown(directory, controllers);
            directory = $"{directory}/{segment}";
            if (Checked(Make(directory), directory) is null)
            {
                return null;
            }
        }

        return directory;
    }

    /// <summary>Removes what was made, the groups below first.</summary>
    internal void Undo()
    {
        for (int i = _made.Count - 1; i >= 0; i--)
        {
            KernelFile.RemoveDirectory(_made[i]);
        }
    }

    private static string? Checked(Errno error, string directory) => error switch
    {
        Errno.None or Errno.EEXIST => directory,
        Errno.EACCES or Errno.EPERM or Errno.EROFS or Errno.ENOENT => null, // read-only, not ours, or no hierarchy
        _ => throw new OciException($"cannot make cgroup '{Printable.Shorten(directory)}': {ErrnoException.Describe(error)}"),
    };

    private Errno Make(string directory)
    {
        Errno error = KernelFile.MakeDirectory(directory);
        if (error == Errno.None)
        {
            _made.Add(directory);
        }

        return error;
    }

    private void Inherit(string parent, string directory, string file)
    {
        if (files.Read($"{directory}/{file}", out string own) == Errno.None && own.Trim().Length == 0
            && files.Read($"{parent}/{file}", out string inherited) == Errno.None)
        {
            files.Write($"{directory}/{file}", inherited.Trim());
        }
    }

    private void PassDown(string directory, IReadOnlyList<string> controllers)
    {
        if (controllers.Count == 0)
        {
            return;
        }

        string path = $"{directory}/cgroup.subtree_control";
        files.Read(path, out string text);
        string[] present = text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        List<string> missing = [];
        foreach (string controller in controllers)
        {
            if (Array.IndexOf(present, controller) < 0)
            {
                missing.Add($"+{controller}");
            }
        }

        if (missing.Count == 0 || files.Write(path, string.Join(' ', missing)) == Errno.None)
        {
            return;
        }

        foreach (string controller in missing)
        {
            Errno error = files.Write(path, controller);
            if (error != Errno.None)
            {
                ControllerFailure ??= $"write '{controller}' to '{path}': {ErrnoException.Describe(error)}";
            }
        }
    }
}
