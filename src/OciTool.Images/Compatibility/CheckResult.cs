using System.Text.Json.Serialization;

namespace OciTool.Images.Compatibility;

/// <summary>How a check came out; the order is not that of importance.</summary>
[JsonConverter(typeof(CheckLevelConverter))]
public enum CheckLevel
{
    /// <summary>Nothing is in the way.</summary>
    Pass,

    /// <summary>Nothing is in the way, and there is something to know.</summary>
    Info,

    /// <summary>It runs, but not everything in it may.</summary>
    Warn,

    /// <summary>It would not start.</summary>
    Fail,

    /// <summary>What the answer depends on is not known.</summary>
    Unknown,
}

/// <summary>Writes a level as its word in lower case.</summary>
internal sealed class CheckLevelConverter() : JsonStringEnumConverter<CheckLevel>(System.Text.Json.JsonNamingPolicy.CamelCase);

/// <summary>A fact that a check was decided by.</summary>
/// <param name="Path">Where it is: a path in the image, <c>config</c>, <c>index</c> or <c>host</c>.</param>
/// <param name="What">Which fact, for example <c>PT_INTERP</c>.</param>
/// <param name="Value">Its value, made safe to print.</param>
public sealed record CheckEvidence(string Path, string What, string Value);

/// <summary>The verdict of one check.</summary>
/// <param name="Id">For example <c>C06</c>.</param>
/// <param name="Level">How it came out.</param>
/// <param name="Summary">One line, in lower case and without a full stop, safe to print.</param>
public sealed record CheckResult(string Id, CheckLevel Level, string Summary)
{
    /// <summary>What it was decided by.</summary>
    public IReadOnlyList<CheckEvidence> Evidence { get; init; } = [];

    /// <summary>The way out, where there is one.</summary>
    public string? Fix { get; init; }

    /// <summary>Where the rule comes from.</summary>
    public string? Source { get; init; }

    /// <summary>The day of the data that it was decided by, <c>YYYY-MM-DD</c>; null for what was looked at just now.</summary>
    public string? AsOf { get; init; }
}
