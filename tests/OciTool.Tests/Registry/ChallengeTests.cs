using CsCheck;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class ChallengeTests
{
    [Theory]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a:pull,push\"", "bearer[realm=https://auth.docker.io/token;service=registry.docker.io;scope=repository:a:pull,push]")]
    [InlineData("Basic realm=\"a \\\"quoted\\\" b\"", "basic[realm=a \"quoted\" b]")]
    [InlineData("Basic", "basic[]")]
    [InlineData("Basic realm=x, Bearer realm=\"y\" , service = z", "basic[realm=x] bearer[realm=y;service=z]")]
    [InlineData("Negotiate YII==, Basic realm=\"x\"", "negotiate[] basic[realm=x]")]
    [InlineData("Negotiate, Basic realm=\"x\"", "negotiate[] basic[realm=x]")]
    [InlineData(",, Basic realm=x ,", "basic[realm=x]")]
    [InlineData("BEARER Realm=\"\"", "bearer[realm=]")]
    [InlineData("", "")]
    [InlineData("Bearer realm=\"unterminated", "")]
    [InlineData("Bearer realm=\"a\",realm=\"b\"", "")]
    [InlineData("Bearer realm=\"a\" service=\"b\"", "")]
    [InlineData("Bearer realm=\"a\nb\"", "")]
    [InlineData("Bearer =\"a\"", "")]
    [InlineData("Bearer \"a\"", "")]
    [InlineData("(comment) Basic", "")]
    public void A_header_is_read_as_RFC_9110_says_or_not_at_all(string header, string expected) =>
        Assert.Equal(expected, string.Join(" ", Challenge.Parse(header).Select(
            challenge => $"{challenge.Scheme}[{string.Join(";", challenge.Parameters.Select(p => $"{p.Key}={p.Value}"))}]")));

    [Fact]
    public void A_header_that_is_too_long_or_has_too_many_parts_is_void()
    {
        Assert.Empty(Challenge.Parse($"Bearer realm=\"{new string('a', 9000)}\""));
        Assert.Empty(Challenge.Parse(string.Join(",", Enumerable.Repeat("Basic", 9))));
        Assert.Empty(Challenge.Parse("Bearer " + string.Join(",", Enumerable.Range(0, 17).Select(i => $"p{i}=v"))));
    }

    [Fact]
    public void No_text_makes_the_reader_fail_or_run_on() =>
        Gen.Char["Basic r=\"\\, \t\n"].Array[0, 40].Sample(text => Challenge.Parse(new string(text)).Count <= 8);
}
