using System.Diagnostics.CodeAnalysis;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>The directory of one store of containers/storage, as it was when its lists were read; nothing is written there.</summary>
/// <param name="Root">The directory.</param>
/// <param name="Driver">How it keeps layers: <c>overlay</c> or <c>vfs</c>.</param>
/// <param name="Images">Its images.</param>
/// <param name="Layers">Its layers by their IDs.</param>
internal sealed record StorageDirectory(
    string Root, string Driver, IReadOnlyList<StorageImageRecord> Images, IReadOnlyDictionary<string, StorageLayerRecord> Layers)
{
    private const int MaxList = 32 << 20; // some twenty thousand images
    private const int MaxRecord = 512 << 20;

    private static readonly string[] Drivers = ["overlay", "vfs"];

    private DirectoryFiles Files => new(Root);

    /// <summary>Reads the lists, under the locks that their writers take, in the order in which they take them.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="driver">How it keeps layers; null for what is found there.</param>
    /// <param name="patience">How long to wait for writers.</param>
    /// <exception cref="OciException">There is no such store, or it is damaged or hostile.</exception>
    internal static StorageDirectory Read(string root, string? driver, LockPatience patience)
    {
        string name = Require(root, driver is "overlay2" ? "overlay" : driver);
        using DirectoryFiles files = new(root);
        try
        {
            using RecordLock? layersLock = RecordLock.TryShare(Path.Join(root, $"{name}-layers/layers.lock"), patience);
            using RecordLock? imagesLock = RecordLock.TryShare(Path.Join(root, $"{name}-images/images.lock"), patience);
            Dictionary<string, StorageLayerRecord> layers = [];
            foreach (string list in (string[])["layers.json", "volatile-layers.json"])
            {
                string path = $"{name}-layers/{list}";
                foreach (StorageLayerRecord layer in StorageRecords.ReadLayers(files.TryRead(path, MaxList) ?? "[]"u8.ToArray(), $"{files.Name}: invalid {path}"))
                {
                    layers[layer.Id] = layer;
                }
            }

            List<StorageImageRecord> images = [];
            foreach (string list in (string[])["images.json", "volatile-images.json"])
            {
                string path = $"{name}-images/{list}";
                images.AddRange(StorageRecords.ReadImages(files.TryRead(path, MaxList) ?? "[]"u8.ToArray(), $"{files.Name}: invalid {path}"));
            }

            return new StorageDirectory(root, name, images, layers);
        }
        catch (LockTimeoutException e)
        {
            throw new OciException($"the store {files.Name} is being written: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"the store {files.Name} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>Reads a document that is kept for an image.</summary>
    /// <returns>Null where it is not there.</returns>
    /// <exception cref="OciException">It is too long, or cannot be read.</exception>
    internal byte[]? TryReadBigData(StorageImageRecord image, string key) =>
        Files.TryRead($"{Driver}-images/{image.Id}/{StorageImageRecord.FileNameOf(key)}");

    /// <summary>Makes the archive of a layer again.</summary>
    /// <param name="layer">A layer of this store.</param>
    /// <param name="offset">Where in the archive to begin.</param>
    /// <param name="failed">Makes an error out of what is wrong.</param>
    /// <exception cref="OciException">What it was made of is not there any more.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the archive owns its parts, which are disposed after a failure")]
    internal Stream OpenLayer(StorageLayerRecord layer, long offset, Func<string, Exception?, OciException> failed)
    {
        Stream? record = null;
        RootDirectory? directory = null;
        try
        {
            record = Files.TryOpen($"{Driver}-layers/{layer.Id}.tar-split.gz")
                ?? throw failed("it has no tar-split record, which partial pulls (zstd:chunked) leave out: its archive cannot be made again", null);
            if (record.Length > MaxRecord)
            {
                throw failed($"its tar-split record has {record.Length} bytes, more than the limit of {MaxRecord}", null);
            }

            directory = OpenDirectory(layer) ?? throw failed("its files are missing", null);
            TarSplitStream archive = new(new TarSplitReader(record, layer.Size), directory, layer.Size, offset, failed);
            (record, directory) = (null, null);
            return archive;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw failed(e.Message.TrimEnd('.'), e);
        }
        finally
        {
            record?.Dispose();
            directory?.Dispose();
        }
    }

    private RootDirectory? OpenDirectory(StorageLayerRecord layer)
    {
        using RootDirectory layers = new(Path.Join(Root, Driver is "vfs" ? "vfs/dir" : Driver));
        return layers.TryOpenRoot(Driver is "vfs" ? layer.Id : $"{layer.Id}/diff");
    }

    private static string Require(string root, string? driver)
    {
        string store = $"the store '{Printable.Shorten(root)}'";
        if (driver is not null && Array.IndexOf(Drivers, driver) < 0)
        {
            throw Unsupported(store, driver);
        }

        if (!Directory.Exists(root))
        {
            throw new OciException($"{store} is not there, or not to be seen by this user");
        }

        if (driver is not null)
        {
            return driver;
        }

        // an engine that was called once with another driver leaves empty directories
        string[] present = Array.FindAll(Drivers, known => File.Exists(Path.Join(root, $"{known}-images/images.json")));
        return present is [var first, ..] ? first
            : Array.Find(Drivers, known => Directory.Exists(Path.Join(root, $"{known}-images")))
            ?? (Directory.EnumerateDirectories(root, "*-images").FirstOrDefault() is { } other
                ? throw Unsupported(store, Path.GetFileName(other)[..^"-images".Length])
                : Drivers[0]);
    }

    private static OciException Unsupported(string store, string driver) =>
        new($"{store} keeps its layers with the driver '{Printable.Shorten(driver, 32)}', which is not read here: only {string.Join(" and ", Drivers)} are")
        {
            Hint = "podman save IMAGE | oci load",
        };
}
