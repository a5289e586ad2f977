namespace OciTool.Images.Verification;

/// <summary>How a policy calls an image that does not come from a registry.</summary>
/// <param name="Transport">The transport, for example <c>oci-archive</c>.</param>
/// <param name="Scopes">The scopes that hold for the image, most specific first; without that of the whole transport, which always does.</param>
/// <param name="Image">How errors call it, printable.</param>
/// <remarks>containers-policy.json(5), section "Supported transports and their scopes".</remarks>
public sealed record TransportScope(string Transport, IReadOnlyList<string> Scopes, string Image)
{
    /// <summary>The scopes of an image that has a name as in a registry, and is in the hands of another engine.</summary>
    /// <param name="transport">The engine's transport.</param>
    /// <param name="name">The image's name.</param>
    /// <param name="image">How errors call it.</param>
    public static TransportScope Of(string transport, Reference name, string image) =>
        new(transport, [.. Policy.Scopes(name).Where(scope => scope.Length > 0)], image);
}
