using System.Diagnostics.CodeAnalysis;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>An image of a store, to be pushed or saved: its documents and blobs as they were pulled.</summary>
/// <remarks>
/// While it is open nothing of it is removed, unless the store can only be read. Documents are verified as they are read,
/// blobs by size; whoever takes a blob verifies its digest.
/// </remarks>
public sealed class StoredImageSource : IImageSource, IDisposable
{
    private readonly ContentStore _content;
    private readonly Descriptor _root;
    private readonly Lease? _lease;

    private StoredImageSource(ContentStore content, Descriptor root, Lease? lease) => (_content, _root, _lease) = (content, root, lease);

    /// <summary>Opens an image.</summary>
    /// <param name="root">The store.</param>
    /// <param name="images">The images of the store.</param>
    /// <param name="document">The manifest, or the index with all that is below it.</param>
    /// <exception cref="OciException">Parts of it are not in the store; the message names the platforms.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the source")]
    public static StoredImageSource Open(StorageRoot root, ImageStore images, Descriptor document)
    {
        StoredImageSource source = new(images.Content, document, TryLease(root));
        try
        {
            HashSet<Digest> blobs = [];
            images.Reach(document, blobs);
            source._lease?.Look(() => true, [.. blobs]);
            source.RequireWhole(document);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="OciException">It is missing or damaged.</exception>
    public Task<Document> ResolveAsync(CancellationToken cancellationToken) => ReadDocumentAsync(_root, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="OciException">It is missing or damaged.</exception>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_content.Find(descriptor) ?? throw new OciException($"{descriptor.Digest} is missing or damaged in the store")
        {
            Hint = "pull the image again",
        });
    }

    /// <inheritdoc/>
    /// <exception cref="OciException">It is missing, damaged or unreadable.</exception>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Stream content = _content.OpenRead(blob);
        content.Position = offset;
        return Task.FromResult(content);
    }

    /// <summary>Lets what it holds be removed again.</summary>
    public void Dispose() => _lease?.Dispose();

    // a store that can only be read is pushed from without: nobody removes anything there
    private static Lease? TryLease(StorageRoot root)
    {
        try
        {
            root.EnsureWritable();
            return new Lease(root);
        }
        catch (Exception e) when (e is OciException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void RequireWhole(Descriptor document)
    {
        if (!MediaTypes.IsIndex(document.MediaType))
        {
            return;
        }

        List<string> missing = [];
        FindMissing(document, missing);
        if (missing.Count > 0)
        {
            string more = missing.Count > 16 ? $" and {missing.Count - 16} more" : "";
            throw new OciException($"index {document.Digest} is not whole in the store: {string.Join(", ", missing.Take(16))}{more} "
                + (missing.Count == 1 ? "is missing" : "are missing"))
            {
                Hint = "pull each platform, or copy the whole image from registry to registry with 'oci copy --all'",
            };
        }
    }

    private void FindMissing(Descriptor index, List<string> missing)
    {
        Document? read = _content.Find(index);
        foreach (Descriptor entry in read is null ? [] : ImageIndex.Parse(read).Manifests)
        {
            if (!_content.Contains(entry))
            {
                missing.Add(entry.Platform is { Os: not "unknown" } platform
                    ? Printable.Shorten(platform.ToString(), 64)
                    : $"{entry.Digest.Algorithm}:{entry.Digest.Short}…");
            }
            else if (MediaTypes.IsIndex(entry.MediaType) && index == _root)
            {
                FindMissing(entry, missing);
            }
        }
    }
}
