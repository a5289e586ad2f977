using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OciTool.Images;
using LayerContent = OciTool.Images.LayerContent;

namespace OciTool.Storage.Transports;

/// <summary>Writes images as <c>docker save</c> did before version 25: each layer as a file <c>HASH/layer.tar</c>, and no links.</summary>
/// <remarks>
/// Importers such as rkt's see nothing behind links and walk from <c>repositories</c> through the <c>json</c> of each layer
/// to its parent; others read <c>manifest.json</c>.
/// </remarks>
internal sealed class DockerArchiveWriter(IFileSink sink, ICopyProgress progress)
{
    private readonly SortedDictionary<string, Func<CancellationToken, Task>> _files = new(StringComparer.Ordinal);

    /// <summary>Writes all images, in the order of the names of their files.</summary>
    /// <exception cref="OciException">An image is an index, or a layer is damaged.</exception>
    internal async Task WriteAsync(IReadOnlyList<CollectedImage> images, CancellationToken cancellationToken)
    {
        List<(CollectedImage Image, Document Config, List<string> Layers)> written = [];
        foreach (CollectedImage image in images)
        {
            Document root = image.Root!;
            if (MediaTypes.IsIndex(root.MediaType))
            {
                throw new OciException($"index {root.Digest} cannot be written to a docker-archive: it holds one platform of an image");
            }

            Manifest manifest = Manifest.Parse(root);
            Document config = await ReadConfigAsync(image, manifest, cancellationToken);
            written.Add((image, config, AddLayers(image, manifest, config)));
            Add($"{config.Digest.Hex}.json", config.Bytes);
        }

        Add("manifest.json", Json(json => WriteManifest(json, written)));
        Add("repositories", Json(json => WriteRepositories(json, written)));
        foreach (Func<CancellationToken, Task> write in _files.Values)
        {
            await write(cancellationToken);
        }
    }

    private static async Task<Document> ReadConfigAsync(CollectedImage image, Manifest manifest, CancellationToken cancellationToken)
    {
        if (manifest.Config.Size > Document.MaxSize)
        {
            throw new InvalidDocumentException($"config {manifest.Config.Digest}: {manifest.Config.Size} bytes are too many");
        }

        using MemoryStream bytes = new();
        await CollectedImage.CopyAsync(image.Blobs[manifest.Config.Digest], bytes, new Unheard(), cancellationToken);
        return Document.Verify(manifest.Config, bytes.ToArray());
    }

    // the name of a layer tells what is below it; that of the topmost tells the config, too
    private List<string> AddLayers(CollectedImage image, Manifest manifest, Document configDocument)
    {
        ImageConfig config = ImageConfig.Parse(configDocument, manifest);
        IReadOnlyList<Digest> chain = config.Rootfs.ChainIds();
        List<string> names = [];
        for (int i = 0; i < chain.Count; i++)
        {
            bool isTop = i == chain.Count - 1;
            string id = Digest.Of(Encoding.ASCII.GetBytes(isTop ? $"{chain[i]} {configDocument.Digest}" : $"{chain[i]}")).Hex;
            string? parent = names.Count == 0 ? null : names[^1];
            names.Add(id);
            Add($"{id}/VERSION", "1.0"u8.ToArray());
            Add($"{id}/json", Json(json => WriteLegacy(json, id, parent, isTop ? configDocument : null)));
            LayerContent layer = image.Blobs[manifest.Layers[i].Digest];
            Digest diffId = config.Rootfs.DiffIds[i];
            _files[$"{id}/layer.tar"] = token => WriteLayerAsync($"{id}/layer.tar", layer, diffId, token);
        }

        return names;
    }

    private async Task WriteLayerAsync(string path, LayerContent layer, Digest diffId, CancellationToken cancellationToken)
    {
        if (layer.Blob.Digest == diffId)
        {
            await sink.WriteAsync(path, layer.Blob.Size, file => CollectedImage.CopyAsync(layer, file, progress, cancellationToken), cancellationToken);
            return;
        }

        // its size stands before it, and is known behind its end only
        await using FileStream plain = ArchiveFiles.Spool(TransportImages.Temporary);
        progress.Started(layer.Blob, offset: 0);
        try
        {
            await using Stream compressed = await layer.OpenAsync(0, cancellationToken);
            using Layers.LayerContent content = Layers.LayerContent.Open(compressed, diffId, long.MaxValue);
            await content.CopyToAsync(plain, 128 << 10, cancellationToken);
            Digest actual = content.Finish(); // what the blob's own digest would show, this shows too
            if (actual != diffId)
            {
                throw new OciException($"layer {layer.Blob.Digest}: its uncompressed digest is {actual}, not {diffId}");
            }
        }
        catch (Layers.LayerException e)
        {
            throw new OciException($"layer {layer.Blob.Digest} cannot be decompressed: {e.Message}", e);
        }

        progress.Advanced(layer.Blob, (int)Math.Min(layer.Blob.Size, int.MaxValue));
        progress.Finished(layer.Blob);
        plain.Position = 0;
        await sink.WriteAsync(path, plain.Length, file => plain.CopyToAsync(file, cancellationToken), cancellationToken);
    }

    private static void WriteManifest(Utf8JsonWriter json, List<(CollectedImage Image, Document Config, List<string> Layers)> written)
    {
        json.WriteStartArray();
        foreach ((CollectedImage image, Document config, List<string> layers) in written)
        {
            json.WriteStartObject();
            json.WriteString("Config", $"{config.Digest.Hex}.json");
            json.WriteStartArray("RepoTags");
            foreach (string name in image.Names)
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
            json.WriteStartArray("Layers");
            foreach (string layer in layers)
            {
                json.WriteStringValue($"{layer}/layer.tar");
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRepositories(Utf8JsonWriter json, List<(CollectedImage Image, Document Config, List<string> Layers)> written)
    {
        json.WriteStartObject();
        foreach (var repository in written
            .SelectMany(entry => entry.Image.Names, (entry, name) => (Reference: Reference.TryParse(name, out Reference? parsed, out _) ? parsed : null, entry.Layers))
            .Where(named => named.Reference?.Tag is not null && named.Layers.Count > 0)
            .GroupBy(named => named.Reference!.Name)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject(repository.Key);
            foreach ((Reference? reference, List<string> layers) in repository.DistinctBy(named => named.Reference!.Tag))
            {
                json.WriteString(reference!.Tag!, layers[^1]);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    // Docker's image JSON of version 1: the topmost has what the config says
    private static void WriteLegacy(Utf8JsonWriter json, string id, string? parent, Document? config)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        if (parent is not null)
        {
            json.WriteString("parent", parent);
        }

        if (config is null)
        {
            json.WriteString("created", "1970-01-01T00:00:00Z");
            json.WriteString("os", "linux");
        }
        else
        {
            using JsonDocument document = JsonDocument.Parse(config.Bytes);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Name is not ("id" or "parent" or "rootfs" or "history"))
                {
                    property.WriteTo(json);
                }
            }
        }

        json.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }

        return bytes.ToArray();
    }

    private void Add(string path, ReadOnlyMemory<byte> bytes) =>
        _files[path] = token => LayoutWriter.WriteAsync(sink, path, bytes, token);

    private sealed class Unheard : ICopyProgress
    {
        public void Resolved(Manifest manifest)
        {
        }

        public void Started(Descriptor blob, long offset)
        {
        }

        public void Skipped(Descriptor blob)
        {
        }

        public void Advanced(Descriptor blob, int bytes)
        {
        }

        public void Finished(Descriptor blob)
        {
        }

        public void Warn(string message)
        {
        }
    }
}
