using System.Text.Json;

namespace OciTool.Images;

/// <summary>Tells manifests and indexes apart, and refuses documents that could be read as both.</summary>
/// <remarks>
/// CVE-2021-41190: a document with <c>manifests</c> and <c>layers</c> means one thing to one tool and another to the
/// next. Go reads JSON keys without regard to case and lets the last duplicate win, .NET does neither, so keys that
/// are equal but for their case are refused at every depth.
/// </remarks>
internal static class DocumentKind
{
    internal const string Manifest = "manifest";
    internal const string Index = "index";

    private static readonly string[] ManifestOnly = ["config", "layers"];
    private static readonly string[] IndexOnly = ["manifests"];
    private static readonly string[] Schema1Only = ["fsLayers", "history", "signatures"];

    /// <summary>Checks that a document is of one kind alone, and says the same of itself.</summary>
    /// <exception cref="InvalidDocumentException">It is of another kind, or of several.</exception>
    internal static void Require(Document document, string kind)
    {
        if (MediaTypes.IsSchema1(document.MediaType))
        {
            throw new InvalidDocumentException(
                $"{kind} {document.Digest}: Docker schema 1 is not supported: push the image again with a current tool");
        }

        bool typeFits = kind == Manifest ? MediaTypes.IsManifest(document.MediaType) : MediaTypes.IsIndex(document.MediaType);
        if (!typeFits)
        {
            throw new InvalidDocumentException(
                $"unsupported {kind} type {Printable.Shorten(document.MediaType)} for {document.Digest}");
        }

        HashSet<string> keys = StrictJson.TopLevelKeys(document.Bytes.Span, $"{kind} {document.Digest}", out string? mediaType);
        string[] foreign = kind == Manifest ? [.. IndexOnly, .. Schema1Only] : [.. ManifestOnly, .. Schema1Only];
        foreach (string key in foreign)
        {
            if (keys.Contains(key))
            {
                throw new InvalidDocumentException(
                    $"{kind} {document.Digest}: it has the field '{key}', which belongs to another kind of document");
            }
        }

        if (mediaType is not null && mediaType != document.MediaType)
        {
            throw new InvalidDocumentException(
                $"{kind} {document.Digest}: it was named {Printable.Shorten(document.MediaType)} but calls itself {Printable.Shorten(mediaType)}");
        }
    }
}
