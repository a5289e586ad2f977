using System.Security.Cryptography;
using System.Text;
using OciTool.Images;
using OciTool.Images.Verification;
using Xunit;

namespace OciTool.Tests.Images.Verification;

public sealed class SignatureCheckTests : IDisposable
{
    private static readonly Reference Image = Reference.Parse("quay.io/team/app:1");

    private readonly ECDsa _pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Document _manifest = new(MediaTypes.OciManifest, "{}"u8.ToArray());

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void A_signature_vouches_for_its_digest_by_either_algorithm()
    {
        foreach (string algorithm in new[] { "sha256", "sha512" })
        {
            byte[] hash = algorithm == "sha256" ? SHA256.HashData(_manifest.Bytes.Span) : SHA512.HashData(_manifest.Bytes.Span);
            SignatureCheck check = Check();
            VerifiedSignature? accepted = check.Accept(Sign(Payload($"{algorithm}:{Convert.ToHexStringLower(hash)}")), Image, _manifest);
            Assert.Equal("quay.io/team/app", accepted?.Statement.Name.Reference.Name);
        }
    }

    [Fact]
    public void Several_refusals_are_counted_by_their_reason()
    {
        SignatureCheck check = Check();
        Assert.Equal("A signature was required, but no signature exists", check.Refusal());
        ImageSignature foreign = Sign(Payload(_manifest.Digest.ToString())) with { Signature = "AAAA" };
        Assert.Null(check.Accept(foreign, Image, _manifest));
        Assert.Equal("the signature is not by the key test.pub, or its payload was altered", check.Refusal());
        check.Accept(foreign, Image, _manifest);
        check.Accept(foreign with { Signature = null }, Image, _manifest);
        Assert.Equal(
            "none of the 3 signatures was accepted: the signature is not by the key test.pub, or its payload was altered (2 times); the signature is missing beside its payload",
            check.Refusal());
    }

    [Fact]
    public void Every_bit_of_the_payload_and_of_the_signature_counts()
    {
        ImageSignature good = Sign(Payload(_manifest.Digest.ToString()));
        byte[] signature = Convert.FromBase64String(good.Signature!);
        for (int i = 0; i < good.Payload.Length * 8; i += 7)
        {
            byte[] altered = good.Payload.ToArray();
            altered[i / 8] ^= (byte)(1 << (i % 8));
            Assert.Null(Check().Accept(good with { Payload = altered }, Image, _manifest));
        }

        for (int i = 0; i < signature.Length * 8; i++)
        {
            byte[] altered = [.. signature];
            altered[i / 8] ^= (byte)(1 << (i % 8));
            Assert.Null(Check().Accept(good with { Signature = Convert.ToBase64String(altered) }, Image, _manifest));
        }

        Assert.NotNull(Check().Accept(good, Image, _manifest));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"critical":{},"optional":null}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{},"identity":{"docker-reference":"a"}},"optional":null}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":1},"identity":{"docker-reference":"a"}},"optional":null}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:0"},"identity":{"docker-reference":"a"}},"optional":null}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"identity":{"docker-reference":""}},"optional":null}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"identity":{"docker-reference":"a"}},"optional":[]}""")]
    [InlineData("""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"identity":{"docker-reference":"a"}}}""")]
    public void A_signed_payload_of_another_form_vouches_for_nothing(string payload)
    {
        SignatureCheck check = Check();
        Assert.Null(check.Accept(Sign(payload), Image, _manifest));
        Assert.StartsWith("the payload is invalid: ", check.Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_that_is_not_UTF8_vouches_for_nothing()
    {
        byte[] payload = [.. "{\""u8, 0xff, 0xfe, .. "\":1}"u8];
        Assert.Null(Check().Accept(new ImageSignature("here", payload, Convert.ToBase64String(SignBytes(payload))), Image, _manifest));
    }

    private static string Payload(string digest) =>
        $$$"""{"critical":{"identity":{"docker-reference":"quay.io/team/app"},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"cosign container image signature"},"optional":null}""";

    private SignatureCheck Check() =>
        new([SignatureKey.Parse("test.pub", Encoding.ASCII.GetBytes(_pair.ExportSubjectPublicKeyInfoPem()))], new MatchRepository());

    private ImageSignature Sign(string payload) =>
        new("here", Encoding.UTF8.GetBytes(payload), Convert.ToBase64String(SignBytes(Encoding.UTF8.GetBytes(payload))));

    private byte[] SignBytes(byte[] payload) => _pair.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
}
