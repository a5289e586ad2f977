using System.Security.Cryptography;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Reads what <c>docker save</c> and its like write: <c>manifest.json</c>, configs and uncompressed layers.</summary>
/// <remarks>
/// Such an archive has no manifest as registries know it: one of schema 2 is made, the same each time. The image's ID
/// is that of its config, which is kept. Docker from 25 on writes a layout beside it, whose blobs these are too; before 1.10 it wrote no <c>manifest.json</c>.
/// </remarks>
internal static class DockerArchive
{
    private const int MaxImages = 1000;
    private const long MaxConfigs = 64 << 20; // of all images: several may name the same file

    /// <exception cref="OciException">It is no such archive, or damaged.</exception>
    internal static IReadOnlyList<TransportImage> Read(ITransportFiles files)
    {
        if (files.TryRead("manifest.json") is not { } manifest)
        {
            return files.Has(LegacyArchive.Names) ? LegacyArchive.Read(files) : throw new OciException(
                $"{files.Name}: it is no docker-archive: it has neither manifest.json nor repositories");
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(manifest);
            List<TransportImage> images = [];
            long configs = 0;
            foreach (JsonElement image in json.RootElement.EnumerateArray().Take(MaxImages))
            {
                images.Add(ReadImage(files, image, ref configs));
            }

            return images;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new OciException($"{files.Name}: invalid manifest.json: {Printable.Shorten(e.Message)}", e);
        }
    }

    private static TransportImage ReadImage(ITransportFiles files, JsonElement image, ref long configs)
    {
        string configPath = image.GetProperty("Config").GetString() ?? "";
        Document config = new(MediaTypes.DockerConfig, files.Read(configPath));
        configs += config.Bytes.Length;
        if (configs > MaxConfigs)
        {
            throw new OciException($"{files.Name}: its configs have more than {MaxConfigs >> 20} MiB");
        }

        string promised = Path.GetFileNameWithoutExtension(configPath);
        if (promised.Length == 64 && promised.All(char.IsAsciiHexDigitLower) && promised != config.Digest.Hex)
        {
            throw new OciException($"{files.Name}: the config '{Printable.Shorten(configPath)}' has the digest {config.Digest}");
        }

        string[] paths = [.. Strings(image, "Layers")];
        IReadOnlyList<Digest> diffIds = ImageConfig.Parse(config).Rootfs.DiffIds;
        if (paths.Length != diffIds.Count || paths.Length > Manifest.MaxLayers)
        {
            throw new OciException($"{files.Name}: {paths.Length} layers for {diffIds.Count} diff_ids of the config {config.Digest}");
        }

        return new TransportImage([.. Strings(image, "RepoTags")], MakeImage(files, config, paths, diffIds));
    }

    /// <summary>Makes the manifest of an image whose layers are files of an archive.</summary>
    /// <param name="files">The archive.</param>
    /// <param name="config">The image's config.</param>
    /// <param name="paths">Where its layers are, base first.</param>
    /// <param name="diffIds">The digests of the uncompressed layers.</param>
    internal static IImageSource MakeImage(ITransportFiles files, Document config, string[] paths, IReadOnlyList<Digest> diffIds)
    {
        Dictionary<Digest, string> places = [];
        List<Descriptor> layers = [];
        for (int i = 0; i < paths.Length; i++)
        {
            Descriptor layer = Describe(files, paths[i], diffIds[i]);
            places.TryAdd(layer.Digest, paths[i]);
            layers.Add(layer);
        }

        Manifest manifest = new(2, config.Descriptor, layers) { MediaType = MediaTypes.DockerManifest };
        Document document = new(MediaTypes.DockerManifest, JsonSerializer.SerializeToUtf8Bytes(manifest, SpecJson.Relaxed.Manifest));
        return new ArchiveSource(files, document, config, places);
    }

    /// <summary>The file of a layer in docker's first format.</summary>
    internal static string LegacyLayer(string id) => $"{id}/layer.tar";

    private static IEnumerable<string> Strings(JsonElement image, string name) =>
        image.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(item => item.GetString() ?? "")
            : [];

    // a layer that is compressed has another digest than its diffID, which has to be found out
    private static Descriptor Describe(ITransportFiles files, string path, Digest diffId)
    {
        using Stream layer = files.TryOpen(path) ?? throw new OciException($"{files.Name}: the layer '{Printable.Shorten(path)}' is missing");
        Span<byte> magic = stackalloc byte[6];
        int read = layer.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        string type = magic[..read] switch
        {
            [0x1f, 0x8b, ..] => MediaTypes.DockerLayerGzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "application/vnd.docker.image.rootfs.diff.tar.zstd",
            var other when ArchiveInput.IsCompressed(other) => throw new OciException(
                $"{files.Name}: the layer '{Printable.Shorten(path)}' is compressed by neither gzip nor zstd"),
            _ => "application/vnd.docker.image.rootfs.diff.tar",
        };
        if (FormatTypes.CompressionOf(type) == LayerCompression.None)
        {
            return new Descriptor(type, diffId, layer.Length);
        }

        layer.Position = 0;
        return new Descriptor(type, Digest.Parse($"sha256:{Convert.ToHexStringLower(SHA256.HashData(layer))}"), layer.Length);
    }

    private sealed class ArchiveSource(ITransportFiles files, Document manifest, Document config, Dictionary<Digest, string> places) : IImageSource
    {
        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(manifest);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            throw new OciException($"{files.Name}: {descriptor.Digest} is missing");

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(blob.Digest == config.Digest
                ? new MemoryStream(config.Bytes.ToArray(), (int)offset, config.Bytes.Length - (int)offset)
                : places.TryGetValue(blob.Digest, out string? path) ? files.OpenBlob(path, blob, offset)
                : throw new OciException($"{files.Name}: blob {blob.Digest} is missing"));
        }
    }
}
