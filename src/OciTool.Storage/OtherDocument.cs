using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>Documents that are not of an image that can be run, such as artifacts that other tools put into the layout.</summary>
internal static class OtherDocument
{
    /// <summary>Every digest that a document mentions; none when it is not JSON.</summary>
    internal static HashSet<Digest> DigestsIn(Document document)
    {
        HashSet<Digest> digests = [];
        try
        {
            using JsonDocument json = JsonDocument.Parse(document.Bytes, new JsonDocumentOptions { MaxDepth = 64 });
            Collect(json.RootElement, digests);
        }
        catch (JsonException)
        {
            // then it mentions none
        }

        return digests;
    }

    /// <summary>The type of manifest or index that bytes are, by what they say or by their fields; null for neither.</summary>
    internal static string? TypeOf(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64 });
            JsonElement root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            if (root.TryGetProperty("mediaType", out JsonElement type) && type.ValueKind == JsonValueKind.String)
            {
                string? said = type.GetString();
                return MediaTypes.IsManifest(said) || MediaTypes.IsIndex(said) ? said : null;
            }

            return root.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex
                : root.TryGetProperty("layers", out _) && root.TryGetProperty("config", out _) ? MediaTypes.OciManifest
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Collect(JsonElement element, HashSet<Digest> digests)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
            {
                Collect(item, digests);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (property.Name == "digest" && property.Value.ValueKind == JsonValueKind.String
                    && Digest.TryParse(property.Value.GetString(), provider: null, out Digest digest))
                {
                    digests.Add(digest);
                }

                Collect(property.Value, digests);
            }
        }
    }
}
