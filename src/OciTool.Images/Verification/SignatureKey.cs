using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OciTool.Images.Verification;

/// <summary>A public key that verifies signatures: ECDSA over a NIST curve, or RSA with PKCS #1 v1.5; the hash is SHA-256.</summary>
/// <remarks>These are cosign's keys, but for Ed25519, which .NET does not have.</remarks>
public sealed class SignatureKey
{
    private const int MaxFile = 64 << 10;
    private const int MinRsaBits = 2048;
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string Ed25519 = "1.3.101.112";

    private readonly byte[] _subjectPublicKeyInfo;
    private readonly bool _isRsa;

    private SignatureKey(string name, byte[] subjectPublicKeyInfo, bool isRsa) =>
        (Name, _subjectPublicKeyInfo, _isRsa) = (name, subjectPublicKeyInfo, isRsa);

    /// <summary>Where it came from: a path, or a place in a policy.</summary>
    public string Name { get; }

    /// <summary>Reads a key from a PEM file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="OciException">The file cannot be read, or holds no public key that is supported.</exception>
    public static SignatureKey ReadFile(string path)
    {
        try
        {
            return Parse(path, BoundedFile.Read(path, MaxFile));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OciException($"public key {path}: no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"public key {path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>Parses the PEM form of one public key.</summary>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="pem">The text.</param>
    /// <exception cref="OciException">It is not the PEM form of one public key that is supported.</exception>
    public static SignatureKey Parse(string name, ReadOnlySpan<byte> pem)
    {
        string text = System.Text.Encoding.UTF8.GetString(pem);
        if (!PemEncoding.TryFind(text, out PemFields block))
        {
            throw Invalid(name, "it is not the PEM form of a public key");
        }

        string label = text[block.Label];
        if (label.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            throw new OciException($"invalid public key {name}: it is a private key")
            {
                Hint = "the public key is beside it, for example in cosign.pub; openssl pkey -pubout makes it from the private one",
            };
        }

        if (label != "PUBLIC KEY")
        {
            throw Invalid(name, $"want a block PUBLIC KEY, got {Printable.Shorten(label, 64)}");
        }

        if (PemEncoding.TryFind(text.AsSpan(block.Location.End.Value), out _))
        {
            throw Invalid(name, "it has more than one block: name each key with a file of its own");
        }

        byte[] info = Convert.FromBase64String(text[block.Base64Data]);
        return new SignatureKey(name, info, IsRsa(name, info));
    }

    /// <summary>Whether a signature is that of some content by this key.</summary>
    /// <param name="content">What was signed.</param>
    /// <param name="signature">The signature: for ECDSA in its DER form.</param>
    public bool Verifies(ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (_isRsa)
            {
                using RSA rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(_subjectPublicKeyInfo, out _);
                return rsa.VerifyData(content, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }

            using ECDsa ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(_subjectPublicKeyInfo, out _);
            return ecdsa.VerifyData(content, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false; // the key was imported before: it is the signature that is no signature
        }
    }

    // imports the key as well, so that one that is broken is found before it is needed
    private static bool IsRsa(string name, byte[] info)
    {
        try
        {
            string? algorithm = PublicKey.CreateFromSubjectPublicKeyInfo(info, out int length).Oid.Value;
            if (length != info.Length)
            {
                throw Invalid(name, "there is something behind the key");
            }

            switch (algorithm)
            {
                case EcPublicKey:
                    using (ECDsa ecdsa = ECDsa.Create())
                    {
                        ecdsa.ImportSubjectPublicKeyInfo(info, out _);
                        return ecdsa.ExportParameters(includePrivateParameters: false).Curve.IsNamed
                            ? false
                            : throw Invalid(name, "its curve has no name");
                    }

                case RsaEncryption:
                    using (RSA rsa = RSA.Create())
                    {
                        rsa.ImportSubjectPublicKeyInfo(info, out _);
                        return rsa.KeySize >= MinRsaBits
                            ? true
                            : throw Invalid(name, $"an RSA key of {rsa.KeySize} bits is too short: want {MinRsaBits}");
                    }

                default:
                    throw Invalid(name, algorithm == Ed25519 ? "an Ed25519 key is not supported" : $"the algorithm {Printable.Shorten(algorithm, 64)} is not supported");
            }
        }
        catch (CryptographicException e)
        {
            throw Invalid(name, "its content is not a key", e);
        }
    }

    private static OciException Invalid(string name, string mistake, Exception? inner = null) =>
        new($"invalid public key {name}: {mistake}", inner);
}
