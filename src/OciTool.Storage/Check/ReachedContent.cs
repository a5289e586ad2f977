using OciTool.Images;

namespace OciTool.Storage.Check;

/// <summary>What the names of a store lead to, as far as its documents are whole, and what is wrong with the documents.</summary>
/// <remarks>Documents are small, so their digests are verified here; layers are only listed.</remarks>
internal sealed class ReachedContent
{
    private readonly ContentStore _content;
    private readonly HashSet<(Digest, string)> _reported = [];

    private ReachedContent(ContentStore content) => _content = content;

    /// <summary>The sizes that documents state for blobs that must be here, with an image that needs each.</summary>
    internal Dictionary<Digest, (long Size, string Image)> Needed { get; } = [];

    /// <summary>The applied layers that must be here, with the blob that each is made of and an image that needs it.</summary>
    internal Dictionary<Digest, (Descriptor Blob, string Image)> Layers { get; } = [];

    /// <summary>All digests that are mentioned, here or not: nothing of it is collected.</summary>
    internal HashSet<Digest> Mentioned { get; } = [];

    /// <summary>What is wrong with documents.</summary>
    internal List<StoreFinding> Findings { get; } = [];

    /// <summary>Whether a document has other content than its name promises; the hashing of blobs names it.</summary>
    internal bool HasDamagedDocuments { get; private set; }

    /// <summary>Follows all names.</summary>
    internal static ReachedContent From(LayoutIndex index, ContentStore content)
    {
        ReachedContent reached = new(content);
        foreach (Descriptor entry in index.Entries)
        {
            string image = LayoutIndex.NameOf(entry) ?? entry.Digest.ToString();
            reached.VisitEntry(entry, image);
        }

        return reached;
    }

    private void VisitEntry(Descriptor entry, string image)
    {
        if (Require(entry, image, "manifest") is not { } document)
        {
            return;
        }

        string? type = OtherDocument.TypeOf(document.Bytes);
        if (type is not null && type != entry.MediaType)
        {
            Report("index damaged", image, $"index.json names its type {Printable.Shorten(entry.MediaType)}, but it is {type}");
            return;
        }

        if (MediaTypes.IsIndex(entry.MediaType))
        {
            int manifests = 0;
            VisitIndex(document, image, ref manifests, nested: false);
            if (manifests == 0 && !_reported.Any(known => known.Item2 == image))
            {
                Report("image incomplete", image, $"no manifest of index {entry.Digest} is in the store");
            }
        }
        else if (MediaTypes.IsManifest(entry.MediaType))
        {
            VisitManifest(document, image);
        }
    }

    private void VisitIndex(Document document, string image, ref int manifests, bool nested)
    {
        ImageIndex index;
        try
        {
            index = ImageIndex.Parse(document);
        }
        catch (InvalidDocumentException)
        {
            Mentioned.UnionWith(OtherDocument.DigestsIn(document));
            manifests++; // not an image's, but somebody's
            return;
        }

        foreach (Descriptor entry in index.Manifests)
        {
            // an index may name more than is here
            Mentioned.Add(entry.Digest);
            if (!File.Exists(_content.Locate(entry.Digest)))
            {
                continue;
            }

            manifests++;
            if (Require(entry, image, "manifest") is not { } child)
            {
                continue;
            }

            if (MediaTypes.IsIndex(entry.MediaType) && !nested)
            {
                VisitIndex(child, image, ref manifests, nested: true);
            }
            else if (MediaTypes.IsManifest(entry.MediaType) && entry.Platform is not { Os: "unknown" })
            {
                VisitManifest(child, image);
            }
            else
            {
                VisitOther(child, image);
            }
        }
    }

    private void VisitManifest(Document document, string image)
    {
        Manifest manifest;
        try
        {
            manifest = Manifest.Parse(document);
        }
        catch (InvalidDocumentException)
        {
            VisitOther(document, image);
            return;
        }

        foreach (Descriptor layer in manifest.Layers)
        {
            Need(layer, image);
        }

        if (Require(manifest.Config, image, "config") is not { } configDocument)
        {
            return;
        }

        try
        {
            ImageConfig config = ImageConfig.Parse(configDocument, manifest);
            for (int i = 0; i < manifest.Layers.Count; i++)
            {
                Mentioned.Add(config.Rootfs.DiffIds[i]);
                Layers.TryAdd(config.Rootfs.DiffIds[i], (manifest.Layers[i], image));
            }
        }
        catch (InvalidDocumentException e)
        {
            Report("image unusable", image, e.Message);
        }
    }

    /// <summary>An attestation or another artifact: it came with its blobs, or not at all.</summary>
    private void VisitOther(Document document, string image)
    {
        Mentioned.UnionWith(OtherDocument.DigestsIn(document));
        try
        {
            Manifest manifest = Manifest.ParseAny(document);
            Need(manifest.Config, image);
            foreach (Descriptor blob in manifest.Layers)
            {
                Need(blob, image);
            }
        }
        catch (InvalidDocumentException)
        {
            // another tool's, of which nobody here knows the parts
        }
    }

    /// <summary>A document that must be here; what is wrong with it is reported.</summary>
    private Document? Require(Descriptor descriptor, string image, string kind)
    {
        Need(descriptor, image);
        string path = _content.Locate(descriptor.Digest);
        FileInfo file = new(path);
        if (!file.Exists || file.Length != descriptor.Size)
        {
            return null; // as any blob that is missing or has another size
        }

        try
        {
            if (_content.Find(descriptor) is { } document)
            {
                return document;
            }

            HasDamagedDocuments = true;
            if (descriptor.Size > Document.MaxSize)
            {
                Report("image unusable", image, $"{kind} {descriptor.Digest} has {descriptor.Size} bytes, which is more than is read");
            }
        }
        catch (OciException)
        {
            HasDamagedDocuments = true; // unreadable, as the reading of all blobs will say
        }

        return null;
    }

    private void Need(Descriptor blob, string image)
    {
        Mentioned.Add(blob.Digest);
        Needed.TryAdd(blob.Digest, (blob.Size, image));
    }

    private void Report(string kind, string image, string what)
    {
        if (_reported.Add((default, $"{kind} {what}")) | _reported.Add((default, image)))
        {
            Findings.Add(new StoreFinding(kind, image, what));
        }
    }
}
