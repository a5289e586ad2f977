namespace OciTool.Registry.Configuration;

/// <summary>One <c>[[registry]]</c>: what holds for all names below a prefix.</summary>
/// <remarks>containers-registries.conf(5), "Namespaced [[registry]] settings".</remarks>
/// <param name="Prefix">Whose names it is about: a registry, a namespace, a repository, an image, or <c>*.host</c>.</param>
/// <param name="Location">What takes the prefix's place in requests; empty where nothing does.</param>
/// <param name="File">The file that says so.</param>
internal sealed record RegistryTable(string Prefix, string Location, string File)
{
    /// <summary>Whether plain HTTP and unknown certificates will do at the location.</summary>
    internal bool IsInsecure { get; init; }

    /// <summary>Whether nothing may be pulled.</summary>
    internal bool IsBlocked { get; init; }

    /// <summary>Whether the mirrors are for names with a digest only.</summary>
    internal bool MirrorByDigestOnly { get; init; }

    /// <summary>What is asked before the location, in this order.</summary>
    internal IReadOnlyList<MirrorTable> Mirrors { get; init; } = [];

    /// <summary>How much of a name the prefix covers, in characters; -1 when it is not about that name.</summary>
    /// <param name="name">A whole name, with its tag and digest where it has them.</param>
    internal int Match(string name) => Match(Prefix, name);

    private static int Match(string prefix, string name)
    {
        if (prefix.StartsWith("*.", StringComparison.Ordinal))
        {
            int slash = name.IndexOf('/', StringComparison.Ordinal);
            string host = slash < 0 ? name : name[..slash];
            int port = host.LastIndexOf(':');
            host = port < 0 ? host : host[..port];
            return host.EndsWith(prefix[1..], StringComparison.Ordinal) ? host.Length : -1;
        }

        if (!name.StartsWith(prefix, StringComparison.Ordinal))
        {
            return -1;
        }

        // behind a repository comes a tag; behind a bare host a colon would begin the port of another registry
        bool isWhole = name.Length == prefix.Length || name[prefix.Length] is '/' or '@'
            || (name[prefix.Length] == ':' && prefix.Contains('/', StringComparison.Ordinal));
        return isWhole ? prefix.Length : -1;
    }
}

/// <summary>One <c>[[registry.mirror]]</c>.</summary>
/// <param name="Location">What takes the prefix's place.</param>
/// <param name="IsInsecure">Whether plain HTTP and unknown certificates will do.</param>
/// <param name="Use">Which names it is for.</param>
internal sealed record MirrorTable(string Location, bool IsInsecure, MirrorUse Use);

/// <summary>The values of <c>pull-from-mirror</c>.</summary>
internal enum MirrorUse
{
    /// <summary>All names.</summary>
    All,

    /// <summary>Names with a digest.</summary>
    DigestOnly,

    /// <summary>Names without one.</summary>
    TagOnly,
}
