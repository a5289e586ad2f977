using OciTool.Cli;
using OciTool.Cli.Commands;
using OciTool.Cli.Output;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Cli;

public sealed class PruneTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);

    private static readonly Dictionary<string, string> Labels = new() { ["a"] = "1", ["b"] = "" };

    [Theory]
    [InlineData("0", 0)]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5h", 5400)]
    [InlineData("500ms", 0.5)]
    public void A_duration_is_a_sum_of_numbers_with_units(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan span));
        Assert.Equal(seconds, span.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("h")]
    [InlineData("1d")]
    [InlineData("-1h")]
    [InlineData("1h 2m")]
    [InlineData("1.2.3s")]
    [InlineData("999999999999999999h")]
    public void Anything_else_is_no_duration(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Theory]
    [InlineData("until=24h", true)]
    [InlineData("until=72h", false)]
    [InlineData("until=2026-01-09T00:00:00Z", true)]
    [InlineData("until=2026-01-01", false)]
    [InlineData("until=1767960000", true)]
    [InlineData("label=a", true)]
    [InlineData("label=a=1", true)]
    [InlineData("label=a=2", false)]
    [InlineData("label!=a=2", true)]
    [InlineData("label!=b", false)]
    public void A_condition_holds_or_not(string filter, bool holds) =>
        Assert.Equal(holds, PruneFilter.Parse([filter], Now).Matches(Now.AddDays(-2), Labels));

    [Fact]
    public void All_conditions_must_hold()
    {
        Assert.True(PruneFilter.Parse(["label=a", "until=24h"], Now).Matches(Now.AddDays(-2), Labels));
        Assert.False(PruneFilter.Parse(["label=a", "until=72h"], Now).Matches(Now.AddDays(-2), Labels));
        Assert.True(PruneFilter.Parse([], Now).IsEmpty);
    }

    [Fact]
    public void What_has_no_date_is_not_older_than_anything() =>
        Assert.False(PruneFilter.Parse(["until=1s"], Now).Matches(created: null, Labels));

    [Theory]
    [InlineData("label")]
    [InlineData("=x")]
    [InlineData("size=3")]
    [InlineData("until=soon")]
    [InlineData("until=")]
    public void An_unknown_condition_is_refused(string filter) =>
        Assert.Throws<UsageException>(() => PruneFilter.Parse([filter], Now));

    [Theory]
    [InlineData("y\n", true)]
    [InlineData("Yes\n", true)]
    [InlineData("n\n", false)]
    [InlineData("\n", false)]
    public void An_answer_that_begins_with_y_is_yes(string answer, bool yes)
    {
        using StringReader input = new(answer);
        using StringWriter output = new();

        Assert.Equal(yes, Confirmation.Ask("WARNING! x", output, input));
        Assert.Equal("WARNING! x\nAre you sure you want to continue? [y/N] ", output.ToString());
    }

    [Fact]
    public void No_answer_is_an_error()
    {
        using StringReader input = new("");
        using StringWriter output = new();

        Assert.Throws<OciException>(() => Confirmation.Ask("WARNING! x", output, input));
    }
}
