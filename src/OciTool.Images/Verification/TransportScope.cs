namespace OciTool.Images.Verification;

/// <summary>How a policy calls an image that does not come from a registry.</summary>
/// <param name="Transport">The transport, for example <c>oci-archive</c>.</param>
/// <param name="Scopes">The scopes that hold for the image, most specific first; without that of the whole transport, which always does.</param>
/// <param name="Image">How errors call it, printable.</param>
/// <remarks>containers-policy.json(5), section "Supported transports and their scopes".</remarks>
public sealed record TransportScope(string Transport, IReadOnlyList<string> Scopes, string Image);
