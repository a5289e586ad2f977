using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Reads an OCI image layout.</summary>
/// <remarks>
/// OCI image-spec v1.1, image-layout.md. Blobs may be links, and an index may list platforms that are not there: only
/// what is copied has to be.
/// </remarks>
internal static class ImageLayout
{
    /// <summary>The images that <c>index.json</c> lists; one manifest under several names is one image.</summary>
    /// <exception cref="OciException">It is no layout.</exception>
    internal static IReadOnlyList<TransportImage> Read(ITransportFiles files)
    {
        byte[] bytes = files.Read("index.json");
        ImageIndex index;
        try
        {
            index = ImageIndex.ReadLayout(bytes);
        }
        catch (Exception e) when (e is JsonException or OciException or InvalidOperationException or FormatException)
        {
            throw new OciException($"{files.Name}: invalid index.json: {Printable.Shorten(e.Message)}", e);
        }

        return [.. index.Manifests.Where(entry => MediaTypes.IsIndex(entry.MediaType) || MediaTypes.IsManifest(entry.MediaType))
            .GroupBy(entry => entry.Digest)
            .Select(entries => new TransportImage(
                [.. entries.SelectMany(NamesOf).Distinct()],
                new LayoutSource(files, entries.First())))];
    }

    internal static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    // containerd's annotation has the whole name where ref.name is a bare tag
    private static IEnumerable<string> NamesOf(Descriptor entry)
    {
        string? whole = entry.Annotations?.GetValueOrDefault(LayoutIndex.ContainerdName);
        string? name = entry.Annotations?.GetValueOrDefault(LayoutIndex.RefName);
        if (whole is { Length: > 0 })
        {
            yield return whole;
        }

        if (name is { Length: > 0 } && (whole is null || !whole.EndsWith($":{name}", StringComparison.Ordinal)))
        {
            yield return name;
        }
    }

    private sealed class LayoutSource(ITransportFiles files, Descriptor root) : IImageSource
    {
        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => ReadDocumentAsync(root, cancellationToken);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(Document.Verify(descriptor, files.TryRead(PathOf(descriptor.Digest))
                ?? throw new OciException($"{files.Name}: {descriptor.Digest} is missing")));
        }

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(files.OpenBlob(PathOf(blob.Digest), blob, offset));
        }
    }
}
