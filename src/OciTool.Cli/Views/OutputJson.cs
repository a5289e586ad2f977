using System.Text.Json;
using System.Text.Json.Serialization;
using OciTool.Cli.Output;

namespace OciTool.Cli.Views;

/// <summary>The JSON that verbs print, and the metadata by which templates walk the same records.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(ContainerInspection[]))]
[JsonSerializable(typeof(ContainerSummary[]))]
[JsonSerializable(typeof(DiskUsage[]))]
[JsonSerializable(typeof(HistoryRow[]))]
[JsonSerializable(typeof(ImageInspection[]))]
[JsonSerializable(typeof(MountedImageView[]))]
[JsonSerializable(typeof(ImageSummary[]))]
[JsonSerializable(typeof(RemoteDescriptor[]))]
[JsonSerializable(typeof(RemoteInspection[]))]
[JsonSerializable(typeof(SearchResult[]))]
[JsonSerializable(typeof(SystemInformation))]
[JsonSerializable(typeof(TagList[]))]
[JsonSerializable(typeof(VerifiedSignatureView[]))]
[JsonSerializable(typeof(TagList[]))]
[JsonSerializable(typeof(TreeDifferences))]
[JsonSerializable(typeof(VersionReport))]
internal sealed partial class OutputJson : JsonSerializerContext;

/// <summary>Moments in the form that Go gives them in JSON.</summary>
internal sealed class GoTimeConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(GoTime.Rfc3339(value));
}
