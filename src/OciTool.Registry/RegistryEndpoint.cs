using OciTool.Images;

namespace OciTool.Registry;

/// <summary>One repository at one server: what a client is bound to. A mirror has an endpoint of its own.</summary>
/// <param name="Registry">The server as people name it, with its port, for example <c>quay.io</c> or <c>docker.io</c>.</param>
/// <param name="Repository">The repository at that server; empty where only the server itself is asked.</param>
public sealed record RegistryEndpoint(string Registry, string Repository)
{
    /// <summary>What credentials are looked up for, for example <c>quay.io/fedora/fedora</c>.</summary>
    public string Name => Repository.Length == 0 ? Registry : $"{Registry}/{Repository}";

    /// <summary>The host and port that requests go to.</summary>
    internal string Host => Registry == Reference.DefaultRegistry ? "registry-1.docker.io" : Registry;

    /// <summary>Where a reference itself points to.</summary>
    /// <param name="reference">The image.</param>
    public static RegistryEndpoint Of(Reference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new(reference.Registry, reference.Repository);
    }
}
