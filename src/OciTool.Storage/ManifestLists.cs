using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The indexes that people put together themselves: <c>oci manifest</c>.</summary>
/// <remarks>
/// An edit writes a new document and moves the name to it, under the store lock: whoever reads meanwhile has the old or the new one, whole. Platforms of one image
/// that are not at hand stay as they are: an index may be sparse.
/// </remarks>
/// <param name="root">The store.</param>
/// <param name="images">Its images.</param>
public sealed class ManifestLists(StorageRoot root, ImageStore images)
{
    /// <summary>Finds an index by its name.</summary>
    /// <param name="name">What people type for it.</param>
    /// <returns>The whole name and the document; null where nothing has the name.</returns>
    /// <exception cref="OciException">The name is that of an image.</exception>
    public (string Name, Document Document)? Find(string name)
    {
        if (images.Resolve(name) is not { Name: { } whole } match)
        {
            return null;
        }

        return MediaTypes.IsIndex(match.Root.MediaType) && images.Content.Read(match.Root) is { } document
            ? (whole, document)
            : throw new OciException($"{Printable.Shorten(name)} is an image, not a manifest list");
    }

    /// <summary>Whether a name is that of an index.</summary>
    public bool Has(string name) => images.Resolve(name) is { Name: not null } match && MediaTypes.IsIndex(match.Root.MediaType);

    /// <summary>Makes an index and names it.</summary>
    /// <param name="name">Its name, with a tag.</param>
    /// <param name="entries">What is in it.</param>
    /// <param name="mayReplace">Whether a name that is in use is no error.</param>
    /// <exception cref="OciException">The name is in use.</exception>
    public Document Create(Reference name, IReadOnlyList<Descriptor> entries, bool mayReplace) => Change(
        name.Canonical,
        index => index is null || mayReplace
            ? new ImageIndex(2, entries) { MediaType = MediaTypes.OciIndex }
            : throw new OciException($"image name \"{name}\" is already in use"));

    /// <summary>Changes the entries of an index.</summary>
    /// <param name="name">What people type for it.</param>
    /// <param name="change">From the old entries to the new ones; called under the store lock.</param>
    /// <exception cref="OciException">There is no such index.</exception>
    public Document Edit(string name, Func<IReadOnlyList<Descriptor>, IReadOnlyList<Descriptor>> change)
    {
        string whole = Find(name)?.Name ?? throw new ImageNotKnownException(name);
        return Change(
            whole, index => (index ?? throw new ImageNotKnownException(name)) with { Manifests = change(index.Manifests) });
    }

    /// <summary>Takes the name of an index away; its images stay where they have names.</summary>
    /// <param name="name">What people type for it.</param>
    /// <returns>The whole name and the digest.</returns>
    /// <exception cref="OciException">There is no such index.</exception>
    public (string Name, Digest Digest) Remove(string name)
    {
        (string whole, Document document) = Find(name) ?? throw new ImageNotKnownException(name);
        root.EnsureWritable();
        using FileLock held = root.Lock(root.LockFile);
        LayoutIndex index = LayoutIndex.Read(root);
        index.RemoveName(whole);
        if (images.FactsOf(ImageFactsFile.Read(root), document.Descriptor).Count == 0)
        {
            index.RemoveImage(document.Digest); // an index without images is nothing without its name
        }

        index.Write();
        return (whole, document.Digest);
    }

    private Document Change(string name, Func<ImageIndex?, ImageIndex> change)
    {
        root.EnsureWritable();
        using FileLock held = root.Lock(root.LockFile);
        LayoutIndex names = LayoutIndex.Read(root);
        Descriptor? former = names.Find(name);
        ImageIndex? index = former is null ? null
            : MediaTypes.IsIndex(former.MediaType) && images.Content.Read(former.Bare) is { } old ? ImageIndex.Parse(old)
            : throw new OciException($"{Printable.Shorten(name)} is an image, not a manifest list");
        ImageIndex changed = change(index);
        Document document = new(
            changed.MediaType ?? MediaTypes.OciIndex, JsonSerializer.SerializeToUtf8Bytes(changed, SpecJson.Relaxed.ImageIndex));
        ImageIndex.Parse(document); // what we write we can read
        images.Content.Write(document);
        if (former is not null && former.Digest != document.Digest)
        {
            names.RemoveName(name);
            if (!names.Entries.Any(entry => entry.Digest == former.Digest && LayoutIndex.NameOf(entry) is not null))
            {
                names.RemoveImage(former.Digest); // the former document of the list is no image that anybody wants
            }
        }

        names.SetName(name, document.Descriptor);
        ImageFactsFile known = ImageFactsFile.Read(root);
        known.Roots[document.Digest.ToString()] = images.Walk.Facts(document.Descriptor);
        DirectoryTree.SyncFileSystem(root.Path);
        names.Write();
        known.Write(root, names);
        return document;
    }
}
