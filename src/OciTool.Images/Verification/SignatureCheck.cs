using System.Buffers.Text;

namespace OciTool.Images.Verification;

/// <summary>Checks signatures by some keys, of which one has to vouch for an image.</summary>
/// <param name="keys">The keys; any of them will do.</param>
/// <param name="identity">Which name a signature must carry.</param>
/// <remarks>
/// The payload is parsed only after a key has vouched for its bytes. The signature must name the very document that the
/// image's name stands for; that of an index vouches for all that the index names by digest.
/// </remarks>
public sealed class SignatureCheck(IReadOnlyList<SignatureKey> keys, SignedIdentity identity)
{
    private const int MaxReasons = 3;

    private readonly Dictionary<string, int> _refusals = [];

    /// <summary>Looks at one signature.</summary>
    /// <param name="signature">The signature.</param>
    /// <param name="image">The image that the user asked for.</param>
    /// <param name="manifest">What its name stands for.</param>
    /// <returns>The signature when it vouches for the image; else null, and <see cref="Refusal"/> knows why.</returns>
    public VerifiedSignature? Accept(ImageSignature signature, Reference image, Document manifest)
    {
        try
        {
            return Verify(signature, image, manifest);
        }
        catch (OciException e)
        {
            _refusals[e.Message] = _refusals.GetValueOrDefault(e.Message) + 1;
            return null;
        }
    }

    /// <summary>Why no signature was accepted.</summary>
    public string Refusal()
    {
        if (_refusals.Count == 0)
        {
            return "A signature was required, but no signature exists";
        }

        if (_refusals.Count == 1 && _refusals.Values.Sum() == 1)
        {
            return _refusals.Keys.First();
        }

        IEnumerable<string> reasons = _refusals.Take(MaxReasons).Select(refusal => refusal.Value == 1 ? refusal.Key : $"{refusal.Key} ({refusal.Value} times)");
        string more = _refusals.Count > MaxReasons ? $"; and {_refusals.Count - MaxReasons} more" : "";
        return $"none of the {_refusals.Values.Sum()} signatures was accepted: {string.Join("; ", reasons)}{more}";
    }

    private VerifiedSignature Verify(ImageSignature signature, Reference image, Document manifest)
    {
        string encoded = signature.Signature ?? throw new OciException("the signature is missing beside its payload");
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(encoded.Length)];
        if (!Convert.TryFromBase64String(encoded, bytes, out int length))
        {
            throw new OciException("the signature is not base64");
        }

        SignatureKey key = keys.FirstOrDefault(candidate => candidate.Verifies(signature.Payload.Span, bytes.AsSpan(0, length)))
            ?? throw new OciException($"the signature is not by {(keys.Count == 1 ? $"the key {keys[0].Name}" : $"any of the {keys.Count} keys")}, or its payload was altered");
        SimpleSigning statement = SimpleSigning.Parse(signature.Payload);
        if (Digest.Of(manifest.Bytes.Span, statement.Manifest) != statement.Manifest)
        {
            throw new OciException($"the signature is for digest {statement.Manifest}, not for {manifest.Digest}");
        }

        string name = statement.Name.IsNameOnly ? statement.Name.Reference.Name : statement.Name.Reference.ToString();
        return identity.Accepts(image, statement.Name)
            ? new VerifiedSignature(signature.Origin, key, statement)
            : throw new OciException($"the signature is for the identity {name}, which is not accepted for {image}");
    }
}
