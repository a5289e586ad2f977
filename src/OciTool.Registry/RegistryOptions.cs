using System.Net;

namespace OciTool.Registry;

/// <summary>How one command talks to registries.</summary>
public sealed record RegistryOptions
{
    /// <summary>
    /// Whether certificates are verified. If not, HTTPS without verification is tried first, then plain HTTP. Null when
    /// the command line does not say: then registries.conf decides, certificates are verified where it does not, and only
    /// a registry on the loopback device may be without TLS.
    /// </summary>
    public bool? TlsVerify { get; init; }

    /// <summary>Credentials from the command line; they win over every auth file.</summary>
    public Credentials? Credentials { get; init; }

    /// <summary>
    /// The only auth file to read; it must exist. If null, <c>$REGISTRY_AUTH_FILE</c> takes its place, and if that is not
    /// set, podman's and docker's files are read.
    /// </summary>
    public string? AuthFile { get; init; }

    /// <summary>
    /// A directory with <c>*.crt</c> files, which are trusted besides the system's authorities, and with <c>*.cert</c> and
    /// <c>*.key</c> files, which tell a registry who we are.
    /// </summary>
    public string? CertDirectory { get; init; }

    /// <summary>The main registries.conf; it must exist. If null, <c>$CONTAINERS_REGISTRIES_CONF</c> or the usual file.</summary>
    public string? RegistriesConf { get; init; }

    /// <summary>The only directory of drop-ins for registries.conf; null for the usual ones.</summary>
    public string? RegistriesConfDirectory { get; init; }

    /// <summary>How often a request is repeated after a failure that may pass.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>How long to wait before a repetition; null for 1, 2, 4 … s.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>How long a blob may go on with less than 1 KiB before its connection is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting may take, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the headers of a response may take.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether a blob comes over one connection, however slow it is: for readers that may stop before its end.</summary>
    public bool IsSequential { get; init; }

    /// <summary>When a blob comes over several connections; tests bring their own.</summary>
    internal ParallelRanges Ranges { get; init; } = new();

    /// <summary>Finds the addresses of a host; tests bring their own.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Whether token servers are asked for an identity token besides, to be kept in place of the password.</summary>
    internal bool WantsIdentityToken { get; init; }

    /// <summary>Looks up an environment variable; tests bring their own.</summary>
    internal Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>Where the system's configuration is; tests bring their own.</summary>
    internal string SystemConfiguration { get; init; } = "/etc/containers";

    /// <summary>Where the system keeps what it has found out; tests bring their own.</summary>
    internal string SystemCache { get; init; } = "/var/cache";

    /// <summary>Whether the certificates of servers must be good.</summary>
    internal bool VerifiesCertificates => TlsVerify ?? true;

    /// <summary>Whether no connection may be made: <c>OCI_OFFLINE</c> is set to something else than a no.</summary>
    public bool IsOffline => Variable("OCI_OFFLINE") is { } value && value is not ("0" or "false" or "no");

    /// <summary>Where the user's configuration is.</summary>
    internal string ConfigHome => Variable("XDG_CONFIG_HOME") ?? Path.Join(Variable("HOME") ?? "/", ".config");

    /// <summary>An environment variable; null when it is empty, too.</summary>
    internal string? Variable(string name) => Environment(name) is { Length: > 0 } value ? value : null;
}
