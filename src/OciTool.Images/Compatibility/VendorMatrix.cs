namespace OciTool.Images.Compatibility;

/// <summary>Whether a vendor supports an image on a host, by what the vendor has published.</summary>
/// <remarks>A vendor supports a pairing when it is run with the vendor's own engines; that says nothing of this tool, and so do the summaries.</remarks>
internal static class VendorMatrix
{
    private const string Fix =
        "run it unprivileged, without the host's network, devices, /proc or /sys: where the majors differ, only such workloads are supported";

    /// <summary>C17: what the vendor says of the pairing.</summary>
    /// <param name="image">The image.</param>
    /// <param name="host">The host.</param>
    /// <param name="today">The day of the question; the table's own day is in the result.</param>
    public static CheckResult Pairing(ImageFacts image, HostFacts host, DateTimeOffset today)
    {
        string hostName = HostName(host.OsRelease);
        if (Major(image) is not { } major)
        {
            return image.OsRelease is null && image.UnreadRelease is not null
                ? Result(CheckLevel.Unknown, $"vendor unknown: {image.UnreadRelease}")
                : Result(CheckLevel.Info, $"no vendor statement for this image on {hostName}");
        }

        if (HostMajor(host.OsRelease) is not { } hostMajor)
        {
            return Result(CheckLevel.Info, $"host {hostName}: no vendor statement for this pairing");
        }

        CheckEvidence[] evidence = [new("image", "RHEL major", major), new("host", "RHEL major", hostMajor)];
        if (SupportTable.Find("red-hat-matrix.csv", major, hostMajor) is not { } row)
        {
            return Result(CheckLevel.Unknown, $"RHEL {major} image on RHEL {hostMajor}: unknown, Red Hat's matrix as we have it has no such pairing") with { Evidence = evidence };
        }

        if (row[3].Length > 0)
        {
            evidence = [.. evidence, new("matrix", "wording of 2019 to 2021", row[3])];
        }

        bool supported = row[2] == "Supported";
        return Result(
            supported ? CheckLevel.Pass : CheckLevel.Warn,
            supported
                ? $"RHEL {major} image on RHEL {hostMajor}: supported by Red Hat when run with Red Hat's engines{(major == hostMajor ? "" : ", unprivileged")}; oci is none"
                : $"RHEL {major} image on RHEL {hostMajor}: not supported by Red Hat") with
        {
            Evidence = evidence,
            Fix = supported && major != hostMajor ? Fix : null,
            Source = row[5],
            AsOf = row[4],
        };
    }

    // CentOS and its like have the platform IDs of RHEL, and are not Red Hat's
    private static string? Major(ImageFacts image)
    {
        if (image.OsRelease is { } release)
        {
            return release.Id == "rhel" ? Number(release.VersionId) ?? Number(After(release.PlatformId, "platform:el")) : null;
        }

        IReadOnlyDictionary<string, string>? labels = image.Config.Config?.Labels;
        return labels?.GetValueOrDefault("vendor") == "Red Hat, Inc."
            ? Number(After(labels.GetValueOrDefault("com.redhat.component"), "ubi") ?? After(labels.GetValueOrDefault("com.redhat.component"), "rhel"))
            : null;
    }

    private static string? HostMajor(IReadOnlyDictionary<string, string>? host) => host?.GetValueOrDefault("ID") switch
    {
        "rhel" => Number(host.GetValueOrDefault("VERSION_ID")),
        "rhcos" => Number(host.GetValueOrDefault("RHEL_VERSION")),
        _ => null,
    };

    private static string HostName(IReadOnlyDictionary<string, string>? host) =>
        host is null ? "unknown" : Printable.Shorten($"{host.GetValueOrDefault("NAME") ?? host.GetValueOrDefault("ID") ?? "unknown"} {host.GetValueOrDefault("VERSION_ID")}".TrimEnd(), 64);

    private static string? After(string? text, string prefix) =>
        text is not null && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;

    private static string? Number(string? text)
    {
        int digits = 0;
        while (digits < text?.Length && digits < 3 && char.IsAsciiDigit(text[digits]))
        {
            digits++;
        }

        return digits == 0 || (digits < text!.Length && char.IsAsciiDigit(text[digits])) ? null : text[..digits];
    }

    private static CheckResult Result(CheckLevel level, string summary) => new("C17", level, summary);
}
