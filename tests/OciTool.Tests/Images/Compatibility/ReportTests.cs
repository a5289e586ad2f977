using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class ReportTests
{
    [Fact]
    public void The_facts_of_a_host_are_the_same_after_they_were_written_and_read()
    {
        HostFacts written = ImageMaker.Host with { Handlers = [new ForeignHandler("qemu", "/usr/bin/qemu", "F", 0, "7f45", "ffff") { Enabled = false }] };

        HostFacts read = HostFacts.Parse(written.ToJson(), "host.json");

        Assert.Equal(Encoding.UTF8.GetString(written.ToJson()), Encoding.UTF8.GetString(read.ToJson()));
        Assert.Equal(written.Handlers[0], read.Handlers![0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"schema\":2}")]
    [InlineData("{\"schema\":1,\"pageSize\":\"x\"}")]
    public void What_is_no_description_of_a_host_is_refused(string text) =>
        Assert.Throws<OciException>(() => HostFacts.Parse(Encoding.UTF8.GetBytes(text), "host.json"));

    [Fact]
    public void A_host_that_says_little_leaves_checks_open_and_none_throws()
    {
        CompatibilityReport report = Make(Passing(), HostFacts.Parse("{\"schema\":1}"u8, "host.json"));

        Assert.Equal(CheckLevel.Unknown, report.Compatibility.Level);
        Assert.Equal(3, report.ExitCode(strict: true));
    }

    [Fact]
    public void The_status_tells_a_pass_from_a_failure_and_from_what_is_open()
    {
        Assert.Equal(0, Make(Passing(), ImageMaker.Host).ExitCode(strict: false));
        Assert.Equal(2, Make(new ImageMaker(), ImageMaker.Host).ExitCode(strict: false));
        Assert.Equal(3, Report(new ImageMaker().Unread(), ImageMaker.Host).ExitCode(strict: false));
    }

    [Fact]
    public void Warnings_count_only_when_they_are_asked_for()
    {
        ImageMaker image = Passing();
        image.Platform = new Platform("linux", "arm64"); // a label that lies

        CompatibilityReport report = Make(image, ImageMaker.Host);

        Assert.Equal((0, 1), (report.ExitCode(strict: false), report.ExitCode(strict: true)));
    }

    [Fact]
    public void The_text_has_three_lines_and_the_checks_that_are_not_passed()
    {
        string text = Make(new ImageMaker(), ImageMaker.Host).ToText();
        string[] lines = text.Split('\n');

        Assert.StartsWith("test   linux/amd64   sha256:", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("Portability     ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("Compatibility   FAIL    the command /bin/app is not in the image", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("Supportability  ", lines[3], StringComparison.Ordinal);
        Assert.Contains("  C07 FAIL    the command /bin/app is not in the image", lines);
    }

    [Fact]
    public void The_document_has_the_checks_by_their_IDs_and_levels_as_words()
    {
        using JsonDocument document = JsonDocument.Parse(Make(Passing(), ImageMaker.Host).ToJson());
        JsonElement root = document.RootElement;

        Assert.Equal(1, root.GetProperty("schema").GetInt32());
        Assert.Equal("pass", root.GetProperty("compatibility").GetProperty("level").GetString());
        string[] ids = [.. root.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("id").GetString()!)];
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(20, ids.Union(["C16", "C17"]).Count());
    }

    [Fact]
    public void Names_that_would_drive_a_terminal_are_escaped()
    {
        ImageMaker image = new() { Config = new ExecutionConfig { Cmd = ["/bin/\u001b[31mevil"] } };

        string text = Make(image, ImageMaker.Host).ToText();

        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("\\x1b[31mevil", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_os_release_without_an_end_is_read_to_a_limit()
    {
        ImageMaker image = Passing();
        image.File("etc/os-release", new byte[10 << 20]);

        Assert.Equal(OsRelease.MaxSize, image.Read().OsRelease?.Bytes.Length);
    }

    private static ImageMaker Passing() => new ImageMaker().App(new ElfBuilder().Build());

    private static CompatibilityReport Make(ImageMaker image, HostFacts host) => Report(image.Read(host), host);

    private static CompatibilityReport Report(ImageFacts facts, HostFacts host) =>
        CompatibilityReport.Make("test", Digest.Parse($"sha256:{new string('0', 64)}"), facts, host, DateTimeOffset.UnixEpoch);
}
