using System.Security.Cryptography;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Reads what docker saved before version 1.10: <c>repositories</c>, and for each layer a directory with its <c>json</c>, which names its parent, and <c>layer.tar</c>.</summary>
/// <remarks>
/// moby, image/spec/v1.md. Nothing in it tells a digest: all layers of an image are hashed before it is taken. Names lead to images; an image without one is
/// not found, as by docker.
/// </remarks>
internal static class LegacyArchive
{
    internal const string Names = "repositories";

    private const int MaxImages = 1000;

    /// <summary>The most bytes of <c>json</c> that are read, and of configs that are made of it: links make one file the description of any number of layers.</summary>
    private const long MaxJson = 64 << 20;

    /// <exception cref="OciException">It is no such archive.</exception>
    internal static IReadOnlyList<TransportImage> Read(ITransportFiles files)
    {
        OrderedDictionary<string, List<string>> images = [];
        Parse(files, Names, repositories =>
        {
            foreach (JsonProperty repository in repositories.EnumerateObject())
            {
                foreach (JsonProperty tag in repository.Value.EnumerateObject())
                {
                    string id = RequireId(files, tag.Value.GetString());
                    if (images.TryGetValue(id, out List<string>? names))
                    {
                        names.Add($"{repository.Name}:{tag.Name}");
                    }
                    else if (images.Count < MaxImages)
                    {
                        images.Add(id, [$"{repository.Name}:{tag.Name}"]);
                    }
                    else
                    {
                        throw new OciException($"{files.Name}: it has more than {MaxImages} images");
                    }
                }
            }

            return true;
        });
        Layers layers = new(files);
        return [.. images.Select(image => new TransportImage(image.Value, new LegacySource(files, image.Key, layers)))];
    }

    private static T Parse<T>(ITransportFiles files, string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(files.Read(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new OciException($"{files.Name}: invalid {path}: {Printable.Shorten(e.Message)}", e);
        }
    }

    private static string RequireId(ITransportFiles files, string? id) =>
        id is { Length: 64 } && id.All(char.IsAsciiHexDigitLower)
            ? id
            : throw new OciException($"{files.Name}: '{Printable.Shorten(id ?? "")}' is no ID of a layer: want 64 hex digits");

    private static string JsonOf(string id) => $"{id}/json";

    private sealed record Layer(string? Parent, string History, Digest DiffId);

    /// <summary>Reads one image; its layers are hashed when it is asked for.</summary>
    private sealed class LegacySource(ITransportFiles files, string top, Layers layers) : IImageSource
    {
        private IImageSource? _image;

        public async Task<Document> ResolveAsync(CancellationToken cancellationToken)
        {
            _image ??= Make(cancellationToken);
            return await _image.ResolveAsync(cancellationToken);
        }

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            _image!.ReadDocumentAsync(descriptor, cancellationToken);

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
            _image!.OpenBlobAsync(blob, offset, cancellationToken);

        private IImageSource Make(CancellationToken cancellationToken)
        {
            List<(string Id, Layer Layer)> chain = [];
            HashSet<string> seen = [];
            for (string? id = top; id is not null; id = chain[^1].Layer.Parent)
            {
                if (!seen.Add(id))
                {
                    throw new OciException($"{files.Name}: the layer {id} is its own ancestor");
                }

                if (chain.Count == Manifest.MaxLayers)
                {
                    throw new OciException($"{files.Name}: the image {top} has more than the {Manifest.MaxLayers} layers that can be stacked");
                }

                chain.Add((id, layers.Read(id, cancellationToken)));
            }

            chain.Reverse();
            layers.Count(chain.Sum(layer => (long)layer.Layer.History.Length));
            byte[] config = Parse(files, JsonOf(top), json => LegacyConfig.Make(
                json, chain.Select(layer => layer.Layer.History), chain.Select(layer => layer.Layer.DiffId)));
            return DockerArchive.MakeImage(
                files,
                new Document(MediaTypes.DockerConfig, config),
                [.. chain.Select(layer => DockerArchive.LegacyLayer(layer.Id))],
                [.. chain.Select(layer => layer.Layer.DiffId)]);
        }
    }

    /// <summary>The layers that were read, each once.</summary>
    private sealed class Layers(ITransportFiles files)
    {
        private readonly Dictionary<string, Layer> _known = [];
        private long _json;

        internal Layer Read(string id, CancellationToken cancellationToken)
        {
            if (!_known.TryGetValue(id, out Layer? layer))
            {
                string path = JsonOf(id);
                Count(files.LengthOf(path));
                (string? parent, string history) = Parse(files, path, json => (
                    json.TryGetProperty("parent", out JsonElement text) && text.GetString() is { Length: > 0 } said ? RequireId(files, said) : null,
                    LegacyConfig.History(json)));
                layer = new Layer(parent, history, DiffIdOf(DockerArchive.LegacyLayer(id), cancellationToken));
                _known.Add(id, layer);
            }

            return layer;
        }

        internal void Count(long bytes)
        {
            _json += bytes;
            if (_json > MaxJson)
            {
                throw new OciException($"{files.Name}: its layers have more than {MaxJson >> 20} MiB of json");
            }
        }

        private Digest DiffIdOf(string path, CancellationToken cancellationToken)
        {
            using Stream layer = files.TryOpen(path) ?? throw new OciException($"{files.Name}: the layer '{path}' is missing");
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using HashingOutput sink = new(Stream.Null, hash);
            try
            {
                ArchiveInput.Copy(layer, sink, cancellationToken);
            }
            catch (OciException e)
            {
                throw new OciException($"{files.Name}: the layer '{path}': {e.Message}", e);
            }

            return Digest.Of(hash);
        }
    }
}
