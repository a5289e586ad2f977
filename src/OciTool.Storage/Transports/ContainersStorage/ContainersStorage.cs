using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>The store of podman, buildah and CRI-O, and the stores that it reads too.</summary>
/// <remarks>
/// containers/storage. It is read in place and never written: its lists under their locks, all else without, so that no
/// engine waits for a copy. What is removed meanwhile is an error of that copy.
/// </remarks>
internal sealed class ContainersStorage
{
    private const int ShortestId = 3; // shorter text is rather a name

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<StorageDirectory> _directories;

    private ContainersStorage(List<StorageDirectory> directories) => _directories = directories;

    /// <summary>How errors call it.</summary>
    internal string Name => $"the store '{Printable.Shorten(_directories[0].Root)}'";

    /// <summary>Reads the lists of a store.</summary>
    /// <param name="place">Where it is.</param>
    /// <param name="tell">Takes a line when somebody's lock has to be waited for.</param>
    /// <exception cref="OciException">It is not there, damaged or hostile, or its lock is not given back.</exception>
    internal static ContainersStorage Open(ContainersStoragePlace place, Action<string> tell)
    {
        LockPatience patience = new(Patience, tell);
        StorageDirectory own = StorageDirectory.Read(place.Root, place.Driver, patience);
        return new ContainersStorage([own, .. place.Additional.Where(Directory.Exists).Select(root => StorageDirectory.Read(root, own.Driver, patience))]);
    }

    /// <summary>The image that a name asks for, or all that have names where it asks for none.</summary>
    /// <exception cref="OciException">It has no such image.</exception>
    internal IReadOnlyList<TransportImage> Choose(string image) => image.Length > 0
        ? [Find(image)]
        : [.. _directories.SelectMany(directory => directory.Images.Where(record => record.Names.Count > 0)
            .Select(record => new TransportImage(record.Names, new StorageImageSource(this, directory, record, record.Names[0], digest: null))))];

    /// <summary>A layer, and where it is.</summary>
    /// <returns>Null where none of the stores has it.</returns>
    internal (StorageDirectory Directory, StorageLayerRecord Layer)? FindLayer(string id)
    {
        foreach (StorageDirectory directory in _directories)
        {
            if (directory.Layers.TryGetValue(id, out StorageLayerRecord? layer))
            {
                return (directory, layer);
            }
        }

        return null;
    }

    // as containers/image does it: an ID behind '@', an ID or the beginning of one, and then names
    private TransportImage Find(string wanted)
    {
        int at = wanted.LastIndexOf('@');
        if (at >= 0 && !Digest.TryParse(wanted.AsSpan(at + 1), provider: null, out _))
        {
            string id = wanted[(at + 1)..];
            (StorageDirectory Directory, StorageImageRecord Image) found = FindById(id) ?? throw NotKnown(wanted);
            return at == 0 || (Reference.TryParse(wanted[..at], out Reference? asked, out _) && HasRepository(found.Image, asked))
                ? Make(found, wanted, found.Image.Names, digest: null)
                : throw NotKnown(wanted);
        }

        string possible = wanted.StartsWith("sha256:", StringComparison.Ordinal) ? wanted["sha256:".Length..] : wanted;
        return at < 0 && FindById(possible) is { } byId ? Make(byId, wanted, byId.Image.Names, digest: null) : FindByName(wanted);
    }

    private TransportImage FindByName(string wanted)
    {
        if (!Reference.TryParse(wanted, out Reference? name, out string? mistake))
        {
            throw new OciException($"{Name}: '{Printable.Shorten(wanted)}' is neither the ID of an image nor a name: {mistake}");
        }

        string whole = name.Digest is null ? name.Canonical : $"{name.Name}@{name.Digest}";
        string local = $"localhost/{wanted}{(name.Digest is null && !wanted.EndsWith($":{name.Tag}", StringComparison.Ordinal) ? ":latest" : "")}";
        foreach (string known in (string[])(wanted.Contains('/', StringComparison.Ordinal) ? [whole] : [whole, local]))
        {
            if (All().FirstOrDefault(entry => entry.Image.Names.Contains(known)) is { Image: not null } found)
            {
                return Make(found, wanted, [known], name.Digest);
            }
        }

        return name.Digest is { } digest
            && All().FirstOrDefault(entry => entry.Image.HasManifest(digest) && HasRepository(entry.Image, name)) is { Image: not null } same
            ? Make(same, wanted, same.Image.Names, digest)
            : throw NotKnown(wanted);
    }

    private (StorageDirectory Directory, StorageImageRecord Image)? FindById(string id)
    {
        if (id.Length < ShortestId)
        {
            return null;
        }

        (StorageDirectory Directory, StorageImageRecord Image)[] found = [.. All()
            .Where(entry => entry.Image.Id.StartsWith(id, StringComparison.Ordinal)).DistinctBy(entry => entry.Image.Id).Take(2)];
        return found is [var only] ? only
            : found.Length > 1 && Array.Exists(found, entry => entry.Image.Id == id) ? Array.Find(found, entry => entry.Image.Id == id)
            : found.Length > 1 ? throw new OciException($"{Name}: several images have IDs that begin with {Printable.Shorten(id, 64)}")
            : null;
    }

    private IEnumerable<(StorageDirectory Directory, StorageImageRecord Image)> All() =>
        _directories.SelectMany(directory => directory.Images.Select(image => (directory, image)));

    private TransportImage Make((StorageDirectory Directory, StorageImageRecord Image) found, string wanted, IReadOnlyList<string> names, Digest? digest) =>
        new(names, new StorageImageSource(this, found.Directory, found.Image, wanted, digest));

    private static bool HasRepository(StorageImageRecord image, Reference name) =>
        image.Names.Any(known => Reference.TryParse(known, out Reference? reference, out _) && reference.Name == name.Name);

    private OciException NotKnown(string wanted)
    {
        string[] names = [.. All().SelectMany(entry => entry.Image.Names).Take(9)];
        return new OciException($"{Name}: no image '{Printable.Shorten(wanted)}' in it: it has "
            + (names.Length == 0 ? "none with a name" : $"{string.Join(", ", names.Take(8).Select(name => Printable.Shorten(name)))}{(names.Length > 8 ? ", …" : "")}"));
    }
}
