using System.Net;
using System.Runtime.CompilerServices;
using OciTool.Images;
using OciTool.Images.Verification;

namespace OciTool.Registry;

/// <summary>Finds the signatures that lie beside an image in its repository: under cosign's tag, and among the referrers.</summary>
/// <param name="reference">The image.</param>
/// <param name="context">What the command brings.</param>
/// <remarks>
/// cosign's signature specification, "Storage"; distribution-spec v1.1, "Listing Referrers" and "Referrers Tag Schema".
/// A registry can hide a signature by not serving it, which refuses the image; it cannot make one.
/// </remarks>
public sealed class RegistrySignatures(Reference reference, RegistryContext context) : ISignatureSource
{
    /// <summary>The most signatures of one image that are looked at.</summary>
    public const int MaxSignatures = 1000;

    private const int MaxManifests = 64;
    private const int MaxPayloads = 4 << 20; // bytes, of all payloads together

    /// <inheritdoc/>
    public async IAsyncEnumerable<ImageSignature> ReadAsync(
        Document manifest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        Digest digest = Digest.Of(manifest.Bytes.Span); // tags have no room for sha512
        await using RegistryRepository repository = RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, context);
        HashSet<(Digest Payload, string? Signature)> seen = [];
        Dictionary<Digest, byte[]> payloads = [];
        await foreach ((string origin, SignatureManifest found) in ManifestsAsync(repository, digest, cancellationToken))
        {
            foreach (SignatureLayer layer in found.Layers.Where(layer => seen.Add((layer.Payload.Digest, layer.Signature))))
            {
                if (seen.Count > MaxSignatures)
                {
                    throw new RegistryException($"{reference.Name}: {digest} has more than {MaxSignatures} signatures, of which the first ones are not accepted");
                }

                if (!payloads.TryGetValue(layer.Payload.Digest, out byte[]? payload))
                {
                    long left = MaxPayloads - payloads.Values.Sum(known => (long)known.Length);
                    payloads[layer.Payload.Digest] = payload = layer.Payload.Size <= left
                        ? await repository.ReadBlobAsync(layer.Payload, cancellationToken)
                        : throw new RegistryException($"{reference.Name}: the signatures of {digest} are larger than {MaxPayloads >> 20} MiB");
                }

                yield return new ImageSignature(origin, payload, layer.Signature);
            }
        }
    }

    private async IAsyncEnumerable<(string Origin, SignatureManifest Manifest)> ManifestsAsync(
        RegistryRepository repository, Digest digest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Reference tag = Reference.Parse($"{reference.Name}:{SignatureManifest.TagFor(digest)}");
        if (await FindAsync(repository, tag, cancellationToken) is { } tagged)
        {
            yield return (tag.ToString(), SignatureManifest.Parse(tagged));
        }

        Referrers referrers = await repository.ListReferrersAsync(digest, SignatureManifest.ArtifactType, cancellationToken);
        int count = 0;
        // the filter is the registry's to apply or not
        foreach (Descriptor referrer in referrers.Manifests.Where(entry => entry.ArtifactType == SignatureManifest.ArtifactType))
        {
            if (++count > MaxManifests)
            {
                throw new RegistryException($"{reference.Name}: {digest} has more than {MaxManifests} manifests of signatures, of which the first ones are not accepted");
            }

            Reference name = reference.WithDigest(referrer.Digest);
            SignatureManifest found = SignatureManifest.Parse(await repository.ResolveAsync(name, cancellationToken));
            if (found.Subject == digest)
            {
                yield return (name.ToString(), found);
            }
        }
    }

    private static async Task<Document?> FindAsync(RegistryRepository repository, Reference tag, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.ResolveAsync(tag, cancellationToken);
        }
        catch (RegistryException e) when (e.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
