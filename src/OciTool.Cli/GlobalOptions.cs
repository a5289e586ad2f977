using System.Text;
using OciTool.Cli.Output;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli;

/// <summary>The options that every verb takes.</summary>
internal sealed record GlobalOptions
{
    /// <summary>Their names, types and descriptions, in the order of the help text.</summary>
    public static readonly IReadOnlyList<(string Name, string Type, string Description)> Descriptions =
    [
        ("--additional-imagestore", "string", "Directories of stores, with colons between them, whose images are used and never written (OCI_ADDITIONAL_STORES)"),
        ("--lock-timeout", "duration", "How long to wait for a lock of the store that another process holds, such as 30s (OCI_LOCK_TIMEOUT); without an end by default"),
        ("--log-level", "string", "Log messages above specified level (trace, debug, info, warn, error, fatal) (default \"warn\")"),
        ("--registries-conf", "string", "Path to a registries.conf to use in place of the usual one (CONTAINERS_REGISTRIES_CONF)"),
        ("--registries-conf-dir", "string", "Path to the only directory of drop-ins for registries.conf"),
        ("--root", "string", "Path to the directory in which images and containers are stored (OCI_ROOT)"),
        ("--runroot", "string", "Path to the directory in which run-time state is stored (OCI_RUNROOT)"),
        ("--snapshotter", "string", "Form in which layers are kept: erofs or directory (OCI_SNAPSHOTTER); the default suits the machine"),
    ];

    private static readonly string[] Levels = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];

    /// <summary>The main registries.conf; null for the usual one.</summary>
    public string? RegistriesConf { get; init; }

    /// <summary>The only directory of drop-ins for registries.conf; null for the usual ones.</summary>
    public string? RegistriesConfDirectory { get; init; }

    /// <summary>The store's directory; null for the default one.</summary>
    public string? Root { get; init; }

    /// <summary>The run state's directory; null for the default one.</summary>
    public string? RunRoot { get; init; }

    /// <summary>Stores that are used beside it, with colons between them.</summary>
    public string? AdditionalStores { get; init; }

    /// <summary>The form in which layers are kept; null for the one that suits this machine.</summary>
    public string? Snapshotter { get; init; }

    /// <summary>How long to wait for a lock of the store; null for <c>OCI_LOCK_TIMEOUT</c>, or without an end.</summary>
    public TimeSpan? LockTimeout { get; init; }

    /// <summary>The least grave level that is logged, in lower case.</summary>
    public string LogLevel { get; init; } = "warn";

    /// <summary>The store that these options name.</summary>
    /// <exception cref="UsageException"><c>OCI_LOCK_TIMEOUT</c> is not a duration.</exception>
    public StorageRoot OpenStore() => StorageRoot.Open(Root, RunRoot, Snapshotter, AdditionalStores, new LockPatience(
        LockTimeout ?? (Environment.GetEnvironmentVariable("OCI_LOCK_TIMEOUT") is { Length: > 0 } value ? GoDuration.Parse(value) : null),
        Tell));

    /// <summary>Whether a name with its dashes is one of these options.</summary>
    public static bool IsName(string name) => name is "--additional-imagestore" or "--root" or "--runroot" or "--snapshotter"
        or "--lock-timeout" or "--log-level" or "--registries-conf" or "--registries-conf-dir";

    /// <summary>These options with one more set.</summary>
    /// <exception cref="UsageException">The value is not one of the option.</exception>
    public GlobalOptions With(string name, string value) => name switch
    {
        "--additional-imagestore" => this with { AdditionalStores = value },
        "--root" => this with { Root = value },
        "--runroot" => this with { RunRoot = value },
        "--lock-timeout" => this with { LockTimeout = GoDuration.Parse(value) },
        "--registries-conf" => this with { RegistriesConf = value },
        "--registries-conf-dir" => this with { RegistriesConfDirectory = value },
        "--snapshotter" => value is "erofs" or "directory"
            ? this with { Snapshotter = value }
            : throw new UsageException($"snapshotter \"{Printable.Escape(value)}\" is not supported, choose from: erofs, directory"),
        _ => Array.IndexOf(Levels, value.ToLowerInvariant()) >= 0
            ? this with { LogLevel = value.ToLowerInvariant() }
            : throw new UsageException(
                $"log level \"{Printable.Escape(value)}\" is not supported, choose from: trace, debug, info, warn, warning, error, fatal, panic"),
    };

    // a wait may happen where no verb's writer is at hand, and it is rare enough to make one for it
    private static void Tell(string message)
    {
        try
        {
            using StandardOutput error = new(2);
            error.Write(Encoding.UTF8.GetBytes($"{message}\n"));
        }
        catch (IOException)
        {
            // nobody reads it
        }
    }
}

/// <summary>The command line is wrong.</summary>
internal sealed class UsageException(string message) : OciException(message)
{
    /// <summary>The line after the message that tells where help is; null for none.</summary>
    public string? Advice { get; init; }
}
