using CsCheck;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Images;

public sealed class DigestTests
{
    private const string Empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("", "empty")]
    [InlineData("sha256:", "no hash")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85", "63 digits")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555", "65 digits")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e", "algorithm not registered")]
    [InlineData("SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "upper-case algorithm")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "upper-case hash")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../etc/passwd", "path traversal")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8%2f", "percent-encoding")]
    [InlineData(" sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "leading space")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha512 with 64 digits")]
    public void Text_that_is_not_a_digest_is_rejected(string text, string why) =>
        Assert.False(Digest.TryParse(text, provider: null, out _), why);

    [Fact]
    public void A_huge_text_is_rejected_with_a_short_message()
    {
        OciException error = Assert.Throws<OciException>(() => Digest.Parse("sha256:" + new string('a', 10_000_000)));
        Assert.StartsWith("invalid digest 'sha256:aaa", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 400);
    }

    [Fact]
    public void The_digest_of_nothing_is_known() => Assert.Equal(Empty, Digest.Of([]).ToString());

    [Fact]
    public void Parsing_undoes_printing() =>
        Gen.Byte.Array.Select(content => Digest.Of(content))
            .Sample(digest => Digest.Parse(digest.ToString()) == digest);

    [Fact]
    public void Content_is_hashed_with_the_algorithm_it_is_compared_in()
    {
        Digest sha512 = Digest.Parse("sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
        Assert.Equal(sha512, Digest.Of([], like: sha512));
        Assert.Equal("sha512", sha512.Algorithm);
        Assert.Equal("cf83e1357eef", sha512.Short);
    }
}
