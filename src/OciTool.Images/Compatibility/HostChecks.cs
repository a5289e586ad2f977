namespace OciTool.Images.Compatibility;

/// <summary>C18 to C20: users, file systems and namespaces of the host.</summary>
internal static class HostChecks
{
    private const int MostLayers = 500; // OVL_MAX_STACK of the kernel
    private const int MostLayersElsewhere = 127;

    /// <summary>Whether all files of an image have to be looked at for this host; as root on an ordinary file system nothing depends on them.</summary>
    public static bool NeedsTree(HostFacts host) =>
        host.MappedUsers is < uint.MaxValue || host.MappedGroups is < uint.MaxValue
        || host.IsRoot == false || host.Store is { Form: "directory", Xattrs: false } or { CaseSensitive: false };

    /// <summary>C18: whether the owners of all files can be had.</summary>
    public static CheckResult Users(ImageFacts image, HostFacts host)
    {
        if (host.MappedUsers is not { } users || host.MappedGroups is not { } groups)
        {
            return new("C18", CheckLevel.Unknown, "which users the host maps is not known");
        }

        if (users >= uint.MaxValue && groups >= uint.MaxValue)
        {
            return new("C18", CheckLevel.Pass, "every user and group ID can be had");
        }

        if (image.Tree is not { } tree)
        {
            return new("C18", CheckLevel.Unknown, $"not looked at: {Printable.Shorten(image.UnreadTree ?? "the files' owners were not read")}");
        }

        CheckEvidence[] evidence =
        [
            new(Printable.Shorten(tree.Owner), "highest uid and gid", $"{tree.HighestUser}:{tree.HighestGroup}"),
            new("host", "mapped IDs", $"{users}:{groups}"),
        ];
        if (tree.HighestUser < users && tree.HighestGroup < groups)
        {
            return new("C18", CheckLevel.Pass, $"user {tree.HighestUser} and group {tree.HighestGroup} are below the {Math.Min(users, groups)} that are mapped") { Evidence = evidence };
        }

        bool isUser = tree.HighestUser >= users;
        long needed = isUser ? tree.HighestUser : tree.HighestGroup;
        return new("C18", CheckLevel.Fail, $"{Printable.Shorten(tree.Owner)} belongs to {(isUser ? "user" : "group")} {needed}, and only {(isUser ? users : groups)} IDs are mapped")
        {
            Evidence = evidence,
            Fix = $"usermod --add-sub{(isUser ? "uids" : "gids")} 100000-{100000 + needed} USER",
            Source = "user_namespaces(7), subuid(5)",
        };
    }

    /// <summary>C19: what the file system of the store would drop.</summary>
    public static CheckResult FileSystem(ImageFacts image, HostFacts host)
    {
        int layers = image.Config.Rootfs.DiffIds.Count;
        if (layers > MostLayers)
        {
            return new("C19", CheckLevel.Fail, $"it has {layers} layers, and overlayfs stacks {MostLayers}") { Evidence = [new("config", "diff_ids", $"{layers}")] };
        }

        if (host.Store is not { } store)
        {
            return new("C19", CheckLevel.Unknown, "the file system of the store is not known");
        }

        List<string> lost = [];
        if (image.Tree is { } tree)
        {
            if (!store.CaseSensitive && tree.CaseCollisions is (var first, > 0 and var collisions))
            {
                lost.Add($"{collisions} names that differ only in case ({Printable.Shorten(first ?? "", 60)})");
            }

            if (((!store.Xattrs && store.Form == "directory") || host.IsRoot == false) && tree.Capabilities is (var capable, > 0 and var capabilities))
            {
                lost.Add($"{capabilities} file capabilities ({Printable.Shorten(capable ?? "", 60)})");
            }

            if (host.IsRoot == false && tree.Devices is (var device, > 0 and var devices))
            {
                lost.Add($"{devices} device nodes ({Printable.Shorten(device ?? "", 60)})");
            }
        }
        else if (NeedsTree(host))
        {
            return new("C19", CheckLevel.Unknown, $"not looked at: {Printable.Shorten(image.UnreadTree ?? "the files were not read")}");
        }

        return lost.Count > 0
            ? new("C19", CheckLevel.Warn, $"the store ({Printable.Shorten(store.FileSystem, 40)}) would lose {string.Join(", ", lost)}")
            : layers > MostLayersElsewhere
                ? new("C19", CheckLevel.Info, $"{layers} layers: other engines stack {MostLayersElsewhere} or less")
                : new("C19", CheckLevel.Pass, $"the store ({Printable.Shorten(store.FileSystem, 40)}, {Printable.Shorten(store.Form, 20)}) keeps everything");
    }

    /// <summary>C20: whether user namespaces are allowed, which only somebody who is not root needs.</summary>
    public static CheckResult Namespaces(ImageFacts image, HostFacts host)
    {
        if (host.IsRoot == true)
        {
            return new("C20", CheckLevel.Pass, "root needs no user namespace");
        }

        if (host.UserNamespace is not { } verdict)
        {
            return new("C20", CheckLevel.Unknown, "whether user namespaces can be made is not known");
        }

        if (verdict == "ok")
        {
            return new("C20", CheckLevel.Pass, "user namespaces can be made");
        }

        (string Name, string Blocking, string Fix)[] knobs =
        [
            ("user.max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
            ("kernel.unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
            ("kernel.apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile of AppArmor with userns"),
        ];
        (string name, string blocking, string fix) = Array.Find(knobs, knob => host.UserNamespaceSettings?.GetValueOrDefault(knob.Name) == knob.Blocking);
        return new("C20", CheckLevel.Fail, $"no user namespace can be made ({Printable.Shorten(verdict, 20)}){(name is null ? "" : $": {name} is {blocking}")}")
        {
            Evidence = [.. (host.UserNamespaceSettings ?? new Dictionary<string, string>()).OrderBy(knob => knob.Key, StringComparer.Ordinal)
                .Select(knob => new CheckEvidence("host", Printable.Shorten(knob.Key, 60), Printable.Shorten(knob.Value, 20)))],
            Fix = name is null ? "run it as root" : fix,
        };
    }
}
