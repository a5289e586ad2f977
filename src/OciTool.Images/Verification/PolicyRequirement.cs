namespace OciTool.Images.Verification;

/// <summary>One thing that a policy asks of an image.</summary>
public abstract record PolicyRequirement;

/// <summary>Asks for nothing.</summary>
public sealed record InsecureAcceptAnything : PolicyRequirement;

/// <summary>Cannot be fulfilled.</summary>
public sealed record Reject : PolicyRequirement;

/// <summary>Asks for a sigstore signature, as cosign makes them, by one of some keys.</summary>
/// <param name="Keys">Where the public keys are; they are read when an image needs them.</param>
/// <param name="Identity">Which name the signature must carry.</param>
public sealed record SigstoreSigned(IReadOnlyList<KeySource> Keys, SignedIdentity Identity) : PolicyRequirement;

/// <summary>Asks for something that is in podman's format and that this tool cannot check: it is never fulfilled.</summary>
/// <param name="Feature">What it asks for, for example <c>signedBy</c>.</param>
public sealed record UnsupportedRequirement(string Feature) : PolicyRequirement;

/// <summary>Where a policy says that a public key is: in a file, or in the policy.</summary>
/// <param name="Name">The path, or a name for errors.</param>
/// <param name="Data">The PEM text; null when it is in the file.</param>
public sealed record KeySource(string Name, ReadOnlyMemory<byte>? Data)
{
    /// <summary>Reads the key.</summary>
    /// <exception cref="OciException">The file cannot be read, or holds no public key that is supported.</exception>
    public SignatureKey Read() => Data is { } data ? SignatureKey.Parse(Name, data.Span) : SignatureKey.ReadFile(Name);
}

/// <summary>What an image must fulfil, and which rule says so.</summary>
/// <param name="Requirements">All of them must be fulfilled; never empty.</param>
/// <param name="Origin">The file and the scope, for errors.</param>
public sealed record PolicyRule(IReadOnlyList<PolicyRequirement> Requirements, string Origin)
{
    /// <summary>Refuses an image that no signature can save, so that nothing is asked of its registry.</summary>
    /// <param name="image">The image.</param>
    /// <exception cref="ImageRejectedException">It is refused.</exception>
    public void RefuseOutright(Reference image) => RefuseOutright($"docker://{image}", image.ToString());

    /// <summary>Refuses an image of an archive or a directory, unless nothing is asked of it: none of its signatures can be checked.</summary>
    /// <param name="image">The image.</param>
    /// <exception cref="ImageRejectedException">It is refused.</exception>
    public void RequireUnsigned(TransportScope image)
    {
        RefuseOutright(image.Image, image.Image);
        if (Requirements.OfType<SigstoreSigned>().Any())
        {
            throw Rejected($"the policy for {image.Image} asks for a sigstore signature (sigstoreSigned), and signatures are checked of images of registries only");
        }
    }

    private void RefuseOutright(string whole, string name)
    {
        foreach (PolicyRequirement requirement in Requirements)
        {
            switch (requirement)
            {
                case Reject:
                    throw Rejected($"Running image {whole} is rejected by policy.");
                case UnsupportedRequirement { Feature: var feature }:
                    throw Rejected($"the policy for {name} asks for {feature}, which this tool cannot check");
                default:
                    break;
            }
        }
    }

    /// <summary>The failure of an image that does not fulfil this.</summary>
    /// <param name="cause">Why.</param>
    internal ImageRejectedException Rejected(string cause) => new(cause) { Hint = $"the policy is {Origin}" };
}

/// <summary>The policy does not let an image in.</summary>
/// <param name="cause">Why.</param>
public sealed class ImageRejectedException(string cause) : OciException($"Source image rejected: {cause}");
