using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OciTool.Images.Compatibility;

/// <summary>Whether and why an image runs on a host: three answers, and the checks behind them.</summary>
public sealed record CompatibilityReport
{
    /// <summary>The version of this shape.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>What the image was asked for by.</summary>
    public required string Image { get; init; }

    /// <summary>The digest of its manifest.</summary>
    public required string Digest { get; init; }

    /// <summary>What it is for, as its configuration says.</summary>
    public required string Platform { get; init; }

    /// <summary>The host.</summary>
    public required HostFacts Host { get; init; }

    /// <summary>What was read of an image that is not in the store; null for one that is.</summary>
    public LayersRead? Read { get; init; }

    /// <summary>Every check.</summary>
    public required IReadOnlyList<CheckResult> Checks { get; init; }

    /// <summary>Whether other engines can read the image.</summary>
    public required Verdict Portability { get; init; }

    /// <summary>Whether it starts on the host.</summary>
    public required Verdict Compatibility { get; init; }

    /// <summary>Whether somebody supports the pairing.</summary>
    public required Verdict Supportability { get; init; }

    /// <summary>The status that a script gets.</summary>
    /// <param name="strict">Whether warnings count.</param>
    /// <returns>0 for no failure, 1 for warnings when they count, 2 when it would not start, 3 when that is not known.</returns>
    public int ExitCode(bool strict) => Compatibility.Level switch
    {
        CheckLevel.Fail => 2,
        CheckLevel.Unknown => 3,
        _ when strict && Array.Exists([Portability, Compatibility, Supportability], verdict => verdict.Level is CheckLevel.Warn or CheckLevel.Fail) => 1,
        _ => 0,
    };

    /// <summary>Decides.</summary>
    /// <param name="image">What the image was asked for by.</param>
    /// <param name="digest">The digest of its manifest.</param>
    /// <param name="facts">What is known of it.</param>
    /// <param name="host">What is known of the host.</param>
    /// <param name="today">The day that support is looked at.</param>
    public static CompatibilityReport Make(string image, Digest digest, ImageFacts facts, HostFacts host, DateTimeOffset today)
    {
        CheckResult[] compatibility = [.. CheckList.Compatibility.Select(check => check(facts, host))];
        CheckResult[] supportability = [.. CheckList.Supportability.Select(check => check(facts, host, today))];
        return new CompatibilityReport
        {
            Image = Printable.Shorten(image),
            Digest = digest.ToString(),
            Platform = Printable.Shorten(facts.Config.Platform.ToString()),
            Host = host,
            Read = facts.Read,
            Checks = [.. compatibility.Concat(supportability).OrderBy(check => check.Id, StringComparer.Ordinal)],
            Portability = PortabilityVerdict.Of(facts.Manifest),
            Compatibility = Summarize(compatibility, host),
            Supportability = supportability.Length == 0
                ? new Verdict(CheckLevel.Unknown, "nobody's statement is known")
                : new Verdict(Worst(supportability, CheckLevel.Fail, CheckLevel.Warn, CheckLevel.Unknown, CheckLevel.Info), string.Join("; ", supportability.Select(check => check.Summary))),
        };
    }

    /// <summary>The document.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, CompatibilityJson.Default.CompatibilityReport);

    /// <summary>The three answers, and every check that is not passed.</summary>
    public string ToText()
    {
        StringBuilder text = new();
        text.Append($"{Image}   {Platform}   {(Digest.Length > 19 ? $"{Digest[..19]}…" : Digest)}\n");
        foreach ((string name, Verdict verdict) in (ReadOnlySpan<(string, Verdict)>)
            [("Portability", Portability), ("Compatibility", Compatibility), ("Supportability", Supportability)])
        {
            text.Append($"{name,-15} {Word(verdict.Level),-7} {verdict.Summary}\n");
        }

        if (Read is { } read && (read.Requested > 0 || read.Layers > read.FromStore))
        {
            text.Append(CultureInfo.InvariantCulture, $"{"Not pulled",-15} {"",-7} {read.Requested} of {read.Layers} layers asked for{(read.FromStore > 0 ? $", {read.FromStore} in the store" : "")}, {Mebibytes(read.Bytes)} of {Mebibytes(read.Size)} MiB read\n");
        }

        foreach (CheckResult check in Checks)
        {
            if (check.Level is CheckLevel.Fail or CheckLevel.Warn or CheckLevel.Unknown)
            {
                text.Append($"  {check.Id} {Word(check.Level),-7} {check.Summary}\n");
                if (check.Fix is { } fix)
                {
                    text.Append($"      fix: {fix}\n");
                }
            }
        }

        return text.ToString();
    }

    private static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Word(CheckLevel level) => level switch
    {
        CheckLevel.Pass or CheckLevel.Info => "OK",
        CheckLevel.Warn => "WARN",
        CheckLevel.Fail => "FAIL",
        _ => "UNKNOWN",
    };

    private static Verdict Summarize(CheckResult[] checks, HostFacts host)
    {
        CheckLevel level = Worst(checks, CheckLevel.Fail, CheckLevel.Unknown, CheckLevel.Warn);
        string[] bad = [.. checks.Where(check => check.Level == level).Select(check => check.Summary).Distinct()];
        return new Verdict(level, level == CheckLevel.Pass
            ? string.Join(" · ", checks.Where(check => check.Id is "C05" or "C07" or "C09" or "C10").Select(check => check.Summary))
            : bad.Length == 1 ? bad[0] : $"{bad[0]}; and {bad.Length - 1} more");
    }

    /// <summary>The first of some levels that a check has; else a pass.</summary>
    private static CheckLevel Worst(CheckResult[] checks, params ReadOnlySpan<CheckLevel> order)
    {
        foreach (CheckLevel level in order)
        {
            if (Array.Exists(checks, check => check.Level == level))
            {
                return level;
            }
        }

        return CheckLevel.Pass;
    }
}

/// <summary>One of the three answers.</summary>
/// <param name="Level">How it came out.</param>
/// <param name="Summary">Why, in one line.</param>
public sealed record Verdict(CheckLevel Level, string Summary);
