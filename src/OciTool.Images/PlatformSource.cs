namespace OciTool.Images;

/// <summary>One platform of an image that may be an index: its manifest stands in the index's place.</summary>
/// <param name="source">The image.</param>
/// <param name="platform">The platform to choose.</param>
/// <param name="accept">Asked about an image that no index was asked for; it throws where the image is not wanted.</param>
public sealed class PlatformSource(IImageSource source, Platform platform, Action<ImageConfig>? accept = null) : IImageSource
{
    /// <inheritdoc/>
    /// <exception cref="OciException">The index has nothing for the platform; the message lists what it has.</exception>
    public async Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        Document document = await source.ResolveAsync(cancellationToken);
        if (accept is not null && MediaTypes.IsManifest(document.MediaType) && Manifest.ParseAny(document) is var manifest
            && MediaTypes.IsImageConfig(manifest.Config.MediaType))
        {
            accept(ImageConfig.Parse(await ImageCopier.ReadConfigAsync(source, manifest.Config, cancellationToken), manifest));
        }

        for (bool nested = false; MediaTypes.IsIndex(document.MediaType); nested = true)
        {
            document = await source.ReadDocumentAsync(ImageCopier.Choose(document, platform, nested), cancellationToken);
        }

        return document;
    }

    /// <inheritdoc/>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        source.ReadDocumentAsync(descriptor, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        source.OpenBlobAsync(blob, offset, cancellationToken);
}
