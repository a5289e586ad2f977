using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>What is known of an applied layer: <c>layers/ALG/HEX/layer.json</c>.</summary>
/// <param name="DiffId">The digest of the uncompressed layer.</param>
/// <param name="Entries">How many entries its archive had.</param>
/// <param name="ContentBytes">The bytes of its files.</param>
/// <param name="UncompressedBytes">The size of the uncompressed archive, in bytes.</param>
/// <param name="OpaqueRoot">Whether it hides all layers below it.</param>
internal sealed record LayerRecord(Digest DiffId, long Entries, long ContentBytes, long UncompressedBytes, bool OpaqueRoot)
{
    /// <summary>Reads a record.</summary>
    /// <exception cref="JsonException">It is not JSON; likewise the exceptions of <see cref="JsonElement"/> for what else it is.</exception>
    internal static LayerRecord Read(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
        JsonElement record = document.RootElement;
        return new LayerRecord(
            Digest.Parse(record.GetProperty("diffId").GetString() ?? ""),
            record.GetProperty("entries").GetInt64(),
            record.GetProperty("contentBytes").GetInt64(),
            record.GetProperty("uncompressedBytes").GetInt64(),
            record.GetProperty("opaqueRoot").GetBoolean());
    }

    /// <summary>Writes it.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("diffId", DiffId.ToString());
        json.WriteNumber("entries", Entries);
        json.WriteNumber("contentBytes", ContentBytes);
        json.WriteNumber("uncompressedBytes", UncompressedBytes);
        json.WriteBoolean("opaqueRoot", OpaqueRoot);
        json.WriteEndObject();
    }
}

/// <summary>The applied layers of a store, by diffID: each is absent, or whole.</summary>
internal sealed class LayerStore(StorageRoot root)
{
    private readonly SharedSync _sync = new(root.Path);

    internal bool Contains(Digest diffId) => File.Exists(RecordOf(diffId));

    internal LayerRecord? Find(Digest diffId) =>
        StorageJson.Read(RecordOf(diffId), LayerRecord.Read);

    internal string DirectoryOf(Digest diffId) => Path.Join(root.Layers, diffId.Algorithm, diffId.Hex);

    internal string TreeOf(Digest diffId) => Path.Join(DirectoryOf(diffId), "fs");

    /// <summary>Applies a layer below a temporary directory.</summary>
    internal static AppliedLayer Apply(Stream content, TemporaryDirectory place, Digest diffId, Action<string> warn)
    {
        string tree = Path.Join(place.Path, "fs");
        Directory.CreateDirectory(tree, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using RootDirectory target = new(tree);
        return LayerApplier.Apply(content, target, diffId, new LayerLimits(), warn);
    }

    /// <summary>Writes back all data so far; then <see cref="Publish"/> may show it.</summary>
    internal Task SyncAsync() => _sync.RunAsync();

    /// <summary>Writes the record beside an applied layer.</summary>
    internal static void WriteRecord(AppliedLayer applied, TemporaryDirectory place)
    {
        LayerRecord record = new(applied.DiffId, applied.Entries, applied.ContentBytes, applied.UncompressedBytes, applied.OpaqueRoot);
        File.WriteAllBytes(
            Path.Join(place.Path, "layer.json"),
            StorageJson.ToBytes(record.WriteTo));
    }

    /// <summary>Makes an applied layer visible, unless another pull was faster.</summary>
    internal void Publish(TemporaryDirectory place, Digest diffId)
    {
        string directory = DirectoryOf(diffId);
        Directory.CreateDirectory(Path.GetDirectoryName(directory)!);
        try
        {
            if (!Contains(diffId))
            {
                DirectoryTree.Remove(directory); // a layer without its record is not one
                Directory.Move(place.Path, directory);
            }
        }
        catch (IOException) when (Contains(diffId))
        {
            return; // the same layer from another blob came first
        }
    }

    private string RecordOf(Digest diffId) => Path.Join(DirectoryOf(diffId), "layer.json");
}
