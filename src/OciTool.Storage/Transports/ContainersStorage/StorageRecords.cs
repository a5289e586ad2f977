using System.Text;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>An image as <c>images.json</c> lists it.</summary>
/// <param name="Id">Its ID, which is safe as the name of a file.</param>
/// <param name="Names">Its names.</param>
/// <param name="TopLayer">The ID of its last layer; empty where it has none.</param>
/// <param name="BigData">The digests of the documents that are kept for it, by their keys.</param>
internal sealed record StorageImageRecord(string Id, IReadOnlyList<string> Names, string TopLayer, IReadOnlyDictionary<string, string> BigData)
{
    internal const string ManifestKey = "manifest";

    /// <summary>The key of the manifest or index that has a digest.</summary>
    internal static string ManifestKeyOf(Digest digest) => $"manifest-{digest}";

    /// <summary>Whether it was pulled or built as this manifest or index.</summary>
    internal bool HasManifest(Digest digest) => BigData.Any(data =>
        data.Value == digest.ToString() && (data.Key == ManifestKey || data.Key.StartsWith("manifest-", StringComparison.Ordinal)));

    /// <summary>The name of the file that keeps a document: plain where it is simple, else Base64.</summary>
    /// <remarks>containers/storage takes a last character for simple, whatever it is; this must do the same.</remarks>
    internal static string FileNameOf(string key)
    {
        int complex = key.AsSpan().IndexOfAnyExcept(Simple);
        return complex < 0 || (complex == key.Length - 1 && char.IsAscii(key[complex])) ? key : $"={Convert.ToBase64String(Encoding.UTF8.GetBytes(key))}";
    }

    private static readonly System.Buffers.SearchValues<char> Simple = System.Buffers.SearchValues.Create(".0123456789abcdefghijklmnopqrstuvwxyz");
}

/// <summary>A layer as <c>layers.json</c> lists it.</summary>
/// <param name="Id">Its ID, which is safe as the name of a file.</param>
/// <param name="Parent">The ID of the layer below it; empty where it is the first.</param>
/// <param name="DiffId">The digest of its archive, uncompressed; null where it was never known.</param>
/// <param name="Size">The size of that archive in bytes; negative where it was never known.</param>
/// <param name="IsIncomplete">Whether it was being written when its writer ended.</param>
internal sealed record StorageLayerRecord(string Id, string Parent, Digest? DiffId, long Size, bool IsIncomplete);

/// <summary>Reads the lists of a store.</summary>
internal static class StorageRecords
{
    private const int MaxKeys = 1000;

    /// <exception cref="OciException">It is no such list.</exception>
    internal static IEnumerable<StorageImageRecord> ReadImages(ReadOnlyMemory<byte> json, string name) => Read(json, name, image => new StorageImageRecord(
        Id(image, "id"),
        [.. Texts(image, "names")],
        image.TryGetProperty("layer", out _) ? IdOrNothing(image, "layer") : "",
        image.TryGetProperty("big-data-digests", out JsonElement data) && data.ValueKind == JsonValueKind.Object
            ? data.EnumerateObject().Take(MaxKeys).DistinctBy(pair => pair.Name).ToDictionary(pair => pair.Name, pair => pair.Value.GetString() ?? "")
            : []));

    /// <exception cref="OciException">It is no such list.</exception>
    internal static IEnumerable<StorageLayerRecord> ReadLayers(ReadOnlyMemory<byte> json, string name) => Read(json, name, layer => new StorageLayerRecord(
        Id(layer, "id"),
        IdOrNothing(layer, "parent"),
        Digest.TryParse(Text(layer, "diff-digest"), provider: null, out Digest digest) ? digest : null,
        layer.TryGetProperty("diff-size", out JsonElement size) ? size.GetInt64() : -1,
        layer.TryGetProperty("flags", out JsonElement flags) && flags.ValueKind == JsonValueKind.Object
            && flags.TryGetProperty("incomplete", out JsonElement incomplete) && incomplete.ValueKind == JsonValueKind.True));

    private static List<T> Read<T>(ReadOnlyMemory<byte> json, string name, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Null ? [] : [.. document.RootElement.EnumerateArray().Select(read)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new OciException($"{name}: {Printable.Shorten(e.Message)}", e);
        }
    }

    // IDs become parts of paths
    private static string Id(JsonElement record, string key) => IdOrNothing(record, key) is { Length: > 0 } id ? id
        : throw new FormatException($"a record without '{key}'");

    private static string IdOrNothing(JsonElement record, string key)
    {
        string id = Text(record, key);
        return id is "." or ".." || id.Length > 200 || id.AsSpan().ContainsAny('/', '\0') ? throw new FormatException($"'{key}' is no ID: {id}") : id;
    }

    private static string Text(JsonElement record, string key) => record.TryGetProperty(key, out JsonElement text) ? text.GetString() ?? "" : "";

    private static IEnumerable<string> Texts(JsonElement record, string key) =>
        record.TryGetProperty(key, out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Take(MaxKeys).Select(item => item.GetString() ?? "")
            : [];
}
