using OciTool.Images;
using OciTool.Images.Verification;
using Xunit;

namespace OciTool.Tests.Images.Verification;

public sealed class SignedIdentityTests
{
    private const string Digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    private const string Other = "@sha256:1111111111111111111111111111111111111111111111111111111111111111";

    [Theory]
    [InlineData("quay.io/a:1", "quay.io/a:1", true, true, true)]
    [InlineData("quay.io/a:1", "quay.io/a:2", false, false, true)]
    [InlineData("quay.io/a:1", "quay.io/a", false, false, true)]
    [InlineData("quay.io/a:latest", "quay.io/a", false, false, true)]
    [InlineData("quay.io/a", "quay.io/a:latest", true, true, true)]
    [InlineData("quay.io/a:1", "quay.io/b:1", false, false, false)]
    [InlineData("quay.io/a:1", "quay.io/a" + Digest, false, false, true)]
    [InlineData("quay.io/a" + Digest, "quay.io/a:1", false, true, true)]
    [InlineData("quay.io/a" + Digest, "quay.io/a", false, false, true)]
    [InlineData("quay.io/a" + Digest, "quay.io/a" + Digest, true, true, true)]
    [InlineData("quay.io/a" + Digest, "quay.io/b:1", false, false, false)]
    [InlineData("quay.io/a:1" + Digest, "quay.io/a:1", false, true, true)]
    [InlineData("quay.io/a:1" + Digest, "quay.io/a:2", false, false, true)]
    [InlineData("quay.io/a:1" + Digest, "quay.io/a:1" + Digest, true, true, true)]
    [InlineData("quay.io/a:1" + Digest, "quay.io/a:1" + Other, false, false, true)]
    [InlineData("busybox:1", "docker.io/library/busybox:1", true, true, true)]
    [InlineData("docker.io/library/busybox:1", "busybox:1", true, true, true)]
    public void An_identity_is_matched_exactly_by_its_tag_or_by_its_repository(string image, string signed, bool exact, bool tag, bool repository)
    {
        Assert.Equal(exact, Accepts(new MatchExact(), image, signed));
        Assert.Equal(tag, Accepts(new MatchRepoDigestOrExact(), image, signed));
        Assert.Equal(repository, Accepts(new MatchRepository(), image, signed));
    }

    [Theory]
    [InlineData("quay.io/a:1", "quay.io/a:1", true)]
    [InlineData("quay.io/a:1", "quay.io/a:2", false)]
    [InlineData("quay.io/a:latest", "quay.io/a", false)]
    [InlineData("quay.io/a:1", "quay.io/b:1", false)]
    public void A_reference_may_be_fixed_whatever_the_image_is_called(string exact, string signed, bool isAccepted)
    {
        Assert.True(SignedReference.TryParse(exact, out SignedReference? reference));
        Assert.Equal(isAccepted, Accepts(new ExactReference(reference), "mirror.io/x/y:9", signed));
        Assert.Equal(reference.Reference.Name == signed.Split(':')[0], Accepts(new ExactRepository(reference.Reference.Name), "mirror.io/x/y:9", signed));
    }

    [Theory]
    [InlineData("mirror:5000/vendor/app:1", "vendor.example/app:1", true)]
    [InlineData("mirror:5000/vendor/app:1", "vendor.example/app:2", false)]
    [InlineData("mirror:5000/vendor/app:1", "mirror:5000/vendor/app:1", false)]
    [InlineData("mirror:5000/vendors/app:1", "vendor.examples/app:1", false)]
    [InlineData("mirror:5000/vendors/app:1", "mirror:5000/vendors/app:1", true)]
    [InlineData("mirror:5000/vendor/app" + Digest, "vendor.example/app:3", true)]
    public void A_prefix_is_mapped_where_the_image_has_it(string image, string signed, bool isAccepted) =>
        Assert.Equal(isAccepted, Accepts(new RemapIdentity("mirror:5000/vendor", "vendor.example"), image, signed));

    [Fact]
    public void A_mapping_that_gives_no_name_accepts_nothing() =>
        Assert.False(Accepts(new RemapIdentity("mirror:5000/vendor", "vendor.example"), "mirror:5000/vendor:1", "vendor.example:1"));

    private static bool Accepts(SignedIdentity identity, string image, string signed)
    {
        Assert.True(SignedReference.TryParse(signed, out SignedReference? name));
        return identity.Accepts(Reference.Parse(image), name);
    }
}
