using System.Text;
using OciTool.Linux;
using OciTool.Storage.Tar;
using Xunit;

namespace OciTool.Tests.Tar;

/// <summary>Numbers are what Go's <c>parseNumeric</c>, <c>ParseInt</c> and <c>parsePAXTime</c> make of them.</summary>
public sealed class TarNumberTests
{
    [Theory]
    [InlineData("", 0L)]
    [InlineData("\0\0\0", 0L)]
    [InlineData("   ", 0L)]
    [InlineData(" \0 0123\0 ", 83L)]
    [InlineData("   0000000001 ", 1L)]
    [InlineData("644\0garbage", 420L)] // a NUL behind a digit ends the number
    [InlineData("777777777777", 0xfffffffffL)]
    [InlineData("0000000z", null)]
    [InlineData("12 34", null)]
    [InlineData("8", null)]
    [InlineData("-1", null)]
    [InlineData("+1", null)]
    [InlineData("0x1", null)]
    public void Octal(string field, long? expected) => Is(expected, TarNumber.TryParseOctal(Bytes(field), out long value), value);

    [Theory]
    [InlineData("\u0080", 0L)]
    [InlineData("\u0080\0\0\0\u0001", 1L)]
    [InlineData("\u00ff\u00ff", -1L)]
    [InlineData("\u00ff\u00fe", -2L)]
    [InlineData("\u00c0", -64L)]
    [InlineData("\u00bf", 63L)]
    [InlineData("\u0080\0\0\0\0\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", 0x7fffffffffffffL)]
    [InlineData("\u0080\0\0\0\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", long.MaxValue)]
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u0080\0\0\0\0\0\0\0", long.MinValue)]
    [InlineData("\u0080\0\0\0\u0080\0\0\0\0\0\0\0", null)] // 2^63
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", null)]
    [InlineData("\u0080\0\0\u0001\0\0\0\0\0\0\0\0", null)]
    [InlineData("0000644", 420L)]
    public void Base256_or_octal(string field, long? expected) => Is(expected, TarNumber.TryParse(Bytes(field), out long value), value);

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("-0", 0L)]
    [InlineData("+5", 5L)]
    [InlineData("007", 7L)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("0000000000000000000000000000000000009", 9L)]
    [InlineData("9223372036854775808", null)]
    [InlineData("-9223372036854775809", null)]
    [InlineData("99999999999999999999999999", null)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("+", null)]
    [InlineData("--1", null)]
    [InlineData(" 5", null)]
    [InlineData("5 ", null)]
    [InlineData("5\0", null)]
    [InlineData("1e3", null)]
    [InlineData("1.0", null)]
    [InlineData("1,000", null)]
    [InlineData("1_000", null)]
    [InlineData("0x10", null)]
    [InlineData("abc", null)]
    public void Decimal(string text, long? expected) => Is(expected, TarNumber.TryParseDecimal(Bytes(text), out long value), value);

    [Theory]
    [InlineData("1350244992", 1350244992L, 0u)]
    [InlineData("1350244992.", 1350244992L, 0u)]
    [InlineData("1350244992.3", 1350244992L, 300000000u)]
    [InlineData("1350244992.023960108", 1350244992L, 23960108u)]
    [InlineData("1350244992.0239601089", 1350244992L, 23960108u)]
    [InlineData("1350244992.000000001", 1350244992L, 1u)]
    [InlineData("007.5", 7L, 500000000u)]
    [InlineData("+1.5", 1L, 500000000u)]
    [InlineData("-1", -1L, 0u)]
    [InlineData("-1.5", -2L, 500000000u)]
    [InlineData("-0.5", -1L, 500000000u)]
    [InlineData("-1.000000000", -1L, 0u)]
    [InlineData("9223372036854775807.999999999", long.MaxValue, 999999999u)]
    public void Times(string text, long seconds, uint nanoseconds)
    {
        Assert.True(TarNumber.TryParseTime(Bytes(text), out FileTime time));
        Assert.Equal(new FileTime(seconds, nanoseconds), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".5")]
    [InlineData("-.5")]
    [InlineData("1e3")]
    [InlineData("1.5e3")]
    [InlineData("1.-5")]
    [InlineData("1.5 ")]
    [InlineData("1.2.3")]
    [InlineData("1.0000000000x")]
    [InlineData("9223372036854775808")]
    public void No_times(string text) => Assert.False(TarNumber.TryParseTime(Bytes(text), out _));

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static void Is(long? expected, bool parsed, long value) => Assert.Equal(expected, parsed ? value : null);
}
