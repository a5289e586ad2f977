using OciTool.Images;
using OciTool.Images.Verification;

namespace OciTool.Cli.Views;

/// <summary>A signature as <c>verify</c> prints it.</summary>
/// <param name="Image">The image as it was asked for.</param>
/// <param name="Digest">The digest that was signed.</param>
/// <param name="Reference">What the signer calls the image.</param>
/// <param name="Key">The file of the key that made it.</param>
/// <param name="Origin">Where the signature was found.</param>
/// <param name="Annotations">What the signer added.</param>
internal sealed record VerifiedSignatureView(
    string Image, string Digest, string Reference, string Key, string Origin, IReadOnlyDictionary<string, string> Annotations)
{
    /// <summary>The view of a signature.</summary>
    public static VerifiedSignatureView Of(Reference image, VerifiedSignature signature)
    {
        SignedReference name = signature.Statement.Name;
        return new VerifiedSignatureView(
            image.ToString(),
            signature.Statement.Manifest.ToString(),
            name.IsNameOnly ? name.Reference.Name : name.Reference.ToString(),
            signature.Key.Name,
            signature.Origin,
            signature.Statement.Annotations);
    }

    /// <summary>Prints it for people.</summary>
    public void Write(TextWriter output)
    {
        output.Write($"Verified:    {Image}\n");
        output.Write($"Digest:      {Digest}\n");
        output.Write($"Reference:   {Reference}\n");
        output.Write($"Key:         {Key}\n");
        output.Write($"Signature:   {Origin}\n");
        foreach ((string name, string value) in Annotations)
        {
            output.Write($"Annotation:  {Printable.Shorten(name)}={Printable.Shorten(value)}\n");
        }
    }
}
