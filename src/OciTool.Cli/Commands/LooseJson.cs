using System.Text.Json;

namespace OciTool.Cli.Commands;

/// <summary>Reads documents that are only shown: what is missing or of another type reads as nothing, and nothing is refused.</summary>
internal static class LooseJson
{
    /// <summary>Parses a document; null when it is not a JSON object, or has text in it that is none.</summary>
    /// <param name="document">The document.</param>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> document)
    {
        try
        {
            RequireText(document.Span);
            JsonDocument json = JsonDocument.Parse(document);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
            {
                return json;
            }

            json.Dispose();
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A member; null when it is not there, or null.</summary>
    public static JsonElement? Member(this JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } map && map.TryGetProperty(name, out JsonElement member)
            && member.ValueKind != JsonValueKind.Null ? member : null;

    /// <summary>A text.</summary>
    public static string? Text(this JsonElement? element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.String } member ? member.GetString() : null;

    /// <summary>A whole number; 0 when there is none.</summary>
    public static long Number(this JsonElement? element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } member && member.TryGetInt64(out long number) ? number : 0;

    /// <summary>The elements of a list; none when there is no list.</summary>
    public static IEnumerable<JsonElement?> List(this JsonElement? element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(item => (JsonElement?)item) : [];

    /// <summary>The texts of a list; null when there is no list.</summary>
    public static string[]? Texts(this JsonElement? element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
            : null;

    /// <summary>A map of texts; null when there is none. Of a key that occurs twice the last value counts.</summary>
    public static Dictionary<string, string>? Map(this JsonElement? element, string name)
    {
        if (element.Member(name) is not { ValueKind: JsonValueKind.Object } map)
        {
            return null;
        }

        Dictionary<string, string> texts = [];
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            texts[entry.Name] = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : entry.Value.GetRawText();
        }

        return texts;
    }

    // half of a surrogate pair is found out only when it is read, and then as a mistake of the reader
    private static void RequireText(ReadOnlySpan<byte> document)
    {
        Utf8JsonReader reader = new(document);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                _ = reader.GetString();
            }
        }
    }
}
