using System.Text;
using System.Text.Json;

namespace OciTool.Images;

/// <summary>Refuses JSON that two readers could understand differently.</summary>
internal static class StrictJson
{
    internal const int MaxDepth = 64;

    /// <summary>Walks a whole document and checks that no object has keys that are equal, or equal but for case.</summary>
    /// <param name="document">The UTF-8 document.</param>
    /// <param name="what">What it is, for the error.</param>
    /// <param name="mediaType">The value of the top-level <c>mediaType</c>, where there is one.</param>
    /// <returns>The keys of the outermost object; the set ignores case.</returns>
    /// <exception cref="InvalidDocumentException">It is not JSON, not an object, too deep or ambiguous.</exception>
    internal static HashSet<string> TopLevelKeys(ReadOnlySpan<byte> document, string what, out string? mediaType)
    {
        mediaType = null;
        Stack<HashSet<string>?> open = new();
        HashSet<string> top = new(StringComparer.OrdinalIgnoreCase);
        try
        {
            Utf8JsonReader reader = new(document, new JsonReaderOptions { MaxDepth = MaxDepth });
            bool isMediaType = false;
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        open.Push(open.Count == 0 ? top : new HashSet<string>(StringComparer.OrdinalIgnoreCase));
                        break;
                    case JsonTokenType.StartArray when open.Count == 0:
                        throw new InvalidDocumentException($"invalid {what}: it is not a JSON object");
                    case JsonTokenType.StartArray:
                        open.Push(null);
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        open.Pop();
                        break;
                    case JsonTokenType.PropertyName:
                        string key = reader.GetString()!;
                        isMediaType = open.Count == 1 && key == "mediaType";
                        if (!open.Peek()!.Add(key))
                        {
                            throw new InvalidDocumentException($"invalid {what}: the key '{Printable.Shorten(key)}' occurs twice");
                        }

                        continue;
                    case JsonTokenType.String when isMediaType:
                        mediaType = reader.GetString();
                        break;
                    case JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
                        or JsonTokenType.Null when open.Count == 0:
                        throw new InvalidDocumentException($"invalid {what}: it is not a JSON object");
                    default:
                        break;
                }

                isMediaType = false;
            }

            return top;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8
            throw new InvalidDocumentException($"invalid {what}: {Printable.Shorten(e.Message)}", e);
        }
    }
}
