using System.Net;

namespace OciTool.Registry;

/// <summary>Where a server may send us on to, so that a registry cannot make us reach into the network that we are in.</summary>
internal static class Addresses
{
    private static readonly IPNetwork[] Inner =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("::/127"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/10"),
    ];

    private static readonly IPAddress[] MetadataServices = [IPAddress.Parse("169.254.169.254"), IPAddress.Parse("fd00:ec2::254")];

    /// <summary>Whether this is this machine: <c>localhost</c>, 127/8 or ::1.</summary>
    internal static bool IsLoopback(Uri server) =>
        Literal(server) is { } address ? IPAddress.IsLoopback(address) : IsLocalhost(server);

    /// <summary>Whether the host is written as a loopback, link-local, private or unspecified address.</summary>
    internal static bool IsInner(Uri server) =>
        Literal(server) is { } address ? IsInner(address) : IsLocalhost(server);

    /// <summary>Whether this is a loopback, link-local, private or unspecified address.</summary>
    internal static bool IsInner(IPAddress address)
    {
        address = Plain(address);
        return Array.Exists(Inner, network => network.Contains(address));
    }

    /// <summary>Whether a cloud's metadata service has this address: it hands out credentials to whoever is on the machine.</summary>
    internal static bool IsMetadataService(IPAddress address) => Array.IndexOf(MetadataServices, Plain(address)) >= 0;

    /// <summary>Whether two URLs have scheme, host and port in common.</summary>
    internal static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && IsSameHost(one, other);

    /// <summary>Whether two URLs have the host in common.</summary>
    internal static bool IsSameHost(Uri one, Uri other) =>
        string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a server may not send us from one URL to another; null when it may.</summary>
    internal static string? Refusal(Uri from, Uri to)
    {
        if (to.Scheme != Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttp)
        {
            return "it is neither http nor https";
        }

        if (to.UserInfo.Length > 0)
        {
            return "it has a user in it";
        }

        if (Literal(to) is { } address && IsMetadataService(address))
        {
            return "it is a cloud's metadata service";
        }

        return IsInner(to) && !IsInner(from) && !IsSameHost(from, to)
            ? "a public server may not point to a loopback, link-local or private address"
            : null;
    }

    /// <summary>Scheme, host and port, for errors.</summary>
    internal static string Origin(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private static bool IsLocalhost(Uri server)
    {
        string host = server.IdnHost.TrimEnd('.');
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }

    private static IPAddress? Literal(Uri server) =>
        IPAddress.TryParse(server.IdnHost.TrimEnd('.'), out IPAddress? address) ? Plain(address) : null;

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
