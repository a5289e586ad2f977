using OciTool.Cli.Output;
using Xunit;

namespace OciTool.Tests.Cli;

public sealed class HumanTextTests
{
    [Theory]
    [InlineData(0, "0 B", "0B")]
    [InlineData(999, "999 B", "999B")]
    [InlineData(3140, "3.14 kB", "3.14kB")]
    [InlineData(4660879, "4.66 MB", "4.661MB")]
    [InlineData(9322000, "9.32 MB", "9.322MB")]
    [InlineData(123456789, "123 MB", "123.5MB")]
    [InlineData(1000000000, "1 GB", "1GB")]
    public void A_size_has_as_many_digits_as_podmans(long bytes, string spaced, string compact)
    {
        Assert.Equal(spaced, HumanSize.Spaced(bytes));
        Assert.Equal(compact, HumanSize.Compact(bytes));
    }

    [Theory]
    [InlineData(0, "Less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "About a minute")]
    [InlineData(3599, "59 minutes")]
    [InlineData(3600, "About an hour")]
    [InlineData(3600 * 47, "47 hours")]
    [InlineData(86400 * 13, "13 days")]
    [InlineData(86400 * 20, "2 weeks")]
    [InlineData(86400 * 61, "2 months")]
    [InlineData(86400L * 800, "2 years")]
    public void A_span_is_told_in_podmans_words(long seconds, string expected) =>
        Assert.Equal(expected, HumanDuration.Format(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Columns_are_at_least_twelve_wide()
    {
        using StringWriter output = new();
        Table table = new();
        table.Add("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE");

        table.Write(output);

        Assert.Equal("REPOSITORY  TAG         IMAGE ID    CREATED     SIZE\n", output.ToString());
    }

    [Fact]
    public void Moments_are_printed_as_Go_prints_them()
    {
        DateTimeOffset moment = new(2024, 9, 26, 21, 31, 42, TimeSpan.Zero);

        Assert.Equal("2024-09-26 21:31:42 +0000 UTC", GoTime.Print(moment));
        Assert.Equal("2024-09-26T21:31:42.5Z", GoTime.Rfc3339(moment.AddMilliseconds(500)));
        Assert.Equal("Thu Jan  1 00:00:00 1970", GoTime.Ansi(DateTimeOffset.UnixEpoch));
    }
}
