using System.Globalization;
using System.Text;
using OciTool.Images;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

/// <summary>C16 and C17: ends of life, and what vendors say of pairings.</summary>
public sealed class SupportTests
{
    [Theory]
    // the image's own word: the first day without support
    [InlineData("ID=fedora\nNAME=\"Fedora Linux\"\nVERSION_ID=44\nSUPPORT_END=2027-05-19", "2026-11-25", "Pass", "Fedora Linux 44 is supported until 2027-05-18")]
    [InlineData("ID=fedora\nNAME=\"Fedora Linux\"\nVERSION_ID=44\nSUPPORT_END=2027-05-19", "2027-05-18", "Warn", "Fedora Linux 44 ends 2027-05-18, in 0 days")]
    [InlineData("ID=fedora\nNAME=\"Fedora Linux\"\nVERSION_ID=44\nSUPPORT_END=2027-05-19", "2027-05-19", "Warn", "Fedora Linux 44 ended 2027-05-18")]
    [InlineData("ID=fedora\nNAME=F\nVERSION_ID=34\nSUPPORT_END=soon", "2026-11-25", "Unknown", "end of life of F 34 unknown: SUPPORT_END is no day")]
    // the table: the last day with support
    [InlineData("ID=fedora\nNAME=Fedora\nVERSION_ID=34", "2026-11-25", "Warn", "Fedora 34 ended 2022-06-07")]
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"", "2026-11-25", "Warn", "Debian GNU/Linux 12 ended 2026-07-11; extended support until 2028-06-30, where it was agreed on")]
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"", "2026-07-11", "Warn", "Debian GNU/Linux 12 ends 2026-07-11, in 0 days")]
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"", "2026-07-10", "Warn", "Debian GNU/Linux 12 ends 2026-07-11, in 1 day")]
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"", "2026-04-12", "Pass", "Debian GNU/Linux 12 is supported until 2026-07-11")]
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"", "2029-01-01", "Warn", "Debian GNU/Linux 12 ended 2026-07-11, extended support 2028-06-30")]
    [InlineData("ID=rhel\nNAME=\"Red Hat Enterprise Linux\"\nVERSION_ID=9.4", "2026-11-25", "Pass", "Red Hat Enterprise Linux 9.4 is supported until 2032-05-31 (as of 2026-05-19)")]
    [InlineData("ID=alpine\nNAME=\"Alpine Linux\"\nVERSION_ID=3.18.5", "2026-11-25", "Warn", "Alpine Linux 3.18.5 ended 2025-05-09")]
    [InlineData("ID=centos\nNAME=\"CentOS Linux\"\nVERSION_ID=8", "2026-11-25", "Warn", "CentOS Linux 8 ended 2021-12-31")]
    [InlineData("ID=centos\nNAME=\"CentOS Stream\"\nVERSION_ID=9", "2026-11-25", "Pass", "CentOS Stream 9 is supported until 2027-05-31")]
    [InlineData("ID=ubuntu\nNAME=Ubuntu\nVERSION_ID=20.04", "2026-11-25", "Warn", "Ubuntu 20.04 ended 2025-05-29; extended support until 2030-04-23, where it was agreed on")]
    [InlineData("ID=arch\nNAME=\"Arch Linux\"", "2026-11-25", "Info", "Arch Linux is a rolling release: supported as long as it is updated")]
    // nothing is guessed
    [InlineData("ID=debian\nNAME=\"Debian GNU/Linux\"", "2026-11-25", "Unknown", "end of life of Debian GNU/Linux unknown")]
    [InlineData("ID=fedora\nNAME=Fedora\nVERSION_ID=99", "2026-11-25", "Unknown", "end of life of Fedora 99 unknown")]
    [InlineData("ID=haiku", "2026-11-25", "Unknown", "end of life of haiku unknown")]
    [InlineData("ID=debian,12\nVERSION_ID=2026-07-11", "2026-11-25", "Unknown", "unknown")]
    [InlineData("ID=fedora\nNAME=\"a\u001b[31mb\"\nVERSION_ID=34", "2026-11-25", "Warn", "34 ended 2022-06-07")]
    [InlineData(null, "2026-11-25", "Unknown", "end of life unknown: the image has no os-release")]
    public void The_end_of_life_is_told_by_the_image_or_by_the_table(string? release, string today, string level, string summary)
    {
        CheckResult result = SupportChecks.EndOfLife(Image(release), new HostFacts(), Day(today));
        Assert.Equal(("C16", level), (result.Id, result.Level.ToString()));
        Assert.Contains(summary, result.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Summary);
    }

    [Theory]
    [InlineData("rhel", "9.4", "rhel", "8.10", "Pass", "RHEL 9 image on RHEL 8: supported by Red Hat when run with Red Hat's engines, unprivileged; oci is none")]
    [InlineData("rhel", "9.4", "rhel", "9.2", "Pass", "RHEL 9 image on RHEL 9: supported by Red Hat when run with Red Hat's engines; oci is none")]
    [InlineData("rhel", "9.4", "rhel", "7.9", "Warn", "RHEL 9 image on RHEL 7: not supported by Red Hat")]
    [InlineData("rhel", "6.10", "rhel", "9.2", "Warn", "RHEL 6 image on RHEL 9: not supported by Red Hat")]
    [InlineData("rhel", "10.0", "rhel", "9.6", "Pass", "RHEL 10 image on RHEL 9: supported by Red Hat")]
    [InlineData("rhel", "8.10", "rhel", "10.1", "Unknown", "RHEL 8 image on RHEL 10: unknown")]
    [InlineData("rhel", "8.10", "rhcos", "4.14", "Pass", "RHEL 8 image on RHEL 9: supported")]
    [InlineData("rhel", "9.4", "debian", "12", "Info", "host Debian 12: no vendor statement for this pairing")]
    [InlineData("centos", "9", "rhel", "9.2", "Info", "no vendor statement for this image on RHEL 9.2")]
    [InlineData("debian", "12", "debian", "12", "Info", "no vendor statement for this image on Debian 12")]
    public void A_pairing_is_what_its_vendor_says_of_it(string image, string version, string host, string hostVersion, string level, string summary)
    {
        Dictionary<string, string> values = new()
        {
            ["ID"] = host,
            ["NAME"] = host switch { "rhel" => "RHEL", "debian" => "Debian", _ => host },
            ["VERSION_ID"] = hostVersion,
            ["RHEL_VERSION"] = "9.2",
        };
        CheckResult result = VendorMatrix.Pairing(
            Image($"ID={image}\nVERSION_ID={version}\nPLATFORM_ID=platform:el9"), new HostFacts { OsRelease = values }, Day("2026-11-25"));
        Assert.Equal(("C17", level), (result.Id, result.Level.ToString()));
        Assert.Contains(summary, result.Summary, StringComparison.Ordinal);
        Assert.Equal(level is "Pass" or "Warn", result.Source is not null && result.AsOf is not null);
    }

    [Fact]
    public void An_image_without_os_release_is_told_by_the_labels_of_its_vendor()
    {
        HostFacts host = new() { OsRelease = new Dictionary<string, string> { ["ID"] = "rhel", ["VERSION_ID"] = "8.10" } };
        Dictionary<string, string> labels = new() { ["vendor"] = "Red Hat, Inc.", ["com.redhat.component"] = "ubi9-micro-container" };
        Assert.Contains("RHEL 9 image on RHEL 8", VendorMatrix.Pairing(Image(null, labels), host, Day("2026-11-25")).Summary, StringComparison.Ordinal);
        labels["vendor"] = "Somebody";
        Assert.Equal(CheckLevel.Info, VendorMatrix.Pairing(Image(null, labels), host, Day("2026-11-25")).Level);
    }

    [Theory]
    [InlineData("end-of-life.csv", 6)]
    [InlineData("red-hat-matrix.csv", 6)]
    public void Every_row_of_a_table_is_whole_and_there_once(string table, int fields)
    {
        using StreamReader reader = new(typeof(SupportTable).Assembly.GetManifestResourceStream(table)!);
        string[][] rows = [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#').Select(line => line.Split(','))];
        Assert.True(rows.Length > 10);
        Assert.All(rows, row =>
        {
            Assert.Equal(fields, row.Length);
            Assert.NotNull(SupportTable.Day(row[4]));
            Assert.NotEmpty(row[5]);
            if (table == "end-of-life.csv")
            {
                Assert.NotNull(SupportTable.Day(row[2]));
                Assert.True(row[3].Length == 0 || SupportTable.Day(row[3]) >= SupportTable.Day(row[2]), string.Join(',', row));
            }
            else
            {
                Assert.Contains(row[2], (string[])["Supported", "Unsupported"]);
            }
        });
        Assert.Equal(rows.Length, rows.Select(row => $"{row[0]},{row[1]}").Distinct().Count());
    }

    private static ImageFacts Image(string? release, IReadOnlyDictionary<string, string>? labels = null) => new()
    {
        Config = new ImageConfig("amd64", "linux", new ImageRootfs("layers")) { Config = new ExecutionConfig { Labels = labels } },
        OsRelease = release is null ? null : OsRelease.Parse("/etc/os-release", Encoding.UTF8.GetBytes(release)),
    };

    private static DateTimeOffset Day(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
