using OciTool.Images;

namespace OciTool.Storage;

/// <summary>The manifest and the config of an image, read and verified.</summary>
internal sealed record ImageDocuments(Document ManifestDocument, Manifest Manifest, Document ConfigDocument, ImageConfig Config);

/// <summary>Walks from a manifest or index to the images of it that are at hand; what is not at hand is passed over.</summary>
internal sealed class ImageWalk(ContentStore content, LayerStore layers)
{
    /// <summary>The manifests at hand below a manifest or an index, with the platforms that the index states.</summary>
    /// <exception cref="InvalidDocumentException">A document is not one of an image.</exception>
    internal IEnumerable<Descriptor> Manifests(Descriptor root)
    {
        if (!MediaTypes.IsIndex(root.MediaType))
        {
            return content.Contains(root) ? [root] : [];
        }

        // the copy walk takes one nested level, so there is no more of it here
        return Entries(root).SelectMany(entry => MediaTypes.IsIndex(entry.MediaType) ? Entries(entry) : [entry])
            .Where(entry => MediaTypes.IsManifest(entry.MediaType) && entry.Platform is not { Os: "unknown" } && content.Contains(entry));
    }

    internal ImageDocuments? Load(Descriptor manifestDescriptor)
    {
        if (content.Read(manifestDescriptor) is not { } manifestDocument)
        {
            return null;
        }

        Manifest manifest = Manifest.Parse(manifestDocument);
        return content.Read(manifest.Config) is { } config
            ? new ImageDocuments(manifestDocument, manifest, config, ImageConfig.Parse(config, manifest))
            : null;
    }

    /// <summary>The same as <see cref="Load"/> for the walk over an index, where an entry may be no image.</summary>
    internal ImageDocuments? TryLoad(Descriptor manifestDescriptor)
    {
        try
        {
            return Load(manifestDescriptor);
        }
        catch (InvalidDocumentException)
        {
            return null;
        }
    }

    /// <summary>What lists show of the images of a manifest or index.</summary>
    internal List<ImageFacts> Facts(Descriptor root)
    {
        List<ImageFacts> facts = [];
        try
        {
            foreach (Descriptor manifest in Manifests(root))
            {
                if (TryLoad(manifest) is { } image)
                {
                    facts.Add(new ImageFacts(image.ConfigDocument.Digest, manifest.Bare, image.Config.Platform, SizeOf(image))
                    {
                        Created = image.Config.Created,
                        Labels = image.Config.Config?.Labels,
                    });
                }
            }
        }
        catch (InvalidDocumentException)
        {
            // another tool put something into the layout that is not an image
        }

        return facts;
    }

    /// <summary>The uncompressed layers and the documents, in bytes; layers that are not applied do not count.</summary>
    internal long SizeOf(ImageDocuments image) =>
        image.Config.Rootfs.DiffIds.Sum(diffId => layers.Find(diffId)?.Applied.UncompressedBytes ?? 0)
        + image.ManifestDocument.Descriptor.Size + image.ConfigDocument.Descriptor.Size;

    /// <summary>What an index has at hand beside its images: documents, and the blobs of attestations and artifacts.</summary>
    internal HashSet<Digest> Beside(Descriptor root)
    {
        HashSet<Digest> blobs = [];
        Reach(root, [.. Facts(root).Select(image => image.Manifest.Digest)], blobs, diffIds: []);
        return blobs;
    }

    /// <summary>All content that a manifest or index reaches, at hand or not.</summary>
    /// <param name="root">Where to begin.</param>
    /// <param name="without">Manifests to stop at.</param>
    /// <param name="blobs">Gets the digests of documents and layer blobs.</param>
    /// <param name="diffIds">Gets the diffIDs of the layers.</param>
    internal void Reach(Descriptor root, HashSet<Digest> without, HashSet<Digest> blobs, HashSet<Digest> diffIds)
    {
        if (without.Contains(root.Digest))
        {
            return;
        }

        blobs.Add(root.Digest);
        try
        {
            if (MediaTypes.IsIndex(root.MediaType))
            {
                foreach (Descriptor entry in Entries(root))
                {
                    Reach(entry, without, blobs, diffIds);
                }
            }
            else if (content.Read(root) is { } document)
            {
                Manifest manifest = Manifest.Parse(document);
                blobs.Add(manifest.Config.Digest);
                blobs.UnionWith(manifest.Layers.Select(layer => layer.Digest));
                if (content.Read(manifest.Config) is { } config)
                {
                    diffIds.UnionWith(ImageConfig.Parse(config).Rootfs.DiffIds);
                }
            }
        }
        catch (InvalidDocumentException)
        {
            // not an image, but something that another tool put here: all that it names belongs to it
            if (content.Read(root) is { } document)
            {
                blobs.UnionWith(OtherDocument.DigestsIn(document));
            }
        }
    }

    /// <summary>The layers of the image of a manifest, which is named by its digest alone; none when it is not at hand or damaged.</summary>
    internal HashSet<Digest> LayersOf(Digest manifest)
    {
        HashSet<Digest> diffIds = [];
        Reach(manifest, [], diffIds);
        return diffIds;
    }

    /// <summary>All content that a manifest reaches, which is named by its digest alone.</summary>
    internal void Reach(Digest manifest, HashSet<Digest> blobs, HashSet<Digest> diffIds)
    {
        FileInfo file = new(content.Locate(manifest));
        if (file.Exists && content.Read(new Descriptor(MediaTypes.OciManifest, manifest, file.Length)) is { } document
            && OtherDocument.TypeOf(document.Bytes) is { } type)
        {
            Reach(new Descriptor(type, manifest, file.Length), without: [], blobs, diffIds);
        }
    }

    private IReadOnlyList<Descriptor> Entries(Descriptor index) =>
        content.Read(index) is { } document ? ImageIndex.Parse(document).Manifests : [];
}
