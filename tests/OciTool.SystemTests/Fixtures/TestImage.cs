using System.Text;
using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>An image or an index in memory: the document that a tag names, and all that it refers to.</summary>
/// <remarks>Nothing here depends on the clock, so the same calls give the same digests.</remarks>
public sealed record TestImage(Blob Document, IReadOnlyList<Blob> Blobs, IReadOnlyList<TestImage> Platforms)
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    public const string IndexType = "application/vnd.oci.image.index.v1+json";
    public const string GzipLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";

    /// <summary>The image ID: the hash of the configuration, without its algorithm.</summary>
    public string Id => Blobs[0].Digest["sha256:".Length..];

    /// <summary>The blob of a layer, as it is transferred.</summary>
    public Blob Layer(int index = 0) => Blobs[1 + index];

    /// <summary>The digest of the uncompressed layer, without its algorithm.</summary>
    public string DiffId(int index = 0) =>
        JsonNode.Parse(Blobs[0].Content)!["rootfs"]!["diff_ids"]![index]!.GetValue<string>()["sha256:".Length..];

    /// <summary>An image of gzip layers.</summary>
    /// <param name="config">The member <c>config</c> of the image configuration.</param>
    /// <param name="layers">Whole tar archives, lowest first.</param>
    public static TestImage Of(JsonObject config, string architecture, params byte[][] layers) =>
        Of(config, architecture, [.. layers.Select(tar => (tar, Fixtures.Layer.Gzip(tar)))]);

    /// <summary>An image of layers that are already compressed.</summary>
    public static TestImage Of(JsonObject config, string architecture, (byte[] Tar, byte[] Compressed)[] layers) =>
        Of(config, architecture, [.. layers.Select(layer => (layer.Tar, new Blob(layer.Compressed, GzipLayerType)))]);

    /// <summary>An image of layers of any media type.</summary>
    public static TestImage Of(JsonObject config, string architecture, (byte[] Tar, Blob Blob)[] layers)
    {
        JsonObject configuration = new()
        {
            ["created"] = "2024-05-06T07:08:09Z",
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = config.DeepClone(),
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)Blob.DigestOf(layer.Tar))]),
            },
            ["history"] = new JsonArray(
                [.. layers.Select((_, index) => (JsonNode)new JsonObject
                {
                    ["created"] = "2024-05-06T07:08:09Z",
                    ["created_by"] = $"layer {index}",
                })]),
        };
        List<Blob> blobs = [ToBlob(configuration, ConfigType)];
        blobs.AddRange(layers.Select(layer => layer.Blob));
        JsonObject manifest = new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Descriptor(blobs[0]),
            ["layers"] = new JsonArray([.. blobs.Skip(1).Select(JsonNode (blob) => Descriptor(blob))]),
        };
        return new(ToBlob(manifest, ManifestType), blobs, []);
    }

    /// <summary>An index over images of several platforms.</summary>
    public static TestImage Index(params (TestImage Image, string Architecture, string? Variant)[] entries)
    {
        JsonArray manifests = [];
        foreach ((TestImage image, string architecture, string? variant) in entries)
        {
            JsonObject platform = new() { ["architecture"] = architecture, ["os"] = "linux" };
            if (variant is not null)
            {
                platform["variant"] = variant;
            }

            JsonObject descriptor = Descriptor(image.Document);
            descriptor["platform"] = platform;
            manifests.Add((JsonNode)descriptor);
        }

        JsonObject index = new() { ["schemaVersion"] = 2, ["mediaType"] = IndexType, ["manifests"] = manifests };
        return new(ToBlob(index, IndexType), [], [.. entries.Select(entry => entry.Image)]);
    }

    /// <summary>The image with another manifest over the same blobs.</summary>
    public TestImage WithManifest(Action<JsonObject> change)
    {
        JsonObject manifest = JsonNode.Parse(Document.Content)!.AsObject();
        change(manifest);
        return this with { Document = ToBlob(manifest, ManifestType) };
    }

    /// <summary>The image with another configuration.</summary>
    public TestImage WithConfiguration(Action<JsonObject> change)
    {
        JsonObject configuration = JsonNode.Parse(Blobs[0].Content)!.AsObject();
        change(configuration);
        Blob blob = ToBlob(configuration, ConfigType);
        return (this with { Blobs = [blob, .. Blobs.Skip(1)] }).WithManifest(manifest => manifest["config"] = Descriptor(blob));
    }

    /// <summary>Writes the image as an OCI Image Layout in which its name is <c>image</c>.</summary>
    public void WriteLayout(string directory)
    {
        string blobs = Path.Join(directory, "blobs/sha256");
        Directory.CreateDirectory(blobs);
        foreach (Blob blob in All())
        {
            File.WriteAllBytes(Path.Join(blobs, blob.Digest["sha256:".Length..]), blob.Content);
        }

        JsonObject descriptor = Descriptor(Document);
        descriptor["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = "image" };
        JsonObject index = new() { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(descriptor) };
        File.WriteAllText(Path.Join(directory, "index.json"), index.ToJsonString());
        File.WriteAllText(Path.Join(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    /// <summary>Every document and blob, what is referred to before what refers.</summary>
    public IEnumerable<Blob> All() => [.. Platforms.SelectMany(platform => platform.All()), .. Blobs, Document];

    private static Blob ToBlob(JsonObject document, string mediaType) =>
        new(Encoding.UTF8.GetBytes(document.ToJsonString()), mediaType);

    private static JsonObject Descriptor(Blob blob) => new()
    {
        ["mediaType"] = blob.MediaType,
        ["digest"] = blob.Digest,
        ["size"] = blob.Content.Length,
    };
}
