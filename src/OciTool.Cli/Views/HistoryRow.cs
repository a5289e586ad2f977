using System.Text.Json.Serialization;

namespace OciTool.Cli.Views;

/// <summary>A step as <c>history --format json</c> prints it; podman has the time twice, in keys that differ by case.</summary>
internal sealed record HistoryRow
{
    /// <summary>The image's ID in hexadecimal, or <c>&lt;missing&gt;</c>.</summary>
    [JsonPropertyName("id")]
    public string Id { get; init; } = "";

    /// <summary>When the step was made, as the image has it.</summary>
    [JsonPropertyName("created")]
    public string Time { get; init; } = "";

    /// <summary>The command.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>The names of the image.</summary>
    [JsonPropertyName("tags")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string[]? Tags { get; init; }

    /// <summary>The size of the layer in bytes.</summary>
    [JsonPropertyName("size")]
    public long Size { get; init; }

    /// <summary>A comment.</summary>
    [JsonPropertyName("comment")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? Comment { get; init; }

    /// <summary>When the step was made, in whole seconds.</summary>
    [JsonPropertyName("Created")]
    public string Created { get; init; } = "";
}
