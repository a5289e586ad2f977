using System.Text.Json;

namespace OciTool.Images.Verification;

/// <summary>What a signature says once its key has vouched for it: this manifest is that image.</summary>
/// <param name="Manifest">The digest of the manifest or index.</param>
/// <param name="Name">What the signer calls the image.</param>
/// <param name="Annotations">What the signer added; values that are not text are JSON.</param>
/// <remarks>The "simple signing" payload of containers-signature(5), with cosign's type.</remarks>
public sealed record SimpleSigning(Digest Manifest, SignedReference Name, IReadOnlyDictionary<string, string> Annotations)
{
    private const string Type = "cosign container image signature";

    /// <summary>Parses a payload strictly.</summary>
    /// <param name="payload">The signed bytes.</param>
    /// <exception cref="OciException">It is no payload, or has more in its critical part than it should.</exception>
    internal static SimpleSigning Parse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            JsonElement root = Exactly(document.RootElement, "critical", "optional");
            JsonElement critical = Exactly(root.GetProperty("critical"), "type", "image", "identity");
            string type = Text(critical, "type");
            if (type != Type)
            {
                throw Invalid($"its type is '{Printable.Shorten(type, 64)}'");
            }

            string digest = Text(Exactly(critical.GetProperty("image"), "docker-manifest-digest"), "docker-manifest-digest");
            string name = Text(Exactly(critical.GetProperty("identity"), "docker-reference"), "docker-reference");
            return new SimpleSigning(
                Digest.TryParse(digest, provider: null, out Digest manifest) ? manifest
                    : throw Invalid($"'{Printable.Shorten(digest)}' is not a digest"),
                SignedReference.TryParse(name, out SignedReference? signed) ? signed
                    : throw Invalid($"'{Printable.Shorten(name)}' is not the name of an image"),
                ReadAnnotations(root.GetProperty("optional")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Invalid(Printable.Shorten(e.Message.TrimEnd('.')));
        }
    }

    // cosign writes null where there are none
    private static Dictionary<string, string> ReadAnnotations(JsonElement optional)
    {
        Dictionary<string, string> annotations = [];
        if (optional.ValueKind == JsonValueKind.Null)
        {
            return annotations;
        }

        foreach (JsonProperty annotation in optional.EnumerateObject())
        {
            annotations[annotation.Name] = annotation.Value.ValueKind == JsonValueKind.String
                ? annotation.Value.GetString()!
                : annotation.Value.GetRawText();
        }

        return annotations;
    }

    // a part that we do not understand could take back what another one says
    private static JsonElement Exactly(JsonElement value, params ReadOnlySpan<string> names)
    {
        int count = 0;
        foreach (JsonProperty member in value.EnumerateObject())
        {
            count += names.Contains(member.Name) ? 1 : throw Invalid($"it has the unknown field '{Printable.Shorten(member.Name, 64)}'");
        }

        return count == names.Length ? value : throw Invalid($"it must have the fields {string.Join(", ", names)}");
    }

    private static string Text(JsonElement value, string name) =>
        value.GetProperty(name).ValueKind == JsonValueKind.String
            ? value.GetProperty(name).GetString()!
            : throw Invalid($"'{name}' must be text");

    private static OciException Invalid(string mistake) => new($"the payload is invalid: {mistake}");
}
