using OciTool.Images.Verification;

namespace OciTool.Cli.Commands;

/// <summary>Asks the signature policy about an image that does not come from a registry.</summary>
internal static class TransportPolicy
{
    /// <summary>Refuses what the policy does not let in.</summary>
    /// <param name="policyFile">The policy that the command line names; null for the one that holds here.</param>
    /// <param name="image">How a policy calls the image.</param>
    /// <exception cref="ImageRejectedException">It is refused.</exception>
    public static void Require(string? policyFile, TransportScope image) =>
        Policy.Load(policyFile, Environment.GetEnvironmentVariable).For(image).RequireUnsigned(image);
}
