using OciTool.Images;

namespace OciTool.Registry;

/// <summary>What refers to a manifest or index: its signatures, attestations, bills of materials.</summary>
/// <param name="Manifests">The manifests that refer to it, in the registry's order, which means nothing.</param>
/// <param name="FallbackTag">
/// The tag that they were read from, where the registry has no API for them; null where it has.
/// </param>
/// <remarks>
/// OCI distribution-spec v1.1, "Listing Referrers" and "Unavailable Referrers API". The list is the registry's word and
/// nothing is signed in it: it may leave entries out, and an entry's annotations are only what it says of the manifest.
/// </remarks>
public sealed record Referrers(IReadOnlyList<Descriptor> Manifests, string? FallbackTag)
{
    private const int MaxAlgorithm = 32;
    private const int MaxEncoded = 64;

    /// <summary>The tag that lists what refers to a digest where the registry itself does not.</summary>
    /// <param name="subject">The digest of a manifest or index.</param>
    /// <remarks>OCI distribution-spec v1.1, "Referrers Tag Schema".</remarks>
    public static string TagOf(Digest subject)
    {
        string algorithm = subject.Algorithm;
        string encoded = subject.Hex;
        return $"{algorithm[..Math.Min(MaxAlgorithm, algorithm.Length)]}-{encoded[..Math.Min(MaxEncoded, encoded.Length)]}";
    }
}
