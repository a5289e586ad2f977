using System.Runtime.InteropServices;
using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>Turns a profile of containers-common into the filter of one container on this machine.</summary>
public static class SeccompProfile
{
    private const int MaxBytes = 4 << 20;

    /// <summary>Where containers-common has its profile: the administrator's goes before the package's.</summary>
    public static readonly string[] InstalledPaths =
        ["/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"];

    /// <summary>The installed profile, else our own.</summary>
    /// <param name="capabilities">The container's bounding set.</param>
    /// <exception cref="OciException">The installed profile is not valid.</exception>
    public static SeccompSpec Default(IReadOnlyCollection<string> capabilities) =>
        Array.Find(InstalledPaths, File.Exists) is { } path ? Load(path, capabilities) : Embedded(capabilities);

    /// <summary>Reads a profile.</summary>
    /// <param name="path">A path of the host.</param>
    /// <param name="capabilities">The container's bounding set.</param>
    /// <exception cref="OciException">It cannot be read, or is not a profile.</exception>
    public static SeccompSpec Load(string path, IReadOnlyCollection<string> capabilities)
    {
        byte[] document;
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new OciException($"opening seccomp profile failed: {path} is larger than {MaxBytes} bytes");
            }

            document = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OciException($"opening seccomp profile failed: open {path}: no such file or directory", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"opening seccomp profile failed: {e.Message}", e);
        }

        return Parse(document, path, capabilities);
    }

    /// <summary>Our own profile, for a machine without containers-common.</summary>
    internal static SeccompSpec Embedded(IReadOnlyCollection<string> capabilities)
    {
        using Stream resource = typeof(SeccompProfile).Assembly.GetManifestResourceStream("default-profile.json")!;
        byte[] document = new byte[resource.Length];
        resource.ReadExactly(document);
        return Parse(document, "embedded", capabilities);
    }

    /// <summary>Resolves a document's conditions.</summary>
    internal static SeccompSpec Parse(ReadOnlySpan<byte> document, string name, IReadOnlyCollection<string> capabilities)
    {
        ProfileDocument profile;
        try
        {
            profile = JsonSerializer.Deserialize(document, SeccompProfileJson.Default.ProfileDocument)
                ?? throw new OciException($"invalid seccomp profile {name}: it is null");
        }
        catch (JsonException e)
        {
            throw new OciException($"invalid seccomp profile {name}: {Printable.Shorten(e.Message)}", e);
        }

        if (profile.Architectures is { Count: > 0 } && profile.ArchMap is { Count: > 0 })
        {
            throw new OciException($"invalid seccomp profile {name}: it has both 'architectures' and 'archMap'");
        }

        List<SyscallRule> rules = [];
        foreach (ProfileRule rule in profile.Syscalls ?? [])
        {
            IReadOnlyList<string> names = rule.Names ?? (rule.Name is null ? [] : [rule.Name]);
            if (names.Count > 0 && Includes(rule.Includes, capabilities) && !Excludes(rule.Excludes, capabilities))
            {
                rules.Add(new(names, rule.Action)
                {
                    ErrnoRet = ErrnoOf(rule.Errno, name) ?? rule.ErrnoRet,
                    Args = Arguments(rule.Args),
                });
            }
        }

        return new(profile.DefaultAction)
        {
            DefaultErrnoRet = ErrnoOf(profile.DefaultErrno, name) ?? profile.DefaultErrnoRet,
            Architectures = profile.Architectures is { Count: > 0 } ? profile.Architectures : Map(profile.ArchMap),
            Flags = profile.Flags,
            Syscalls = rules,
        };
    }

    private static List<SyscallArgument>? Arguments(IReadOnlyList<ProfileArgument>? arguments)
    {
        if (arguments is not { Count: > 0 })
        {
            return null;
        }

        List<SyscallArgument> result = [];
        foreach (ProfileArgument argument in arguments)
        {
            result.Add(new(argument.Index, argument.Value, argument.Op) { ValueTwo = argument.ValueTwo });
        }

        return result;
    }

    private static List<string>? Map(IReadOnlyList<ProfileArchitecture>? map)
    {
        string native = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? "SCMP_ARCH_AARCH64"
            : "SCMP_ARCH_X86_64";
        foreach (ProfileArchitecture entry in map ?? [])
        {
            if (entry.Architecture == native)
            {
                // without the others the 32-bit programs of an image could not run at all
                return [entry.Architecture, .. entry.SubArchitectures ?? []];
            }
        }

        return null;
    }

    private static bool Includes(ProfileCondition? condition, IReadOnlyCollection<string> capabilities)
    {
        foreach (string capability in condition?.Caps ?? [])
        {
            if (!capabilities.Contains(capability))
            {
                return false;
            }
        }

        return (condition?.Arches is not { Count: > 0 } arches || arches.Contains(MachineName()))
            && (condition?.MinKernel is not { Length: > 0 } minimum || KernelIsAtLeast(minimum));
    }

    private static bool Excludes(ProfileCondition? condition, IReadOnlyCollection<string> capabilities)
    {
        foreach (string capability in condition?.Caps ?? [])
        {
            if (capabilities.Contains(capability))
            {
                return true;
            }
        }

        return (condition?.Arches is { Count: > 0 } arches && arches.Contains(MachineName()))
            || (condition?.MinKernel is { Length: > 0 } minimum && KernelIsAtLeast(minimum));
    }

    private static string MachineName() =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    private static bool KernelIsAtLeast(string minimum) =>
        Version.TryParse(minimum, out Version? version) && Environment.OSVersion.Version >= version;

    private static uint? ErrnoOf(string? errno, string profile) =>
        string.IsNullOrEmpty(errno) ? null
        : char.IsAsciiLetterUpper(errno[0]) && Enum.TryParse(errno, out Errno value) ? (uint)value
        : throw new OciException($"invalid seccomp profile {profile}: unknown errno '{Printable.Shorten(errno)}'");
}
