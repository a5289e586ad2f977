using OciTool.Cli;
using OciTool.Cli.Output;
using Xunit;

namespace OciTool.Tests.Cli;

/// <summary>Durations are read as podman's options read them.</summary>
public sealed class GoDurationTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("1m30s", 90)]
    [InlineData("1.5h", 5400)]
    [InlineData("500ms", 0.5)]
    [InlineData("2h45m0.5s", 9900.5)]
    [InlineData("0", 0)]
    [InlineData("7", 7)]
    public void A_duration_is_read(string text, double seconds) => Assert.Equal(seconds, GoDuration.Parse(text).TotalSeconds, 6);

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1x")]
    [InlineData("1s2")]
    [InlineData("1.2.3s")]
    [InlineData("soon")]
    [InlineData("99999999999999999999h")]
    public void Anything_else_is_refused(string text) => Assert.Throws<UsageException>(() => GoDuration.Parse(text));
}
