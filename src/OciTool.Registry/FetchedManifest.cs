using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A manifest or index as a registry served it.</summary>
/// <param name="ContentType">The media type without parameters; null when there was none.</param>
/// <param name="AnnouncedDigest">What <c>Docker-Content-Digest</c> says; null when it says nothing.</param>
/// <param name="Body">The bytes.</param>
internal sealed record FetchedManifest(string? ContentType, string? AnnouncedDigest, byte[] Body)
{
    /// <summary>Verifies it against the digest that it was asked for by, and against what the registry said of it.</summary>
    /// <param name="reference">The image that was asked for.</param>
    /// <exception cref="ContentMismatchException">It is something else than the digest names.</exception>
    /// <exception cref="RegistryException">The registry announced another digest.</exception>
    internal Document Verify(Reference reference)
    {
        string mediaType = MediaType();
        Document document = reference.Digest is { } digest
            ? Document.Verify(new Descriptor(mediaType, digest, Body.Length), Body)
            : new Document(mediaType, Body);
        RequireAnnouncedDigest(reference);
        return document;
    }

    // registries that do not know a manifest's type serve it as something general
    private string MediaType()
    {
        if (ContentType is not (null or "text/plain" or "application/json" or "application/octet-stream"))
        {
            return ContentType;
        }

        try
        {
            return JsonSerializer.Deserialize(Body, RegistryJson.Default.MediaTypeDocument)?.MediaType ?? ContentType ?? "";
        }
        catch (JsonException)
        {
            return ContentType ?? "";
        }
    }

    // the body's own hash is its identity; what the registry says of it can only disagree
    private void RequireAnnouncedDigest(Reference reference)
    {
        if (AnnouncedDigest is not { } text)
        {
            return;
        }

        Digest announced = Digest.Parse(text);
        Digest actual = Digest.Of(Body, announced);
        if (announced != actual)
        {
            throw new RegistryException(
                $"{reference}: the registry announced a manifest with digest {announced} and sent one with digest {actual}");
        }
    }
}
