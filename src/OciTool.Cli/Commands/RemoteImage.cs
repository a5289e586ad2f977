using System.Diagnostics.CodeAnalysis;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>An image, an index or an artifact in a registry, looked at with as few requests as its parts need.</summary>
internal sealed class RemoteImage : IAsyncDisposable
{
    private readonly Reference _reference;
    private readonly RegistryImageSource _source;

    private RemoteImage(Reference reference, RegistryImageSource source, Document root) => (_reference, _source, Root) = (reference, source, root);

    /// <summary>The manifest or index that the name stands for; its digest is verified, and nothing else.</summary>
    public Document Root { get; }

    /// <summary>Asks a registry for an image.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="context">How to talk to the registry.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">The registry does not hand it out.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the image, or when there is none")]
    public static async Task<RemoteImage> OpenAsync(Reference reference, RegistryContext context, CancellationToken cancellationToken)
    {
        RegistryImageSource source = RegistryImageSource.Create(reference, context);
        try
        {
            return new RemoteImage(reference, source, await source.ResolveAsync(cancellationToken));
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    /// <summary>The tags of an image's repository.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="context">How to talk to the registry.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<string[]> TagsAsync(Reference reference, RegistryContext context, CancellationToken cancellationToken)
    {
        await using RegistryRepository repository = RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, context);
        return [.. await repository.ListTagsAsync(int.MaxValue, cancellationToken).ToListAsync(cancellationToken)];
    }

    /// <summary>The manifest for a platform; what is no index is for every platform here.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">The index has nothing for it.</exception>
    public async Task<Document> ChooseAsync(Platform platform, CancellationToken cancellationToken)
    {
        Document document = Root;
        for (bool nested = false; MediaTypes.IsIndex(document.MediaType); nested = true)
        {
            document = await _source.ReadDocumentAsync(ImageCopier.Choose(document, platform, nested), cancellationToken);
        }

        return document;
    }

    /// <summary>The configuration of an image: of the platform's, or of the only one that there is.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">There is none, or there are several images and none for the platform.</exception>
    public async Task<Document> ReadConfigAsync(Platform platform, CancellationToken cancellationToken)
    {
        Document manifest = await ChooseAsync(OnlyPlatform() ?? platform, cancellationToken);
        return RemoteDocument.ConfigOf(manifest) is { } config
            ? await ReadConfigAsync(config, cancellationToken)
            : throw new OciException($"{_reference}: the manifest {manifest.Digest} names no configuration");
    }

    /// <summary>What there is to see.</summary>
    /// <param name="platform">The platform of an index to look at; null for the index itself.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">A part of it cannot be had, or it is not for the platform.</exception>
    public async Task<RemoteInspection> InspectAsync(Platform? platform, CancellationToken cancellationToken)
    {
        Document document = platform is null ? Root : await ChooseAsync(platform, cancellationToken);
        RemoteInspection inspection = RemoteDocument.Summarize(document) with { Name = _reference.Name };
        if (RemoteDocument.ConfigOf(document) is not { } config || !MediaTypes.IsImageConfig(config.MediaType))
        {
            return inspection;
        }

        inspection = RemoteDocument.AddConfig(inspection, await ReadConfigAsync(config, cancellationToken));
        Platform own = new(inspection.Os ?? "", inspection.Architecture ?? "", inspection.Variant);
        return platform is null || PlatformMatcher.Score(platform, own) > 0
            ? inspection
            : throw new OciException($"image {_reference} is for {Printable.Shorten(own.ToString())}, not for {platform}");
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private Platform? OnlyPlatform()
    {
        if (!MediaTypes.IsIndex(Root.MediaType))
        {
            return null;
        }

        Platform[] platforms = [.. ImageIndex.Parse(Root).Manifests
            .Select(entry => entry.Platform).OfType<Platform>().Where(platform => platform.Os != "unknown").Take(2)];
        return platforms is [var only] ? only : null;
    }

    private async Task<Document> ReadConfigAsync(Descriptor config, CancellationToken cancellationToken)
    {
        if (config.Size > Document.MaxSize)
        {
            throw new InvalidDocumentException($"config {config.Digest}: {config.Size} bytes are more than the limit of {Document.MaxSize}");
        }

        await using Stream content = await _source.OpenBlobAsync(config, offset: 0, cancellationToken);
        byte[] bytes = new byte[config.Size + 1]; // one more than it may have shows what is longer
        int read = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return Document.Verify(config, bytes.AsMemory(0, read));
    }
}
