using OciTool.Images.Verification;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary>Asks the signature policy about an image that does not come from a registry.</summary>
internal static class TransportPolicy
{
    /// <summary>Refuses what the policy does not let in.</summary>
    /// <param name="policyFile">The policy that the command line names; null for the one that holds here.</param>
    /// <param name="kind">The form in which the image lies there.</param>
    /// <param name="path">Where; null for the standard input.</param>
    /// <exception cref="ImageRejectedException">It is refused.</exception>
    public static void Require(string? policyFile, TransportKind kind, string? path)
    {
        TransportScope image = TransportScopes.Of(kind, path);
        Policy.Load(policyFile, Environment.GetEnvironmentVariable).For(image).RequireUnsigned(image);
    }
}
