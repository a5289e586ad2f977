using System.Globalization;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Storage;
using OciTool.Storage.Layers;

namespace OciTool.Cli.Compatibility;

/// <summary>Looks at this machine, by asking its kernel.</summary>
internal static class HostSurvey
{
    private const string BinaryFormats = "/proc/sys/fs/binfmt_misc";

    private static readonly string[] UserNamespaceKnobs =
        ["user.max_user_namespaces", "kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns"];

    /// <summary>Takes the facts now.</summary>
    /// <param name="store">The store, whose file system is looked at.</param>
    /// <param name="architectures">The architectures to try, beside this machine's own; null for all that can be tried.</param>
    public static HostFacts Take(StorageRoot store, IReadOnlyCollection<string>? architectures)
    {
        bool isRoot = Environment.IsPrivilegedProcess;
        HostFacts facts = new()
        {
            Architecture = Platform.Host.Architecture,
            Variant = Platform.Host.Variant,
            Kernel = ReadLine("/proc/sys/kernel/osrelease"),
            PageSize = HostProbe.PageSize,
            OsRelease = ReadRelease(),
            Executes = Try(architectures ?? HostProbe.Architectures),
            Handlers = ReadHandlers(),
            SystemCalls = architectures is null ? WithWideTime(HostProbe.SystemCalls(), Platform.Host.Architecture) : HostProbe.SystemCalls(),
            Cgroups = KindOf(CgroupMounts.Read()),
            IsRoot = isRoot,
            UserNamespaceSettings = UserNamespaceKnobs
                .Select(name => (Name: name, Value: ReadLine($"/proc/sys/{name.Replace('.', '/')}")))
                .Where(knob => knob.Value.Length > 0).ToDictionary(knob => knob.Name, knob => knob.Value, StringComparer.Ordinal),
            Store = StoreOf(store),
        };
        return isRoot
            ? facts with { MappedUsers = End("/proc/self/uid_map"), MappedGroups = End("/proc/self/gid_map") }
            : facts with
            {
                UserNamespace = HostProbe.UserNamespaces(),
                MappedUsers = 1 + Subordinate("/etc/subuid"), // the user itself is root inside
                MappedGroups = 1 + Subordinate("/etc/subgid"),
            };
    }

    /// <summary>Adds what an image makes worth trying: what is native is not executed for a trial, and calls of 32 bits are only made for a program of 32.</summary>
    /// <param name="image">The image.</param>
    /// <param name="facts">What is known of this machine.</param>
    public static HostFacts For(ImageFacts image, HostFacts facts)
    {
        if (image.Architecture != facts.Architecture && facts.Executes?.ContainsKey(image.Architecture) != true && HostProbe.Architectures.Contains(image.Architecture))
        {
            facts = facts with
            {
                Executes = new Dictionary<string, string>(facts.Executes ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [image.Architecture] = HostProbe.Execute(image.Architecture) },
            };
        }

        return image.Program is { Is64: false } ? facts with { SystemCalls = WithWideTime(facts.SystemCalls, image.Architecture) } : facts;
    }

    private static IReadOnlyDictionary<string, string>? WithWideTime(IReadOnlyDictionary<string, string>? calls, string architecture) =>
        HostProbe.WideTime(architecture switch { "amd64" => "386", "arm64" => "arm", _ => architecture }) is { } answer
            ? new Dictionary<string, string>(calls ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [HostFacts.WideTimeCall] = answer }
            : calls;

    /// <summary>Reads a file of binfmt_misc.</summary>
    /// <param name="name">The handler's name.</param>
    /// <param name="text">What the kernel says of it.</param>
    /// <returns>Null for what handles by the file's extension.</returns>
    internal static ForeignHandler? ParseHandler(string name, string text)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        bool enabled = false;
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ', 2);
            enabled |= line == "enabled";
            values[words[0].TrimEnd(':')] = words.Length > 1 ? words[1].Trim() : "";
        }

        return values.TryGetValue("magic", out string? magic)
            ? new ForeignHandler(
                name, values.GetValueOrDefault("interpreter", ""), values.GetValueOrDefault("flags", ""),
                int.TryParse(values.GetValueOrDefault("offset"), NumberStyles.None, CultureInfo.InvariantCulture, out int offset) ? offset : 0,
                magic, values.GetValueOrDefault("mask", ""))
            { Enabled = enabled }
            : null;
    }

    /// <summary>The first ID that a map of a user namespace leaves out.</summary>
    /// <param name="map">The text of <c>/proc/self/uid_map</c>.</param>
    internal static long EndOfMap(string map)
    {
        long end = 0;
        foreach ((long Inside, long Count) range in map.Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length == 3)
            .Select(words => (Number(words[0]), Number(words[2]))).OrderBy(range => range.Item1))
        {
            end = range.Inside <= end ? Math.Max(end, range.Inside + range.Count) : end;
        }

        return end;
    }

    private static Dictionary<string, string> Try(IReadOnlyCollection<string> architectures) =>
        architectures.ToDictionary(name => name, HostProbe.Execute, StringComparer.Ordinal);

    private static IReadOnlyList<ForeignHandler>? ReadHandlers()
    {
        try
        {
            // not mounted: then there is none, for handlers live in the file system
            if (!File.Exists($"{BinaryFormats}/status"))
            {
                return [];
            }

            bool isOn = ReadLine($"{BinaryFormats}/status") == "enabled";
            return
            [
                .. Directory.GetFiles(BinaryFormats).Order(StringComparer.Ordinal)
                    .Where(path => Path.GetFileName(path) is not ("status" or "register"))
                    .Select(path => ParseHandler(Path.GetFileName(path), File.ReadAllText(path)))
                    .OfType<ForeignHandler>().Select(handler => handler with { Enabled = handler.Enabled && isOn }),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IReadOnlyDictionary<string, string>? ReadRelease()
    {
        string? path = Array.Find(["/etc/os-release", "/usr/lib/os-release"], File.Exists);
        return path is null || new FileInfo(path).Length > OsRelease.MaxSize ? null : OsRelease.Parse(path, File.ReadAllBytes(path)).Values;
    }

    private static string KindOf(CgroupMounts mounts) =>
        mounts.IsUnified ? "v2" : mounts.V1.Count == 0 ? "none" : mounts.V2 is null ? "v1" : "hybrid";

    private static StoreFacts StoreOf(StorageRoot store)
    {
        string fileSystem;
        try
        {
            fileSystem = Directory.Exists(store.Path) ? new DriveInfo(store.Path).DriveFormat : "unknown";
        }
        catch (IOException)
        {
            fileSystem = "unknown";
        }

        // the form that was asked for, or else what root gets; finding out by a trial costs more than a check may
        bool isDirectory = store.AskedForm == SnapshotForm.Directory || !Environment.IsPrivilegedProcess;
        return new StoreFacts(
            fileSystem, isDirectory ? "directory" : "erofs",
            Xattrs: fileSystem is not ("msdos" or "vfat" or "exfat" or "nfs"),
            CaseSensitive: fileSystem is not ("msdos" or "vfat" or "exfat" or "ntfs3"));
    }

    private static long End(string path)
    {
        try
        {
            return EndOfMap(File.ReadAllText(path));
        }
        catch (IOException)
        {
            return uint.MaxValue; // a kernel without user namespaces
        }
    }

    private static long Subordinate(string path)
    {
        try
        {
            return File.ReadLines(path).Select(line => line.Split(':'))
                .Where(words => words.Length == 3 && words[0] == Environment.UserName).Sum(words => Number(words[2]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
