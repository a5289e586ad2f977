using System.Runtime.InteropServices;
using OciTool.Cli.Output;

namespace OciTool.Cli.Views;

/// <summary>What <c>version --format json</c> prints.</summary>
/// <param name="Client">This binary; there is no server.</param>
internal sealed record VersionReport(VersionInformation Client);

/// <summary>A version of this tool, with podman's keys.</summary>
internal sealed record VersionInformation
{
    /// <summary>The version of the interface.</summary>
    public string APIVersion { get; init; } = "";

    /// <summary>The version of the tool.</summary>
    public string Version { get; init; } = "";

    /// <summary>The runtime: .NET where podman has Go.</summary>
    public string GoVersion { get; init; } = "";

    /// <summary>The commit; empty in builds that do not say.</summary>
    public string GitCommit { get; init; } = "";

    /// <summary>When it was built, in words.</summary>
    public string BuiltTime { get; init; } = "";

    /// <summary>When it was built, in seconds since 1970; 0 because builds are reproducible.</summary>
    public long Built { get; init; }

    /// <summary>System and architecture, for example <c>linux/amd64</c>.</summary>
    public string OsArch { get; init; } = "";

    /// <summary>The system.</summary>
    public string Os { get; init; } = "linux";

    private static string GoArchitecture => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>Describes the running binary.</summary>
    public static VersionInformation OfThisBuild() => new()
    {
        APIVersion = Program.Version,
        Version = Program.Version,
        GoVersion = RuntimeInformation.FrameworkDescription,
        BuiltTime = GoTime.Ansi(DateTimeOffset.UnixEpoch),
        OsArch = $"linux/{GoArchitecture}",
    };
}
