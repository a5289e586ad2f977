using System.Diagnostics.CodeAnalysis;

namespace OciTool.Images.Verification;

/// <summary>A name that somebody wrote into a signature or a policy: one without a tag is not completed.</summary>
/// <param name="Reference">The name; its tag means nothing when <paramref name="IsNameOnly"/> is set.</param>
/// <param name="IsNameOnly">Whether it names a repository and neither a tag nor a digest.</param>
public sealed record SignedReference(Reference Reference, bool IsNameOnly)
{
    /// <summary>Parses a name.</summary>
    /// <param name="text">For example <c>quay.io/fedora/fedora</c>, which is what cosign signs.</param>
    /// <param name="signed">The name.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out SignedReference? signed)
    {
        signed = null;
        if (text.StartsWith("docker://", StringComparison.Ordinal) || !Reference.TryParse(text, out Reference? reference, out _))
        {
            return false;
        }

        bool isNameOnly = reference.Digest is null && !text.EndsWith($":{reference.Tag}", StringComparison.Ordinal);
        signed = new SignedReference(reference, isNameOnly);
        return true;
    }
}
