using System.Text;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class OsReleaseTests
{
    [Theory]
    [InlineData("ID=debian\n", "ID", "debian")]
    [InlineData("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", "PRETTY_NAME", "Debian GNU/Linux 12 (bookworm)")]
    [InlineData("ID='fedora'\r\n", "ID", "fedora")]
    [InlineData("NAME=\"a \\\"b\\\" \\$c\"", "NAME", "a \"b\" $c")]
    [InlineData("NAME='a\\b'", "NAME", "a\\b")]
    [InlineData("ID=a b", "ID", "a")]
    [InlineData("# ID=comment\nID=real", "ID", "real")]
    [InlineData("ID=first\nID=second", "ID", "second")]
    [InlineData("BAD-NAME=x", "BAD-NAME", null)]
    [InlineData("no assignment\n=x\n", "", null)]
    [InlineData("NAME=\"without an end", "NAME", "without an end")]
    public void Assignments_are_read_as_a_shell_reads_them(string text, string name, string? expected) =>
        Assert.Equal(expected, OsRelease.Parse("/etc/os-release", Encoding.UTF8.GetBytes(text))[name]);

    [Fact]
    public void What_checks_need_has_a_name()
    {
        OsRelease release = OsRelease.Parse("/usr/lib/os-release", "ID=rocky\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\nPLATFORM_ID=\"platform:el9\"\nSUPPORT_END=2032-05-31\n"u8.ToArray());

        Assert.Equal(("rocky", "9.4", "platform:el9", "2032-05-31"), (release.Id, release.VersionId, release.PlatformId, release.SupportEnd));
        Assert.Equal(["rhel", "centos", "fedora"], release.IdLike);
    }

    [Fact]
    public void Any_bytes_are_read_without_a_failure()
    {
        byte[] bytes = new byte[100_000];
        new Random(Seed: 1).NextBytes(bytes);

        Assert.Equal("linux", OsRelease.Parse("/etc/os-release", bytes).Id);
    }
}
