using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>What is known of an applied layer: <c>layers/ALG/HEX/layer.json</c>.</summary>
/// <param name="Applied">What was made of it.</param>
internal sealed record LayerRecord(AppliedLayer Applied)
{
    /// <summary>Raised when the same archive makes another tree or another file than before: only then can two be compared.</summary>
    internal const int CurrentRevision = 1;

    /// <summary>The revision by which the layer was made.</summary>
    internal int Revision { get; init; } = CurrentRevision;

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
            record.TryGetProperty("root", out JsonElement root) ? ReadRoot(root) : null))
        {
            Revision = record.TryGetProperty("revision", out JsonElement revision) ? revision.GetInt32() : 1,
        };
    }

    /// <summary>Writes it.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("diffId", Applied.DiffId.ToString());
        json.WriteString("form", SnapshotForms.NameOf(Applied.Form));
        json.WriteNumber("revision", Revision);
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
    internal bool Contains(Digest diffId) => File.Exists(RecordIn(Locate(diffId)));

    /// <summary>Whether a layer is there, and in the form that the user asked for, if any.</summary>
    internal bool ContainsAsAsked(Digest diffId) =>
        Contains(diffId) && (root.AskedForm is not { } form || Find(diffId)?.Applied.Form == form);

    internal LayerRecord? Find(Digest diffId) =>
        StorageJson.Read(RecordIn(Locate(diffId)), LayerRecord.Read);

    /// <summary>Where a layer lies in this store, or would.</summary>
    internal string DirectoryOf(Digest diffId) => DirectoryIn(root, diffId);

    /// <summary>The tree of an applied layer: a directory, or a file with a file system in it.</summary>
    internal string TreeOf(AppliedLayer layer) => Path.Join(Locate(layer.DiffId), LayerApplier.NameOf(layer.Form));

    /// <summary>The form in which layers are made here.</summary>
    internal SnapshotForm Form => _support.Value.Form;

    /// <summary>Applies a layer below a temporary directory, in the form that this machine can mount.</summary>
    internal AppliedLayer Apply(Stream content, TemporaryDirectory place, Digest diffId, Action<string> warn) =>
        LayerApplier.Apply(content, place.Path, Form, diffId, new LayerLimits(), warn);

    /// <summary>Writes back all data so far; then <see cref="Publish"/> may show it.</summary>
    internal Task SyncAsync() => _sync.RunAsync();

    /// <summary>Whether a <see cref="SyncAsync"/> has failed, be it of another layer.</summary>
    internal bool SyncHasFailed => _sync.HasFailed;

    /// <summary>Where the record of a layer below a temporary directory is.</summary>
    internal static string RecordIn(TemporaryDirectory place) => RecordIn(place.Path);

    /// <summary>Where the record of a layer's directory is.</summary>
    internal static string RecordIn(string directory) => Path.Join(directory, "layer.json");

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

            if (File.Exists(RecordIn(directory)))
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

    /// <summary>What a layer of this store takes on disk, in bytes: its file, or what its files hold.</summary>
    internal long SizeOf(Digest diffId)
    {
        string directory = DirectoryOf(diffId);
        FileInfo image = new(Path.Join(directory, LayerApplier.NameOf(SnapshotForm.Erofs)));
        return image.Exists ? image.Length : SizeOfTree(diffId);
    }

    private long SizeOfTree(Digest diffId)
    {
        try
        {
            return StorageJson.Read(RecordIn(DirectoryOf(diffId)), LayerRecord.Read)?.Applied.ContentBytes ?? 0;
        }
        catch (OciException)
        {
            return 0; // damaged: what it says is unknown
        }
    }

    /// <summary>Puts an applied layer in the place of what is there; the caller holds the exclusive store lock.</summary>
    internal void Replace(TemporaryDirectory place, Digest diffId)
    {
        string directory = DirectoryOf(diffId);
        Directory.CreateDirectory(Path.GetDirectoryName(directory)!);
        if (Directory.Exists(directory))
        {
            DirectoryTree.Exchange(place.Path, directory);
        }
        else
        {
            Directory.Move(place.Path, directory);
        }
    }

    /// <summary>Where a layer lies: here, or else in an additional store that has it.</summary>
    internal string Locate(Digest diffId)
    {
        string directory = DirectoryOf(diffId);
        if (root.Additional.Count > 0 && !File.Exists(RecordIn(directory)))
        {
            foreach (StorageRoot store in root.Additional)
            {
                string other = DirectoryIn(store, diffId);
                if (File.Exists(RecordIn(other)))
                {
                    return other;
                }
            }
        }

        return directory;
    }

    private static string DirectoryIn(StorageRoot store, Digest diffId) => Path.Join(store.Layers, diffId.Algorithm, diffId.Hex);
}
