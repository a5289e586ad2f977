using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The images of a store, by name and by ID.</summary>
/// <remarks>Looking takes no lock: every file that a name leads to is replaced by rename, or never changes.</remarks>
public sealed class ImageStore
{
    private readonly StorageRoot _root;

    /// <summary>Creates a view of a store.</summary>
    /// <param name="root">The store.</param>
    public ImageStore(StorageRoot root)
    {
        _root = root;
        Content = new ContentStore(root);
        Layers = new LayerStore(root);
        Walk = new ImageWalk(Content, Layers);
    }

    /// <summary>The blobs that the images are made of.</summary>
    public ContentStore Content { get; }

    internal LayerStore Layers { get; }

    internal ImageWalk Walk { get; }

    /// <summary>Where the trees of an image's layers lie, topmost first.</summary>
    /// <param name="config">The image's configuration.</param>
    public IReadOnlyList<string> LayerDirectories(ImageConfig config) => [.. config.Rootfs.DiffIds.Reverse()
        .Select(Layers.Find).OfType<LayerRecord>().Select(layer => Layers.TreeOf(layer.Applied))];

    /// <summary>Takes an image in, and names it last.</summary>
    /// <param name="reference">The name to give; behind a digest the name is <c>repository@digest</c>; null for none.</param>
    public StoreDestination OpenDestination(Reference? reference) => new(_root, this, reference);

    /// <summary>All images, one for each ID, in the order in which they were named.</summary>
    /// <exception cref="OciException">The list of names is damaged; the message names the file.</exception>
    public IReadOnlyList<ImageSummary> List()
    {
        List<ImageSummary> images = ListOf(_root);
        foreach (StorageRoot store in _root.Additional)
        {
            foreach (ImageSummary image in ListOf(store))
            {
                if (!images.Exists(listed => listed.Id == image.Id))
                {
                    images.Add(image with { IsReadOnly = true });
                }
            }
        }

        return images;
    }

    private List<ImageSummary> ListOf(StorageRoot store)
    {
        LayoutIndex index = LayoutIndex.Read(store);
        ImageFactsFile known = ImageFactsFile.Read(store);
        Dictionary<Digest, (ImageFacts Facts, List<string> Names, List<Descriptor> Roots)> images = [];
        List<Digest> order = [];
        foreach (Descriptor entry in index.Entries)
        {
            foreach (ImageFacts facts in FactsOf(known, entry))
            {
                if (!images.TryGetValue(facts.Id, out var image))
                {
                    image = (facts, [], []);
                    images.Add(facts.Id, image);
                    order.Add(facts.Id);
                }

                if (LayoutIndex.NameOf(entry) is { } name)
                {
                    image.Names.Add(name);
                }

                if (!image.Roots.Exists(root => root.Digest == entry.Digest))
                {
                    image.Roots.Add(entry.Bare);
                }
            }
        }

        return [.. order.Select(id => Summarize(images[id].Facts, images[id].Names, images[id].Roots))];
    }

    /// <summary>Finds an image by what people type: a name, a short name, <c>name@digest</c>, an ID or its beginning.</summary>
    /// <param name="nameOrId">The text.</param>
    /// <param name="platform">
    /// The platform to choose where the name stands for an index; null takes this machine's, else whatever is there.
    /// A name that stands for a manifest gives that, whatever it runs on.
    /// </param>
    /// <returns>Null when nothing has the name.</returns>
    /// <exception cref="PlatformNotAtHandException">The name is known, but not for the platform.</exception>
    /// <exception cref="OciException">The text stands for several images, or the image is damaged.</exception>
    public StoredImage? Find(string nameOrId, Platform? platform) =>
        Resolve(nameOrId) is { } match ? Load(match, nameOrId, platform) : null;

    /// <summary>Reads the documents of an image of <see cref="List"/>.</summary>
    /// <param name="summary">The image.</param>
    /// <exception cref="OciException">It is damaged, or was removed meanwhile.</exception>
    public StoredImage Load(ImageSummary summary) =>
        Load(new ImageMatch(summary.Roots[0], Name: null, summary.Manifest), summary.Id.ToString(), platform: null);

    /// <summary>Gives an image one more name; an image that had the name stays, without.</summary>
    /// <param name="image">The image.</param>
    /// <param name="name">The name; it must not have a digest.</param>
    /// <exception cref="OciException">The name has a digest, or the store cannot be written.</exception>
    public void Tag(StoredImage image, Reference name)
    {
        if (name.Digest is not null)
        {
            throw new OciException($"cannot tag {image.Id} as '{name}': a tag has no digest");
        }

        _root.EnsureWritable();
        using FileLock held = _root.Lock(_root.LockFile);
        LayoutIndex index = LayoutIndex.Read(_root);
        if (!Content.Contains(image.Root))
        {
            throw new ImageNotKnownException(image.Name ?? image.Id.ToString());
        }

        index.SetName(name.Canonical, image.Root);
        index.Write();
    }

    /// <summary>Takes names off an image, which stays, be it without a name.</summary>
    /// <param name="image">The image.</param>
    /// <param name="names">The names; empty for all that it has.</param>
    /// <exception cref="OciException">The image has no such name, and then keeps all; or the store cannot be written.</exception>
    public void Untag(StoredImage image, IReadOnlyList<Reference> names)
    {
        HashSet<Digest> roots = [image.Root.Digest, .. image.Summary.Roots.Select(root => root.Digest)];
        _root.EnsureWritable();
        using FileLock held = _root.Lock(_root.LockFile);
        LayoutIndex index = LayoutIndex.Read(_root);
        string[] owned = [.. index.Entries.Where(entry => roots.Contains(entry.Digest)).Select(LayoutIndex.NameOf).OfType<string>()];
        string[] gone = names.Count == 0 ? owned : [.. names.Select(ImageNames.StoredNameOf)];
        foreach (string name in gone)
        {
            if (!owned.Contains(name))
            {
                throw new OciException($"{Printable.Shorten(name)}: tag not known");
            }

            index.RemoveName(name);
        }

        index.Write();
    }

    /// <summary>Takes a name away, or removes an image with all that nothing else needs.</summary>
    /// <param name="nameOrId">What people type for it.</param>
    /// <param name="force">Removes an image with several names by its ID, and the containers that were made of it.</param>
    /// <param name="containers">The containers that may use it.</param>
    /// <exception cref="ImageNotKnownException">Nothing has the name.</exception>
    /// <exception cref="ImageInUseException">A container uses the image, and it is running or the removal not forced.</exception>
    public RemovalResult Remove(string nameOrId, bool force, ContainerStore containers) =>
        new ImageRemoval(_root, this, Walk, containers).Run(nameOrId, force, withContainers: force);

    /// <summary>Removes an image under all its names, unless a container was made of it.</summary>
    /// <param name="image">The image.</param>
    /// <param name="containers">The containers that may use it.</param>
    /// <returns>Null when a container uses it, or somebody else has removed it.</returns>
    public RemovalResult? RemoveUnused(ImageSummary image, ContainerStore containers)
    {
        try
        {
            return new ImageRemoval(_root, this, Walk, containers).Run(image.Id.ToString(), force: true, withContainers: false);
        }
        catch (OciException e) when (e is ImageInUseException or ImageNotKnownException)
        {
            return null;
        }
    }

    /// <summary>Writes a name, unless it stands already for this very thing; without a name, lists the image that has none.</summary>
    internal void Commit(string? name, Document root)
    {
        List<ImageFacts> facts = Walk.Facts(root.Descriptor);
        LayoutIndex listed = LayoutIndex.Read(_root);
        bool isListed = name is null ? listed.Entries.Any(entry => entry.Digest == root.Digest) : listed.Find(name)?.Digest == root.Digest;
        if (isListed && IsRecorded(root.Digest, facts))
        {
            return;
        }

        // all that the name will lead to, before the name, and before the lock
        DirectoryTree.SyncFileSystem(_root.Path);
        using FileLock held = _root.Lock(_root.LockFile);
        LayoutIndex index = LayoutIndex.Read(_root);
        if (name is not null)
        {
            index.SetName(name, root.Descriptor);
        }
        else if (!index.Entries.Any(entry => entry.Digest == root.Digest))
        {
            index.AddNameless(root.Descriptor);
        }

        ImageFactsFile known = ImageFactsFile.Read(_root);
        known.Roots[root.Digest.ToString()] = Walk.Facts(root.Descriptor); // again: another platform of it may have come meanwhile
        index.Write();
        known.Write(_root, index); // a cache, which is never ahead of the names
    }

    /// <summary>Finds what a text stands for, here or else in an additional store.</summary>
    internal ImageMatch? Resolve(string text)
    {
        ImageMatch? match = Resolve(LayoutIndex.Read(_root), text);
        for (int i = 0; match is null && i < _root.Additional.Count; i++)
        {
            match = Resolve(LayoutIndex.Read(_root.Additional[i]), text);
        }

        return match;
    }

    /// <summary>Finds what a text stands for among the names of one store.</summary>
    internal ImageMatch? Resolve(LayoutIndex index, string text)
    {
        bool isId = ImageNames.IsId(text, out string digits, out bool explicitly);
        if (isId && explicitly)
        {
            return ById(text, digits);
        }

        if (Reference.TryParse(text, out Reference? typed, out _))
        {
            foreach (Reference candidate in ImageNames.Candidates(typed, text))
            {
                if (ByName(index, candidate) is { } match)
                {
                    return match;
                }
            }
        }

        return (isId ? ById(text, digits) : null) ?? (typed is null ? null : ByEnd(index, typed, text));
    }

    /// <summary>Adds all blobs that a manifest or index reaches.</summary>
    internal void Reach(Descriptor root, HashSet<Digest> blobs) => Walk.Reach(root, without: [], blobs, diffIds: []);

    internal IReadOnlyList<ImageFacts> FactsOf(ImageFactsFile known, Descriptor root) =>
        known.Roots.TryGetValue(root.Digest.ToString(), out IReadOnlyList<ImageFacts>? facts) ? facts : Walk.Facts(root);

    private static ImageSummary Summarize(ImageFacts facts, IReadOnlyList<string> names, IReadOnlyList<Descriptor> roots) =>
        new(facts.Id, names, roots, facts.Manifest, facts.Platform, facts.Size)
        {
            Created = ImageSummary.ParseCreated(facts.Created),
            Labels = facts.Labels,
        };

    private bool IsRecorded(Digest root, List<ImageFacts> facts) =>
        ImageFactsFile.Read(_root).Roots.TryGetValue(root.ToString(), out IReadOnlyList<ImageFacts>? known)
        && known.Select(image => (image.Id, image.Manifest.Digest, image.Size))
            .SequenceEqual(facts.Select(image => (image.Id, image.Manifest.Digest, image.Size)));

    private ImageMatch? ById(string text, string digits)
    {
        ImageSummary[] images = [.. List().Where(image => image.Id.Hex.StartsWith(digits, StringComparison.Ordinal))];
        return images.Length switch
        {
            0 => null,
            1 => new ImageMatch(images[0].Roots[0], Name: null, images[0].Manifest),
            _ => throw new OciException($"'{Printable.Shorten(text)}' is the beginning of {images.Length} image IDs: write more digits"),
        };
    }

    private ImageMatch? ByName(LayoutIndex index, Reference candidate)
    {
        if (candidate.Digest is not { } digest)
        {
            return index.Find(candidate.Canonical) is { } named ? new ImageMatch(named.Bare, candidate.Canonical) : null;
        }

        foreach (Descriptor entry in index.Entries)
        {
            if (LayoutIndex.NameOf(entry) is not { } name || ImageNames.RepositoryOf(name) != candidate.Name)
            {
                continue;
            }

            if (entry.Digest == digest)
            {
                return new ImageMatch(entry.Bare, name);
            }

            if (MediaTypes.IsIndex(entry.MediaType)
                && Walk.Manifests(entry).FirstOrDefault(manifest => manifest.Digest == digest) is { } manifest)
            {
                return new ImageMatch(entry.Bare, name, manifest.Bare);
            }
        }

        return null;
    }

    private static ImageMatch? ByEnd(LayoutIndex index, Reference typed, string text)
    {
        string end = typed.Digest is null && text.IndexOf(':', StringComparison.Ordinal) < 0 ? $"{text}:{typed.Tag}" : text;
        Descriptor[] matches = [.. index.Entries
            .Where(entry => LayoutIndex.NameOf(entry) is { } name && ImageNames.EndsIn(name, end))
            .DistinctBy(entry => entry.Digest)];
        return matches.Length switch
        {
            0 => null,
            1 => new ImageMatch(matches[0].Bare, LayoutIndex.NameOf(matches[0])),
            _ => throw new OciException($"'{Printable.Shorten(text)}' may be any of "
                + string.Join(", ", matches.Take(8).Select(LayoutIndex.NameOf)))
            { Hint = "write the whole name" },
        };
    }

    private StoredImage Load(ImageMatch match, string asked, Platform? platform)
    {
        Descriptor manifest = match.Manifest ?? Choose(match, asked, platform);
        ImageDocuments documents = Walk.Load(manifest)
            ?? throw new OciException($"image {Printable.Shorten(asked)} is damaged: {manifest.Digest} or its config is missing")
            {
                Hint = "pull it again",
            };
        return new StoredImage(match.Root, match.Name, documents, Summarize);
    }

    private Descriptor Choose(ImageMatch match, string asked, Platform? platform)
    {
        if (!MediaTypes.IsIndex(match.Root.MediaType))
        {
            return match.Root;
        }

        Descriptor[] atHand = [.. Walk.Manifests(match.Root)];
        if (atHand.Length == 0)
        {
            throw new OciException($"image {Printable.Shorten(asked)} is damaged: no manifest of {match.Root.Digest} is in the store")
            {
                Hint = "pull it again",
            };
        }

        // an entry without a platform may be told by its config
        (Descriptor Manifest, Platform Platform)[] known = [.. atHand.Select(manifest =>
            (manifest, manifest.Platform ?? Walk.TryLoad(manifest)?.Config.Platform ?? new Platform("unknown", "unknown")))];
        return known.OrderByDescending(image => PlatformMatcher.Score(platform ?? Platform.Host, image.Platform))
                .ThenBy(image => image.Platform.Os == "unknown")
                .FirstOrDefault(image => platform is null || PlatformMatcher.Score(platform, image.Platform) > 0).Manifest
            ?? throw new PlatformNotAtHandException(asked, platform!, known.Select(image => image.Platform))
            {
                Hint = $"pull it with --platform {platform}",
            };
    }

    private ImageSummary Summarize(StoredImage image) =>
        List().FirstOrDefault(listed => listed.Id == image.Id)
        ?? new ImageSummary(image.Id, [], [image.Root], image.ManifestDocument.Descriptor, image.Config.Platform,
            Walk.SizeOf(new ImageDocuments(image.ManifestDocument, image.Manifest, image.ConfigDocument, image.Config)));
}

/// <summary>What a text stands for.</summary>
/// <param name="Root">The manifest or index.</param>
/// <param name="Name">The stored name, where the text was one.</param>
/// <param name="Manifest">The manifest, where the text says which of an index.</param>
internal sealed record ImageMatch(Descriptor Root, string? Name, Descriptor? Manifest = null)
{
    /// <summary>Whether the text was a name and not an ID or a digest.</summary>
    internal bool IsByName => Name is not null && Manifest is null;
}
