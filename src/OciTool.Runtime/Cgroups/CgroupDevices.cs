using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>Puts device rules in force: by two files of cgroup v1, by an eBPF program on cgroup v2.</summary>
internal static class CgroupDevices
{
    /// <summary>Sets the rules of a container.</summary>
    /// <param name="directories">Its groups.</param>
    /// <param name="rules">The rules, in order.</param>
    /// <param name="files">The files of the groups.</param>
    /// <param name="isNew">Whether the groups were just made.</param>
    /// <param name="warnings">Takes what cannot be set; null makes it an error.</param>
    /// <exception cref="OciException">The rules are not in force.</exception>
    internal static void Apply(
        IReadOnlyList<CgroupDirectory> directories,
        ReadOnlySpan<DeviceFilterRule> rules,
        IKernelFiles files,
        bool isNew,
        List<string>? warnings)
    {
        string? cause;
        bool isPrivilege;
        if (directories.Count == 1 && directories[0].IsUnified)
        {
            if (isNew && DeviceRules.AllowEverything(rules))
            {
                return;
            }

            cause = TryAttach(directories[0].Path, rules, out isPrivilege);
        }
        else if (Find(directories) is { } directory)
        {
            cause = TryWrite(directory, rules, files, isNew, out isPrivilege);
        }
        else
        {
            cause = DeviceRules.AllowEverything(rules) ? null : "the host has no writable devices controller";
            isPrivilege = true;
        }

        if (cause is null)
        {
            return;
        }

        // Without root's privileges nobody can set them, and nobody needs to: no device node can be made then, and one that
        // was made in a user namespace cannot be opened.
        if (isPrivilege && (!Environment.IsPrivilegedProcess || IsInUserNamespace()))
        {
            return;
        }

        if (warnings is null)
        {
            throw new OciException($"cannot set the device rules: {cause}");
        }

        // what a group above does not allow stays denied, which is not weaker
        if (!isPrivilege)
        {
            warnings.Add($"the device rules are not in force: {cause}");
        }
    }

    private static string? Find(IReadOnlyList<CgroupDirectory> directories)
    {
        foreach (CgroupDirectory directory in directories)
        {
            if (directory.Has("devices"))
            {
                return directory.Path;
            }
        }

        return null;
    }

    private static string? TryAttach(string directory, ReadOnlySpan<DeviceFilterRule> rules, out bool isPrivilege)
    {
        isPrivilege = false;
        try
        {
            BpfProgram.Attach(directory, DeviceFilter.Compile(rules));
            return null;
        }
        catch (ErrnoException e)
        {
            // without eBPF nothing is denied, which is what these rules want
            isPrivilege = e.Errno is Errno.EPERM or Errno.EACCES or Errno.ENOSYS;
            return isPrivilege && DeviceRules.AllowEverything(rules) ? null : e.Message;
        }
    }

    private static string? TryWrite(
        string directory, ReadOnlySpan<DeviceFilterRule> rules, IKernelFiles files, bool isNew, out bool isPrivilege)
    {
        // where it cannot be read nothing is known: all is written
        isNew &= files.Read($"{directory}/devices.list", out string text) == Errno.None;
        DeviceList current = DeviceList.Parse(isNew || text.Length > 0 ? text : "a *:* rwm");
        string? cause = null;
        isPrivilege = true;
        foreach ((bool allow, string value) in current.WritesTo(DeviceList.Of(rules), isNew))
        {
            string path = $"{directory}/{(allow ? "devices.allow" : "devices.deny")}";
            Errno error = files.Write(path, value);
            if (error != Errno.None)
            {
                // A refused allow leaves a device denied, which is not weaker: the rest is still written
                cause ??= $"write '{value}' to '{path}': {ErrnoException.Describe(error)}";
                isPrivilege &= error is Errno.EPERM or Errno.EACCES or Errno.EROFS;
            }
        }

        return cause;
    }

    private static bool IsInUserNamespace() =>
        KernelFile.Read("/proc/self/uid_map", out string map) == Errno.None
        && map.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["0", "0", "4294967295\n"];
}
