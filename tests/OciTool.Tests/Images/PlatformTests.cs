using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Images;

public sealed class PlatformTests
{
    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("amd64", "linux/amd64")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("aarch64", "linux/arm64")]
    [InlineData("linux/arm/7", "linux/arm/v7")]
    [InlineData("armhf", "linux/arm/v7")]
    [InlineData("linux/arm64/v8", "linux/arm64/v8")]
    [InlineData("windows/amd64", "windows/amd64")]
    public void Platforms_are_written_as_the_specification_writes_them(string text, string normal) =>
        Assert.Equal(normal, Platform.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("linux/")]
    [InlineData("linux/arm/v7/x")]
    [InlineData("linux/ar m")]
    [InlineData("/amd64")]
    public void Text_that_is_no_platform_is_rejected(string text) =>
        Assert.Throws<OciException>(() => Platform.Parse(text));

    [Theory]
    [InlineData("linux/amd64/v3", "linux/amd64", true)]
    [InlineData("linux/amd64/v3", "linux/amd64/v1", true)]
    [InlineData("linux/amd64/v3", "linux/amd64/v3", true)]
    [InlineData("linux/amd64/v3", "linux/amd64/v4", false)]
    [InlineData("linux/amd64", "linux/amd64/v2", false)]
    [InlineData("linux/arm64", "linux/arm64/v8", true)]
    [InlineData("linux/arm64/v8", "linux/arm64", true)]
    [InlineData("linux/arm64/v8", "linux/arm/v7", false)]
    [InlineData("linux/arm/v7", "linux/arm/v6", true)]
    [InlineData("linux/arm/v6", "linux/arm/v7", false)]
    [InlineData("linux/arm/v5", "linux/arm", false)]
    [InlineData("linux/amd64", "windows/amd64", false)]
    [InlineData("linux/ppc64le", "linux/ppc64le", true)]
    [InlineData("linux/amd64/v3", "linux/amd64/v99", false)]
    [InlineData("linux/mips/softfloat", "linux/mips/softfloat", true)]
    public void An_image_runs_where_its_variant_is_at_most_the_machines(string machine, string image, bool runs) =>
        Assert.Equal(runs, PlatformMatcher.Score(Platform.Parse(machine), Platform.Parse(image)) > 0);

    [Fact]
    public void The_best_entry_comes_first_and_equal_ones_keep_their_order()
    {
        Descriptor[] entries = [Entry("linux/amd64"), Entry("linux/amd64/v2"), Entry("linux/amd64/v4"), Entry("linux/amd64/v3"), Entry("linux/arm64"), Entry("linux/amd64/v3")];
        Assert.Equal(
            [entries[3], entries[5], entries[1], entries[0]],
            PlatformMatcher.Matching(entries, Platform.Parse("linux/amd64/v3")));
    }

    [Fact]
    public void The_level_of_this_processor_is_known()
    {
        Assert.Equal("linux", Platform.Host.Os);
        if (Platform.Host.Architecture == "amd64")
        {
            // glibc's loader lists the levels it would search; the highest one must be ours
            Assert.Matches("^v[1-4]$", Platform.Host.Variant);
        }
    }

    private static Descriptor Entry(string platform) =>
        new(MediaTypes.OciManifest, Digest.Of(Guid.NewGuid().ToByteArray()), 1) { Platform = Platform.Parse(platform) };
}
