using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>The keys of <see cref="SeccompCache"/>: all that a program depends on.</summary>
internal static class SeccompKey
{
    // raised when the compiler or the embedded profile changes its result for the same input
    private const int Format = 2;

    private static readonly string[] LibraryPaths =
    [
        "/usr/lib/x86_64-linux-gnu/libseccomp.so.2", "/usr/lib/aarch64-linux-gnu/libseccomp.so.2",
        "/usr/lib64/libseccomp.so.2", "/usr/lib/libseccomp.so.2",
    ];

    /// <summary>The key of a profile of containers-common, which is told by its file's identity and not read.</summary>
    /// <param name="path">The profile; null for the embedded one.</param>
    /// <param name="capabilities">The container's bounding set.</param>
    internal static byte[] OfProfile(string? path, IReadOnlyList<string> capabilities)
    {
        StringBuilder key = Machine("profile");
        AppendIdentity(key, path);
        return Encoding.UTF8.GetBytes(key.AppendJoin(' ', capabilities).Append('\n').ToString());
    }

    /// <summary>The key of a filter of a config.json: the filter itself, without what the program does not depend on.</summary>
    internal static byte[] OfSpec(SeccompSpec spec)
    {
        SeccompSpec judged = spec with { Flags = null, ListenerPath = null, ListenerMetadata = null };
        return
        [
            .. Encoding.UTF8.GetBytes(Machine("spec").ToString()),
            .. RuntimeJson.ToBytes(judged, RuntimeJson.Write),
        ];
    }

    private static StringBuilder Machine(string kind)
    {
        StringBuilder key = new();
        key.Append(CultureInfo.InvariantCulture, $"{Format} {kind} {RuntimeInformation.ProcessArchitecture} ")
            .Append(Environment.OSVersion.Version).Append('\n');
        AppendIdentity(key, Array.Find(LibraryPaths, File.Exists));
        return key;
    }

    private static void AppendIdentity(StringBuilder key, string? path)
    {
        if (path is not null)
        {
            FileInfo named = new(path);
            FileSystemInfo file = named.ResolveLinkTarget(returnFinalTarget: true) ?? named;
            key.Append(file.FullName).Append(' ')
                .Append(CultureInfo.InvariantCulture, $"{(file as FileInfo)?.Length} {file.LastWriteTimeUtc.Ticks}");
        }

        key.Append('\n');
    }
}
