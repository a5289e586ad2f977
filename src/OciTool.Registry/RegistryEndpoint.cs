using OciTool.Images;

namespace OciTool.Registry;

/// <summary>One repository at one server: what a client is bound to. A mirror has an endpoint of its own.</summary>
/// <param name="Registry">The server as people name it, with its port, for example <c>quay.io</c> or <c>docker.io</c>.</param>
/// <param name="Repository">The repository at that server; empty where only the server itself is asked.</param>
public sealed record RegistryEndpoint(string Registry, string Repository)
{
    /// <summary>Whether plain HTTP and unknown certificates will do there; null where registries.conf is to be asked.</summary>
    public bool? IsInsecure { get; init; }

    /// <summary>What credentials are looked up for, for example <c>quay.io/fedora/fedora</c>.</summary>
    public string Name => Repository.Length == 0 ? Registry : $"{Registry}/{Repository}";

    /// <summary>Another repository of this server whose blobs may be mounted into this one; null for none.</summary>
    /// <remarks>distribution-spec v1.1, "Mounting a blob from another repository". A token is asked for reading it, too.</remarks>
    public string? MountFrom { get; init; }

    /// <summary>The host and port that requests go to.</summary>
    internal string Host => Registry == Reference.DefaultRegistry ? "registry-1.docker.io" : Registry;

    /// <summary>Where a reference itself points to.</summary>
    /// <param name="reference">The image.</param>
    public static RegistryEndpoint Of(Reference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new(reference.Registry, reference.Repository);
    }

    /// <summary>What people log into: a registry, or a namespace or repository in one; of a URL only the host counts.</summary>
    /// <param name="text">For example <c>quay.io</c>, <c>https://localhost:5000</c> or <c>quay.io/team</c>.</param>
    /// <exception cref="OciException">It names no registry, or has a tag or a digest.</exception>
    public static RegistryEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string name = text;
        if (text.StartsWith("https://", StringComparison.Ordinal) || text.StartsWith("http://", StringComparison.Ordinal))
        {
            name = Uri.TryCreate(text, UriKind.Absolute, out Uri? url) ? url.Authority : "";
        }

        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string registry = slash < 0 ? name : name[..slash];
        RegistryEndpoint endpoint = new(
            registry is "index.docker.io" or "registry-1.docker.io" ? Reference.DefaultRegistry : registry,
            slash < 0 ? "" : name[(slash + 1)..]);

        // what a repository below it would be called shows whether it is one
        string below = $"{endpoint.Name}/x/x";
        return Reference.TryParse(below, out Reference? reference, out _) && reference.Registry == endpoint.Registry && reference.Name == below
            ? endpoint
            : throw new OciException($"invalid registry '{Printable.Shorten(text)}': want a host, for example quay.io or localhost:5000, or a namespace or repository in one");
    }
}
