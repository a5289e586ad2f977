using System.Globalization;
using System.Net;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>The proxy that the environment names for a server, by the rules of Go's programs.</summary>
/// <remarks>
/// <c>HTTPS_PROXY</c> and <c>HTTP_PROXY</c>, else <c>ALL_PROXY</c>, and <c>NO_PROXY</c>; each in lower case too. A proxy is
/// <c>http://</c> (also without the scheme), <c>https://</c> or <c>socks5://</c>, with user and password where it wants them.
/// <c>NO_PROXY</c> lists hosts, which stand for what is below them too, hosts with a leading dot, which do not stand for
/// themselves, addresses, networks (<c>10.0.0.0/8</c>), each of the first three with a port where it matters, or <c>*</c> for all.
/// This machine itself is never asked through a proxy.
/// </remarks>
internal sealed class EnvironmentProxy : IWebProxy, ICredentials
{
    private readonly Uri? _http;
    private readonly Uri? _https;
    private readonly Dictionary<Uri, NetworkCredential> _credentials = [];
    private readonly List<Func<string, int, IPAddress?, bool>> _direct = [];
    private readonly bool _allDirect;

    /// <summary>Reads the environment.</summary>
    /// <param name="variable">Looks up a variable; null when it is not set or empty.</param>
    /// <exception cref="OciException">A proxy is not a URL.</exception>
    internal EnvironmentProxy(Func<string, string?> variable)
    {
        _https = Parse(variable, "HTTPS_PROXY") ?? Parse(variable, "ALL_PROXY");
        // a CGI server hands a request's header Proxy to us under this name
        _http = (variable("REQUEST_METHOD") is null ? Parse(variable, "HTTP_PROXY") : null) ?? Parse(variable, "ALL_PROXY");
        foreach (string entry in (Either(variable, "NO_PROXY") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (entry == "*")
            {
                _allDirect = true;
            }
            else if (Exception(entry.ToLowerInvariant()) is { } exception)
            {
                _direct.Add(exception);
            }
        }
    }

    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => this;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public NetworkCredential? GetCredential(Uri uri, string authType) => _credentials.GetValueOrDefault(uri);

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : ProxyOf(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host)
    {
        if (_allDirect || Addresses.IsLoopback(host) || ProxyOf(host) is null)
        {
            return true;
        }

        string name = host.IdnHost.TrimEnd('.').ToLowerInvariant();
        IPAddress? address = IPAddress.TryParse(name, out IPAddress? parsed) ? parsed : null;
        return _direct.Exists(exception => exception(name, host.Port, address));
    }

    /// <summary>Whether a connection to this host and port is one to a proxy of the environment.</summary>
    internal bool IsAt(string host, int port) => Is(_http, host, port) || Is(_https, host, port);

    private static bool Is(Uri? proxy, string host, int port) =>
        proxy is not null && proxy.Port == port && string.Equals(proxy.IdnHost, host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);

    private Uri? ProxyOf(Uri server) => server.Scheme == Uri.UriSchemeHttps ? _https : _http;

    private static string? Either(Func<string, string?> variable, string name) => variable(name) ?? variable(name.ToLowerInvariant());

    private Uri? Parse(Func<string, string?> variable, string name)
    {
        if (Either(variable, name) is not { } text)
        {
            return null;
        }

        bool isWhole = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(isWhole ? text : $"http://{text}", UriKind.Absolute, out Uri? given) || given.Host.Length == 0
            || given.Scheme is not ("http" or "https" or "socks4" or "socks4a" or "socks5" or "socks5h"))
        {
            // the text itself may have a password in it
            throw new OciException($"invalid proxy in {name}: want [http://|https://|socks5://][user:password@]host[:port]");
        }

        // with socks5 it is the proxy in any case that looks the host up
        string scheme = given.Scheme == "socks5h" ? "socks5" : given.Scheme;
        Uri proxy = new UriBuilder(scheme, given.Host, given.Port < 0 ? 1080 : given.Port).Uri;
        if (given.UserInfo.Length > 0)
        {
            string[] user = given.UserInfo.Split(':', 2);
            _credentials[proxy] = new NetworkCredential(Uri.UnescapeDataString(user[0]), user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "");
        }

        return proxy;
    }

    // what is not a host, an address or a network stands for nothing
    private static Func<string, int, IPAddress?, bool>? Exception(string entry)
    {
        if (entry.Contains('/', StringComparison.Ordinal))
        {
            return IPNetwork.TryParse(Masked(entry), out IPNetwork network)
                ? (_, _, address) => address is not null && network.Contains(address)
                : null;
        }

        (string host, int? port) = SplitPort(entry);
        if (host.Length == 0)
        {
            return null;
        }

        if (IPAddress.TryParse(host, out IPAddress? only))
        {
            return (_, at, address) => only.Equals(address) && (port is null || port == at);
        }

        host = host.StartsWith("*.", StringComparison.Ordinal) ? host[1..] : host;
        string suffix = host.StartsWith('.') ? host : $".{host}";
        return (name, at, _) => (name.EndsWith(suffix, StringComparison.Ordinal) || name == host)
            && (port is null || port == at);
    }

    private static (string Host, int? Port) SplitPort(string entry)
    {
        int colon = entry.LastIndexOf(':');
        bool hasPort = colon >= 0 && (entry.IndexOf(':', StringComparison.Ordinal) == colon || entry[colon - 1] == ']');
        string host = hasPort ? entry[..colon] : entry;
        host = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        return !hasPort || colon == entry.Length - 1 ? (host, null)
            : int.TryParse(entry[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? (host, port)
            : ("", null);
    }

    // .NET wants the bits behind the prefix to be zero; people write the address of a machine
    private static string Masked(string network)
    {
        int slash = network.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(network.AsSpan(0, slash), out IPAddress? address)
            || !int.TryParse(network.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length))
        {
            return network;
        }

        byte[] bytes = address.GetAddressBytes();
        for (int bit = Math.Min(length, bytes.Length * 8); bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return $"{new IPAddress(bytes)}/{length}";
    }
}
