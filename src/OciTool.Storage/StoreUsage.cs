using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>What an image takes on disk.</summary>
/// <param name="Image">The image.</param>
/// <param name="Shared">The bytes of its blobs and layers that other images have, too.</param>
/// <param name="Unique">The bytes that only it has.</param>
/// <param name="Containers">How many containers were made of it.</param>
public sealed record ImageUsage(ImageSummary Image, long Shared, long Unique, int Containers);

/// <summary>What a container takes on disk.</summary>
/// <param name="Container">The container.</param>
/// <param name="Size">The bytes that it has written.</param>
public sealed record ContainerUsage(ContainerRecord Container, long Size);

/// <summary>What a store takes on disk: blobs as they were pulled, and the layers that were made of them.</summary>
/// <param name="Images">The images.</param>
/// <param name="ImageBytes">The bytes of all images, what is shared counted once.</param>
/// <param name="UnusedImageBytes">The bytes that are only of images without a container.</param>
/// <param name="Containers">The containers.</param>
/// <param name="Leftovers">How many blobs, layers and partial downloads nothing needs, or not yet.</param>
/// <param name="LeftoversInUse">How many of them a pull protects.</param>
/// <param name="LeftoverBytes">The bytes of all of them.</param>
/// <param name="LeftoverBytesInUse">The bytes of those that a pull protects.</param>
public sealed record StoreUsage(
    IReadOnlyList<ImageUsage> Images,
    long ImageBytes,
    long UnusedImageBytes,
    IReadOnlyList<ContainerUsage> Containers,
    int Leftovers,
    int LeftoversInUse,
    long LeftoverBytes,
    long LeftoverBytesInUse)
{
    /// <summary>Measures a store; nothing is locked, so what changes meanwhile may be counted or not.</summary>
    /// <param name="root">The store.</param>
    /// <param name="images">Its images; those of additional stores take nothing here.</param>
    /// <param name="containers">Its containers.</param>
    /// <exception cref="OciException">A record is damaged.</exception>
    public static StoreUsage Measure(StorageRoot root, ImageStore images, ContainerStore containers)
    {
        ContainerUsage[] containerUsage = [.. containers.List().Select(container =>
            new ContainerUsage(container, TreeSize.Of(Path.Join(containers.DirectoryOf(container.Id), "upper"))))];
        Dictionary<Digest, int> uses = containerUsage.CountBy(usage => usage.Container.ImageId).ToDictionary();
        Dictionary<Digest, long> blobs = Sizes(root.Blobs, Directory.EnumerateFiles, (path, _) => new FileInfo(path) is { Exists: true } file ? file.Length : 0);
        Dictionary<Digest, long> layers = Sizes(root.Layers, Directory.EnumerateDirectories, (_, diffId) => images.Layers.SizeOf(diffId));

        List<(ImageSummary Image, HashSet<Digest> Blobs, HashSet<Digest> Layers)> contents = [];
        Dictionary<(Digest, bool), int> sharers = [];
        foreach (ImageSummary image in images.List().Where(image => !image.IsReadOnly))
        {
            HashSet<Digest> itsBlobs = [.. image.Roots.SelectMany(images.Walk.Beside)];
            HashSet<Digest> itsLayers = [];
            images.Walk.Reach(image.Manifest, without: [], itsBlobs, itsLayers);
            itsBlobs.IntersectWith(blobs.Keys);
            itsLayers.IntersectWith(layers.Keys);
            contents.Add((image, itsBlobs, itsLayers));
            foreach ((Digest, bool) content in Content(itsBlobs, itsLayers))
            {
                sharers[content] = sharers.GetValueOrDefault(content) + 1;
            }
        }

        long SizeOf((Digest Digest, bool IsLayer) content) => (content.IsLayer ? layers : blobs)[content.Digest];
        HashSet<(Digest, bool)> used = [.. contents.Where(image => uses.ContainsKey(image.Image.Id)).SelectMany(image => Content(image.Blobs, image.Layers))];
        HashSet<Digest> leased = Lease.Peek(root);
        (long Size, bool InUse)[] leftovers =
        [
            .. blobs.Where(blob => !sharers.ContainsKey((blob.Key, false))).Select(blob => (blob.Value, leased.Contains(blob.Key))),
            .. layers.Where(layer => !sharers.ContainsKey((layer.Key, true))).Select(layer => (layer.Value, leased.Contains(layer.Key))),
            .. Partials(root),
        ];
        return new StoreUsage(
            [.. contents.Select(image =>
            {
                ILookup<bool, (Digest, bool)> parts = Content(image.Blobs, image.Layers).ToLookup(content => sharers[content] > 1);
                return new ImageUsage(image.Image, parts[true].Sum(SizeOf), parts[false].Sum(SizeOf), uses.GetValueOrDefault(image.Image.Id));
            })],
            sharers.Keys.Sum(SizeOf),
            sharers.Keys.Where(content => !used.Contains(content)).Sum(SizeOf),
            containerUsage,
            leftovers.Length,
            leftovers.Count(leftover => leftover.InUse),
            leftovers.Sum(leftover => leftover.Size),
            leftovers.Where(leftover => leftover.InUse).Sum(leftover => leftover.Size));
    }

    private static IEnumerable<(Digest Digest, bool IsLayer)> Content(HashSet<Digest> blobs, HashSet<Digest> layers) =>
        blobs.Select(blob => (blob, false)).Concat(layers.Select(layer => (layer, true)));

    private static IEnumerable<(long Size, bool InUse)> Partials(StorageRoot root)
    {
        foreach (string path in Directory.Exists(root.Ingest) ? Directory.EnumerateFiles(root.Ingest) : [])
        {
            if (new FileInfo(path) is { Exists: true } file)
            {
                yield return (file.Length, StoreSweep.IsHeld(root, path));
            }
        }
    }

    private static Dictionary<Digest, long> Sizes(string place, Func<string, IEnumerable<string>> enumerate, Func<string, Digest, long> size)
    {
        Dictionary<Digest, long> sizes = [];
        foreach ((string path, Digest? digest) in StoreSweep.Entries(place, enumerate))
        {
            if (digest is { } known)
            {
                sizes[known] = size(path, known);
            }
        }

        return sizes;
    }
}
