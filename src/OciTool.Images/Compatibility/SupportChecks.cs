using System.Globalization;

namespace OciTool.Images.Compatibility;

/// <summary>Whether a distribution still supports what is in an image.</summary>
/// <remarks>
/// The image's own word comes first: <c>SUPPORT_END</c> of os-release(5), the first day without support. Else the table in the binary, whose days are the last
/// ones with support. What neither knows is unknown.
/// </remarks>
internal static class SupportChecks
{
    private const int NoticeDays = 90;
    private const string ReleaseSource = "os-release(5), SUPPORT_END";

    private static readonly string[] RollingReleases =
        ["arch", "chimera", "gentoo", "guix", "kali", "nixos", "opensuse-microos", "opensuse-tumbleweed", "void", "wolfi"];

    /// <summary>C16: whether the image's distribution is past its end.</summary>
    /// <param name="image">The image.</param>
    /// <param name="host">The host; it has no part in this.</param>
    /// <param name="today">The day of the question.</param>
    public static CheckResult EndOfLife(ImageFacts image, HostFacts host, DateTimeOffset today)
    {
        if (image.OsRelease is not { } release)
        {
            return Result(CheckLevel.Unknown, image.UnreadRelease is { } why
                ? $"end of life unknown: {why}"
                : "end of life unknown: the image has no os-release");
        }

        DateOnly day = DateOnly.FromDateTime(today.UtcDateTime);
        List<CheckEvidence> evidence =
        [
            new(Printable.Shorten(release.Path), "ID", Printable.Shorten(release.Id)),
            .. release.VersionId is { } id ? [new CheckEvidence(Printable.Shorten(release.Path), "VERSION_ID", Printable.Shorten(id))] : Array.Empty<CheckEvidence>(),
            .. AgeOf(image.Config, today),
        ];
        string name = NameOf(release);
        if (release.SupportEnd is { } written)
        {
            evidence.Add(new(Printable.Shorten(release.Path), "SUPPORT_END", Printable.Shorten(written)));
            return (SupportTable.Day(written) is { } first
                ? Judge(name, first.AddDays(-1), extended: null, day)
                : Result(CheckLevel.Unknown, $"end of life of {name} unknown: SUPPORT_END is no day")) with
            {
                Evidence = evidence,
                Source = ReleaseSource,
            };
        }

        string key = KeyOf(release);
        if (Array.IndexOf(RollingReleases, key) >= 0)
        {
            return Result(CheckLevel.Info, $"{name} is a rolling release: supported as long as it is updated") with { Evidence = evidence };
        }

        if (Row(key, release.VersionId) is not { } row)
        {
            return Result(CheckLevel.Unknown, $"end of life of {name} unknown") with { Evidence = evidence };
        }

        CheckResult result = Judge(name, SupportTable.Day(row[2])!.Value, SupportTable.Day(row[3]), day);
        string old = day.DayNumber - SupportTable.Day(row[4])!.Value.DayNumber > SupportTable.Fresh.Days && result.Level == CheckLevel.Pass
            ? $" (as of {row[4]})"
            : "";
        return result with { Summary = $"{result.Summary}{old}", Evidence = evidence, Source = row[5], AsOf = row[4] };
    }

    private static CheckResult Judge(string name, DateOnly last, DateOnly? extended, DateOnly today)
    {
        int left = last.DayNumber - today.DayNumber;
        string until = SupportTable.Text(last);
        return left switch
        {
            < 0 when extended > last && extended >= today => Result(
                CheckLevel.Warn, $"{name} ended {until}; extended support until {SupportTable.Text(extended.Value)}, where it was agreed on"),
            < 0 => Result(CheckLevel.Warn, $"{name} ended {until}{(extended > last ? $", extended support {SupportTable.Text(extended.Value)}" : "")}"),
            < NoticeDays => Result(CheckLevel.Warn, $"{name} ends {until}, in {left} {(left == 1 ? "day" : "days")}"),
            _ => Result(CheckLevel.Pass, $"{name} is supported until {until}"),
        };
    }

    // 9.4 is of the row 9, and 3.18.5 of 3.18
    private static string[]? Row(string id, string? version)
    {
        while (version is { Length: > 0 and < 32 })
        {
            if (SupportTable.Find("end-of-life.csv", id, version) is { } row)
            {
                return row;
            }

            version = version.LastIndexOf('.') is > 0 and var dot ? version[..dot] : null;
        }

        return null;
    }

    private static string KeyOf(OsRelease release) =>
        release.Id == "centos" && release["NAME"]?.Contains("Stream", StringComparison.Ordinal) == true ? "centos-stream" : release.Id;

    private static string NameOf(OsRelease release) => Printable.Shorten(
        release["NAME"] is { Length: > 0 } name
            ? release.VersionId is { } version ? $"{name} {version}" : name
            : release.PrettyName ?? $"{release.Id} {release.VersionId}".TrimEnd(),
        64);

    private static IEnumerable<CheckEvidence> AgeOf(ImageConfig config, DateTimeOffset today)
    {
        if (DateTimeOffset.TryParse(config.Created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset created)
            && created > DateTimeOffset.UnixEpoch && created <= today)
        {
            yield return new CheckEvidence("config", "created", $"{created:yyyy-MM-dd}, {(today - created).Days} days ago");
        }
    }

    private static CheckResult Result(CheckLevel level, string summary) => new("C16", level, summary);
}
