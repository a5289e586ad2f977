using System.Text;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class ScriptHeaderTests
{
    [Theory]
    [InlineData("#!/bin/sh\necho", "/bin/sh", null)]
    [InlineData("#!  /bin/sh \n", "/bin/sh", null)]
    [InlineData("#!/usr/bin/env python3 -u\n", "/usr/bin/env", "python3 -u")]
    [InlineData("#!/bin/sh", "/bin/sh", null)]
    [InlineData("#!\n", "", null)]
    [InlineData("#!/bin/sh\r\n", "/bin/sh\r", null)]
    [InlineData("#!/bin/sh -e\r\n", "/bin/sh", "-e\r")]
    public void The_first_line_is_read_as_the_kernel_reads_it(string text, string interpreter, string? argument)
    {
        ScriptHeader? header = ScriptHeader.Read(Encoding.UTF8.GetBytes(text));

        Assert.Equal((interpreter, argument), (header?.Interpreter, header?.Argument));
    }

    [Theory]
    [InlineData("#!/bin/sh\r\n", true, true)]
    [InlineData("#!/bin/sh -e\r\n", true, false)]
    [InlineData("#!/bin/sh\n", false, false)]
    public void A_carriage_return_is_seen_and_whether_it_breaks_the_name(string text, bool ends, bool breaks)
    {
        ScriptHeader header = ScriptHeader.Read(Encoding.UTF8.GetBytes(text))!;

        Assert.Equal((ends, breaks), (header.EndsWithCarriageReturn, header.IsBrokenByCarriageReturn));
    }

    [Theory]
    [InlineData(100, false, false)]
    [InlineData(130, true, false)]
    [InlineData(253, true, false)]
    [InlineData(254, true, true)]
    [InlineData(400, true, true)]
    public void A_name_that_does_not_end_within_256_bytes_is_too_long(int length, bool old, bool tooLong)
    {
        ScriptHeader header = ScriptHeader.Read(Encoding.UTF8.GetBytes($"#!/{new string('a', length - 1)}\n"))!;

        Assert.Equal((old, tooLong), (header.IsLongForOldKernels, header.IsTooLong));
    }

    [Fact]
    public void What_is_no_script_has_no_header() => Assert.Null(ScriptHeader.Read("echo hello"u8));
}
