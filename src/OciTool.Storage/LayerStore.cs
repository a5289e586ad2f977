using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>What is known of an applied layer: <c>layers/ALG/HEX/layer.json</c>.</summary>
/// <param name="Applied">What was made of it.</param>
internal sealed record LayerRecord(AppliedLayer Applied)
{
    /// <summary>Reads a record.</summary>
    /// <exception cref="JsonException">It is not JSON; likewise the exceptions of <see cref="JsonElement"/> for what else it is.</exception>
    internal static LayerRecord Read(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
        JsonElement record = document.RootElement;
        return new LayerRecord(new AppliedLayer(
            record.TryGetProperty("form", out JsonElement form) ? SnapshotForms.Parse(form.GetString() ?? "") : SnapshotForm.Directory,
            Digest.Parse(record.GetProperty("diffId").GetString() ?? ""),
            record.GetProperty("entries").GetInt64(),
            record.GetProperty("contentBytes").GetInt64(),
            record.GetProperty("uncompressedBytes").GetInt64(),
            record.GetProperty("opaqueRoot").GetBoolean(),
            record.TryGetProperty("root", out JsonElement root) ? ReadRoot(root) : null));
    }

    /// <summary>Writes it.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("diffId", Applied.DiffId.ToString());
        json.WriteString("form", SnapshotForms.NameOf(Applied.Form));
        json.WriteNumber("entries", Applied.Entries);
        json.WriteNumber("contentBytes", Applied.ContentBytes);
        json.WriteNumber("uncompressedBytes", Applied.UncompressedBytes);
        json.WriteBoolean("opaqueRoot", Applied.OpaqueRoot);
        if (Applied.Root is { } root)
        {
            json.WriteStartObject("root");
            json.WriteNumber("mode", root.Mode);
            json.WriteNumber("uid", root.Uid);
            json.WriteNumber("gid", root.Gid);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static LayerRoot ReadRoot(JsonElement root) => new(
        root.GetProperty("mode").GetUInt32(), root.GetProperty("uid").GetUInt32(), root.GetProperty("gid").GetUInt32());
}

/// <summary>The applied layers of a store, by diffID: each is absent, or whole.</summary>
internal sealed class LayerStore(StorageRoot root)
{
    private readonly SharedSync _sync = new(root.Path);
    private readonly Lazy<SnapshotSupport> _support = new(() => SnapshotSupport.Find(root));

    /// <summary>Whether a layer is there, in whatever form.</summary>
    internal bool Contains(Digest diffId) => File.Exists(RecordOf(diffId));

    /// <summary>Whether a layer is there, and in the form that the user asked for, if any.</summary>
    internal bool ContainsAsAsked(Digest diffId) =>
        Contains(diffId) && (root.AskedForm is not { } form || Find(diffId)?.Applied.Form == form);

    internal LayerRecord? Find(Digest diffId) =>
        StorageJson.Read(RecordOf(diffId), LayerRecord.Read);

    internal string DirectoryOf(Digest diffId) => Path.Join(root.Layers, diffId.Algorithm, diffId.Hex);

    /// <summary>The tree of an applied layer: a directory, or a file with a file system in it.</summary>
    internal string TreeOf(AppliedLayer layer) => Path.Join(DirectoryOf(layer.DiffId), LayerApplier.NameOf(layer.Form));

    /// <summary>Applies a layer below a temporary directory, in the form that this machine can mount.</summary>
    internal AppliedLayer Apply(Stream content, TemporaryDirectory place, Digest diffId, Action<string> warn) =>
        LayerApplier.Apply(content, place.Path, _support.Value.Form, diffId, new LayerLimits(), warn);

    /// <summary>Writes back all data so far; then <see cref="Publish"/> may show it.</summary>
    internal Task SyncAsync() => _sync.RunAsync();

    /// <summary>Where the record of a layer below a temporary directory is.</summary>
    internal static string RecordIn(TemporaryDirectory place) => Path.Join(place.Path, "layer.json");

    /// <summary>The tree of a layer that has no name yet.</summary>
    internal static string TreeIn(TemporaryDirectory place, SnapshotForm form) => Path.Join(place.Path, LayerApplier.NameOf(form));

    /// <summary>Writes the record beside an applied layer.</summary>
    internal static void WriteRecord(AppliedLayer applied, TemporaryDirectory place) => File.WriteAllBytes(
        RecordIn(place),
        StorageJson.ToBytes(new LayerRecord(applied).WriteTo));

    /// <summary>Makes an applied layer visible, unless another pull was faster.</summary>
    internal void Publish(TemporaryDirectory place, Digest diffId)
    {
        string directory = DirectoryOf(diffId);
        Directory.CreateDirectory(Path.GetDirectoryName(directory)!);
        try
        {
            if (ContainsAsAsked(diffId))
            {
                return;
            }

            if (Contains(diffId))
            {
                DirectoryTree.Exchange(place.Path, directory); // it has another form, in which containers may use it
                return;
            }

            DirectoryTree.Remove(directory); // a layer without its record is not one
            Directory.Move(place.Path, directory);
        }
        catch (IOException) when (ContainsAsAsked(diffId))
        {
            return; // the same layer from another blob came first
        }
    }

    private string RecordOf(Digest diffId) => Path.Join(DirectoryOf(diffId), "layer.json");
}
