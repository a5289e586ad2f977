namespace OciTool.Images.Verification;

/// <summary>A signature as it was found; nothing in it is to be believed.</summary>
/// <param name="Origin">Where it was found, for errors and reports.</param>
/// <param name="Payload">The bytes that were signed.</param>
/// <param name="Signature">The signature over them in base64; null when there is none.</param>
public sealed record ImageSignature(string Origin, ReadOnlyMemory<byte> Payload, string? Signature);

/// <summary>A signature that vouches for an image.</summary>
/// <param name="Origin">Where it was found.</param>
/// <param name="Key">The key that verifies it.</param>
/// <param name="Statement">What it says.</param>
public sealed record VerifiedSignature(string Origin, SignatureKey Key, SimpleSigning Statement);

/// <summary>Finds the signatures of an image.</summary>
public interface ISignatureSource
{
    /// <summary>The signatures that claim to be about a manifest, in any order and not verified.</summary>
    /// <param name="manifest">The manifest or index.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">They cannot be read, or are more than there may be.</exception>
    IAsyncEnumerable<ImageSignature> ReadAsync(Document manifest, CancellationToken cancellationToken);
}
