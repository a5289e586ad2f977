using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>The names of a store: its <c>index.json</c>.</summary>
/// <remarks>
/// OCI image-spec v1.1, image-layout.md. Each name has an entry of its own, with the whole name in
/// <c>org.opencontainers.image.ref.name</c>, which is what skopeo and umoci look for behind <c>oci:ROOT:</c>, and in
/// <c>io.containerd.image.name</c>. An image without a name has one entry without these annotations.
/// </remarks>
internal sealed class LayoutIndex
{
    internal const string RefName = "org.opencontainers.image.ref.name";
    internal const string ContainerdName = "io.containerd.image.name";

    private readonly StorageRoot _root;
    private readonly List<Descriptor> _entries;

    private LayoutIndex(StorageRoot root, List<Descriptor> entries) => (_root, _entries) = (root, entries);

    internal IReadOnlyList<Descriptor> Entries => _entries;

    /// <summary>Reads the names; takes no lock, since they are replaced by rename.</summary>
    /// <exception cref="OciException">The file is damaged; it is never overwritten then.</exception>
    internal static LayoutIndex Read(StorageRoot root)
    {
        ImageIndex? index = StorageJson.Read(root.IndexFile, static bytes => ImageIndex.ReadLayout(bytes));
        return index is null || index.SchemaVersion == 2
            ? new LayoutIndex(root, [.. index?.Manifests ?? []])
            : throw new OciException($"'{root.IndexFile}' is damaged: schemaVersion must be 2, got {index.SchemaVersion}");
    }

    /// <summary>A list without names, to make a damaged one again.</summary>
    internal static LayoutIndex Empty(StorageRoot root) => new(root, []);

    /// <summary>Lists an image that has no name.</summary>
    internal void AddNameless(Descriptor target) => _entries.Add(target.Bare);

    /// <summary>The name of an entry; null for an image without one.</summary>
    internal static string? NameOf(Descriptor entry)
    {
        if (entry.Annotations is null)
        {
            return null;
        }

        // other tools write a bare tag as ref.name; containerd's annotation then has the whole name
        string? name = entry.Annotations.GetValueOrDefault(ContainerdName) ?? entry.Annotations.GetValueOrDefault(RefName);
        return name is null ? null : Printable.Shorten(name, 512);
    }

    internal Descriptor? Find(string name)
    {
        foreach (Descriptor entry in _entries)
        {
            if (NameOf(entry) == name)
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Gives a name to an image; the image that had it stays, without.</summary>
    internal void SetName(string name, Descriptor target)
    {
        RemoveName(name);
        _entries.RemoveAll(entry => entry.Digest == target.Digest && NameOf(entry) is null);
        _entries.Add(target.Bare with
        {
            Annotations = new Dictionary<string, string> { [RefName] = name, [ContainerdName] = name },
        });
    }

    /// <summary>Takes a name away; the last entry of an image stays, without a name.</summary>
    internal void RemoveName(string name)
    {
        int at = _entries.FindIndex(entry => NameOf(entry) == name);
        if (at < 0)
        {
            return;
        }

        Descriptor former = _entries[at];
        _entries.RemoveAt(at);
        if (!_entries.Exists(entry => entry.Digest == former.Digest))
        {
            _entries.Insert(at, former.Bare);
        }
    }

    internal void RemoveImage(Digest root) => _entries.RemoveAll(entry => entry.Digest == root);

    /// <summary>Replaces the file; the caller holds the store lock.</summary>
    internal void Write()
    {
        ImageIndex index = new(2, _entries) { MediaType = MediaTypes.OciIndex };
        _root.WriteAtomically(
            _root.IndexFile, JsonSerializer.SerializeToUtf8Bytes(index, SpecJson.Relaxed.ImageIndex), durably: true);
    }
}
