using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Images;

public sealed class ReferenceTests
{
    private const string Hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("alpine", "docker.io/library/alpine:latest")]
    [InlineData("alpine:3", "docker.io/library/alpine:3")]
    [InlineData("user/app", "docker.io/user/app:latest")]
    [InlineData("docker.io/alpine", "docker.io/library/alpine:latest")]
    [InlineData("index.docker.io/library/alpine", "docker.io/library/alpine:latest")]
    [InlineData("quay.io/fedora/fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("docker://quay.io/fedora/fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/app", "localhost:5000/app:latest")]
    [InlineData("127.0.0.1:5000/a/b/c:x_Y.z-1", "127.0.0.1:5000/a/b/c:x_Y.z-1")]
    [InlineData("[::1]:5000/app:v1", "[::1]:5000/app:v1")]
    [InlineData("[2001:db8::1]/app", "[2001:db8::1]/app:latest")]
    [InlineData("EXAMPLE.com/app", "EXAMPLE.com/app:latest")]
    [InlineData("quay.io/a__b/c---d.e_f", "quay.io/a__b/c---d.e_f:latest")]
    [InlineData("alpine@sha256:" + Hash, "docker.io/library/alpine@sha256:" + Hash)]
    [InlineData("quay.io/a/b:t@sha256:" + Hash, "quay.io/a/b:t@sha256:" + Hash)]
    public void A_name_is_completed(string text, string canonical) =>
        Assert.Equal(canonical, Reference.Parse(text).ToString());

    [Theory]
    [InlineData("", "repository")]
    [InlineData("--bogus", "repository")]
    [InlineData("-it", "repository")]
    [InlineData("UPPER", "lower case")]
    [InlineData("quay.io/Fedora/fedora", "lower case")]
    [InlineData("UPPER/case:tag", "lower case")]
    [InlineData("quay.io/", "repository")]
    [InlineData("quay.io//a", "repository")]
    [InlineData("quay.io/a/", "repository")]
    [InlineData("a..b/c/d", "registry")]
    [InlineData("quay.io/a..b", "repository")]
    [InlineData("quay.io/a___b", "repository")]
    [InlineData("quay.io/-a", "repository")]
    [InlineData("quay.io/a.", "repository")]
    [InlineData("quay.io/../../etc/passwd", "repository")]
    [InlineData("alpine:", "tag")]
    [InlineData("alpine:.hidden", "tag")]
    [InlineData("alpine:-x", "tag")]
    [InlineData("alpine:a b", "tag")]
    [InlineData("a:b:c", "")]
    [InlineData("host:0/a", "port")]
    [InlineData("host:99999/a", "port")]
    [InlineData("host:x/a", "port")]
    [InlineData("[nonsense]/a", "IPv6")]
    [InlineData("alpine@sha256:123", "digest")]
    [InlineData("alpine@md5:d41d8cd98f00b204e9800998ecf8427e", "digest")]
    [InlineData(Hash, "image ID")]
    [InlineData("alp\u001b]0;ine", "repository")]
    public void A_mistake_is_named(string text, string part)
    {
        OciException error = Assert.Throws<OciException>(() => Reference.Parse(text));
        Assert.StartsWith("invalid reference format '", error.Message, StringComparison.Ordinal);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Fact]
    public void The_limits_are_255_characters_for_a_name_and_128_for_a_tag()
    {
        string longest = "quay.io/" + new string('a', 255 - "quay.io/".Length);
        Assert.True(Reference.TryParse(longest, out _, out _));
        Assert.False(Reference.TryParse(longest + "a", out _, out _));
        Assert.True(Reference.TryParse("alpine:" + new string('t', 128), out _, out _));
        Assert.False(Reference.TryParse("alpine:" + new string('t', 129), out _, out _));
    }

    [Fact]
    public void The_digest_wins_over_the_tag_when_fetching()
    {
        Reference reference = Reference.Parse($"quay.io/a/b:t@sha256:{Hash}");
        Assert.Equal($"sha256:{Hash}", reference.TagOrDigest);
        Assert.Equal("t", reference.Tag);
        Assert.Equal("quay.io/a/b:t", reference.Canonical);
        Assert.Null(Reference.Parse($"quay.io/a/b@sha256:{Hash}").Tag);
    }
}
