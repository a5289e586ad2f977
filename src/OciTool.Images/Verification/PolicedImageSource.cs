namespace OciTool.Images.Verification;

/// <summary>A source that hands out an image only when the policy lets it in: whoever copies from it is covered.</summary>
/// <param name="source">Where the image comes from.</param>
/// <param name="image">The name that the user asked for.</param>
/// <param name="rule">What it must fulfil.</param>
/// <param name="signatures">Finds its signatures; asked only when the rule wants some.</param>
/// <remarks>
/// All is decided when the image is resolved, before any blob: everything behind the document that was resolved is
/// fetched by digests that it vouches for.
/// </remarks>
public sealed class PolicedImageSource(IImageSource source, Reference image, PolicyRule rule, ISignatureSource signatures) : IImageSource
{
    /// <inheritdoc/>
    /// <exception cref="ImageRejectedException">The policy does not let the image in.</exception>
    public async Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        rule.RefuseOutright(image);
        // a key that cannot be read ends it before the registry is asked
        List<SignatureCheck> checks = [.. rule.Requirements.OfType<SigstoreSigned>()
            .Select(signed => new SignatureCheck([.. signed.Keys.Select(key => key.Read())], signed.Identity))];
        Document root = await source.ResolveAsync(cancellationToken);
        if (checks.Count > 0)
        {
            await RequireAsync(checks, root, cancellationToken);
        }

        return root;
    }

    /// <inheritdoc/>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        source.ReadDocumentAsync(descriptor, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        source.OpenBlobAsync(blob, offset, cancellationToken);

    // one walk over the signatures serves all checks, and ends when each has found one
    private async Task RequireAsync(List<SignatureCheck> checks, Document root, CancellationToken cancellationToken)
    {
        await foreach (ImageSignature signature in signatures.ReadAsync(root, cancellationToken))
        {
            checks.RemoveAll(check => check.Accept(signature, image, root) is not null);
            if (checks.Count == 0)
            {
                return;
            }
        }

        throw rule.Rejected(checks[0].Refusal());
    }
}
