using System.Net;

namespace OciTool.Registry;

/// <summary>How one command talks to registries.</summary>
public sealed record RegistryOptions
{
    /// <summary>
    /// Whether certificates are verified. If not, HTTPS without verification is tried first, then plain HTTP.
    /// </summary>
    public bool TlsVerify { get; init; } = true;

    /// <summary>Credentials from the command line; they win over every auth file.</summary>
    public Credentials? Credentials { get; init; }

    /// <summary>
    /// The only auth file to read; it must exist. If null, <c>$REGISTRY_AUTH_FILE</c> takes its place, and if that is not
    /// set, podman's and docker's files are read.
    /// </summary>
    public string? AuthFile { get; init; }

    /// <summary>A directory with <c>*.crt</c> files, which are trusted besides the system's authorities.</summary>
    public string? CertDirectory { get; init; }

    /// <summary>How often a request is repeated after a failure that may pass.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>How long a blob may go on with less than 1 KiB before its connection is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting may take, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the headers of a response may take.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>When a blob comes over several connections; tests bring their own.</summary>
    internal ParallelRanges Ranges { get; init; } = new();

    /// <summary>Finds the addresses of a host; tests bring their own.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Whether token servers are asked for an identity token besides, to be kept in place of the password.</summary>
    internal bool WantsIdentityToken { get; init; }

    /// <summary>Looks up an environment variable; tests bring their own.</summary>
    internal Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;
}
