using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>Which filter a container gets, before anything of it is read.</summary>
/// <remarks>
/// Reading the profile and loading libseccomp cost more than the rest of a container's start, and their result is the
/// same from one container to the next: it is cached under everything that it depends on (ADR 6).
/// </remarks>
public sealed class SeccompSelection
{
    private readonly string? _path;
    private readonly IReadOnlyList<string> _capabilities;

    private SeccompSelection(string? path, IReadOnlyList<string> capabilities)
    {
        _path = path;
        _capabilities = capabilities;
    }

    /// <summary>Chooses the filter.</summary>
    /// <param name="profile">A path, <c>unconfined</c>, or null for the default.</param>
    /// <param name="privileged">Whether the container is to have no filter unless it is asked for.</param>
    /// <param name="capabilities">The container's bounding set.</param>
    /// <returns>Null for no filter.</returns>
    /// <exception cref="OciException">There is no such profile.</exception>
    public static SeccompSelection? Choose(string? profile, bool privileged, IReadOnlyList<string> capabilities)
    {
        switch (profile)
        {
            case "unconfined":
                return null;
            case null or "":
                return privileged ? null : new(Array.Find(SeccompProfile.InstalledPaths, File.Exists), capabilities);
            default:
                return File.Exists(profile)
                    ? new(profile, capabilities)
                    : throw new OciException(
                        $"opening seccomp profile failed: open {profile}: no such file or directory");
        }
    }

    /// <summary>Reads the filter: what <c>linux.seccomp</c> of a config.json holds.</summary>
    /// <exception cref="OciException">The profile is not valid.</exception>
    public SeccompSpec ToSpec() => _path is null
        ? SeccompProfile.Embedded(_capabilities)
        : SeccompProfile.Load(_path, _capabilities);

    /// <summary>The filter as a program.</summary>
    /// <param name="cacheDirectory">A directory that only we can write to, made when absent; null for no cache.</param>
    /// <returns>An array of <c>struct sock_filter</c>.</returns>
    /// <exception cref="OciException">The profile is not valid, or libseccomp is not installed.</exception>
    public byte[] Compile(string? cacheDirectory)
    {
        if (cacheDirectory is null)
        {
            return SeccompCompiler.Compile(ToSpec());
        }

        byte[] key = SeccompKey.OfProfile(_path, _capabilities);
        if (SeccompCache.TryRead(cacheDirectory, key) is { } cached)
        {
            return cached;
        }

        byte[] program = SeccompCompiler.Compile(ToSpec());
        SeccompCache.Write(cacheDirectory, key, program);
        return program;
    }
}
