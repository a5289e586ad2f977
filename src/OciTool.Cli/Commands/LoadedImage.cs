using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary>An image that was taken from an archive into the store.</summary>
/// <param name="Id">Its ID.</param>
/// <param name="Names">The names that it got; none where the archive has none for it.</param>
internal sealed record LoadedImage(Digest Id, IReadOnlyList<string> Names)
{
    /// <summary>Takes an image, with all the names that the archive has for it.</summary>
    /// <exception cref="OciException">It is damaged, or has nothing for the platform.</exception>
    public static async Task<LoadedImage> TakeAsync(
        TransportImage image, ImageStore images, PlatformChoice platform, ICopyProgress progress, CancellationToken cancellationToken)
    {
        Reference[] names = [.. image.Names.Where(name => IsName(name, progress)).Select(ImageNameInput.ParseLocal).Distinct()];
        CopiedImage? copied = null;
        foreach (Reference? name in names.Cast<Reference?>().DefaultIfEmpty(null))
        {
            // from the second on everything is there, and only the name is written
            using StoreDestination destination = images.OpenDestination(name);
            copied = platform.All
                ? platform.Best(await ImageCopier.CopyWholeAsync(image.Source, destination, progress, cancellationToken))
                : await ImageCopier.CopyAsync(image.Source, destination, platform.Platform, progress, cancellationToken);
        }

        return new LoadedImage(copied!.Manifest.Config.Digest, [.. names.Select(name => name.Canonical)]);
    }

    private static bool IsName(string text, ICopyProgress progress)
    {
        if (Reference.TryParse(text, out _, out string? mistake))
        {
            return true;
        }

        progress.Warn($"the name '{Printable.Shorten(text)}' is left out: {mistake}");
        return false;
    }
}
