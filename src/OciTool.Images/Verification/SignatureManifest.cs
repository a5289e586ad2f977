namespace OciTool.Images.Verification;

/// <summary>The manifest in which cosign keeps the signatures of one image: each layer is a payload.</summary>
/// <param name="Layers">The payloads.</param>
/// <param name="Subject">The manifest that they are about, where this one says so.</param>
/// <remarks>cosign's signature specification, "Storage"; image-spec v1.1, manifest.md, "Guidelines for Artifact Usage".</remarks>
public sealed record SignatureManifest(IReadOnlyList<SignatureLayer> Layers, Digest? Subject)
{
    /// <summary>The type of a manifest of signatures among the referrers of an image.</summary>
    public const string ArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";

    private const string PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";

    /// <summary>The tag under which cosign keeps the signatures of a manifest, in the manifest's repository.</summary>
    /// <param name="manifest">The manifest or index.</param>
    public static string TagFor(Digest manifest) => $"{manifest.Algorithm}-{manifest.Hex}.sig";

    /// <summary>Parses a manifest of signatures; layers of other types, such as attestations, are passed over.</summary>
    /// <param name="document">The document.</param>
    /// <exception cref="InvalidDocumentException">It is not a manifest.</exception>
    public static SignatureManifest Parse(Document document)
    {
        DocumentKind.Require(document, DocumentKind.Manifest);
        Manifest manifest = SpecJson.Read(document, SpecReader.ReadManifest, "signature manifest");
        return new SignatureManifest(
            [.. manifest.Layers.Where(layer => layer.MediaType == PayloadType)
                .Select(layer => new SignatureLayer(layer.Bare, layer.Annotations?.GetValueOrDefault(SignatureAnnotation)))],
            manifest.Subject?.Digest);
    }
}

/// <summary>One signature in a manifest of them.</summary>
/// <param name="Payload">The blob that was signed.</param>
/// <param name="Signature">The signature in base64; null when the layer has none.</param>
public sealed record SignatureLayer(Descriptor Payload, string? Signature);
