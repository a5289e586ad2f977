namespace OciTool.Images.Verification;

/// <summary>Decides whether a signature that names one image may vouch for another name.</summary>
/// <remarks>containers-policy.json(5), the field <c>signedIdentity</c>. What cosign signs names a repository without a tag.</remarks>
public abstract record SignedIdentity
{
    /// <summary>Whether it may.</summary>
    /// <param name="image">The image that the user asked for.</param>
    /// <param name="signed">What the signature names.</param>
    public abstract bool Accepts(Reference image, SignedReference signed);
}

/// <summary>The signature names the image exactly.</summary>
public sealed record MatchExact : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed) =>
        !signed.IsNameOnly && signed.Reference.ToString() == image.ToString();
}

/// <summary>The signature has the image's tag; for an image by digest alone, any tag or digest of its repository.</summary>
/// <remarks>An image by tag and digest has both compared: podman drops the tag of such a name, which asks for less.</remarks>
public sealed record MatchRepoDigestOrExact : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed) =>
        !signed.IsNameOnly
        && signed.Reference.Name == image.Name
        && (image.Tag is null
            || (signed.Reference.Tag == image.Tag && (signed.Reference.Digest is null || signed.Reference.Digest == image.Digest)));
}

/// <summary>The signature names the image's repository.</summary>
public sealed record MatchRepository : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed) => signed.Reference.Name == image.Name;
}

/// <summary>The signature names one image exactly, whatever the image is called here.</summary>
/// <param name="Exact">The name, with a tag or a digest.</param>
public sealed record ExactReference(SignedReference Exact) : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed) =>
        !signed.IsNameOnly && signed.Reference.ToString() == Exact.Reference.ToString();
}

/// <summary>The signature names one repository, whatever the image is called here.</summary>
/// <param name="Repository">The fully qualified name of the repository.</param>
public sealed record ExactRepository(string Repository) : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed) => signed.Reference.Name == Repository;
}

/// <summary>The image is a mirror's: what it is called there is looked up under another prefix.</summary>
/// <param name="Prefix">A registry, namespace or repository.</param>
/// <param name="SignedPrefix">What the signature has in its place.</param>
public sealed record RemapIdentity(string Prefix, string SignedPrefix) : SignedIdentity
{
    /// <inheritdoc/>
    public override bool Accepts(Reference image, SignedReference signed)
    {
        if (image.Name != Prefix && !image.Name.StartsWith($"{Prefix}/", StringComparison.Ordinal))
        {
            return new MatchRepoDigestOrExact().Accepts(image, signed);
        }

        // what would be completed to another name is none: a registry alone names no image
        return Reference.TryParse(SignedPrefix + image.ToString()[Prefix.Length..], out Reference? original, out _)
            && original.Name == SignedPrefix + image.Name[Prefix.Length..]
            && new MatchRepoDigestOrExact().Accepts(original, signed);
    }
}
