using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Compatibility;

/// <summary>Looks at images of the store.</summary>
internal static class LocalCompatibility
{
    /// <summary>Finds out about an image.</summary>
    /// <param name="images">The store.</param>
    /// <param name="image">The image.</param>
    /// <param name="host">Where it is to run.</param>
    /// <param name="words">The command to look at; null for the image's own.</param>
    public static ImageFacts Read(ImageStore images, StoredImage image, HostFacts host, IReadOnlyList<string>? words = null)
    {
        try
        {
            using RootDirectory? root = ImageView.Open(images, image.Config);
            ImageFacts facts = ImageReading.Read(image.Config, root is null ? null : new RootImageFiles(root), host, words);
            HashSet<string> there = [.. (host.Handlers ?? []).Select(handler => handler.Interpreter).Distinct().Where(path => facts.HasFile?.Invoke(path) == true)];
            return facts with
            {
                Manifest = image.Manifest,
                HasFile = facts.HasFile is null ? null : there.Contains, // the mount ends here
                Unread = root is null ? "the image has no layers" : facts.Unread,
            };
        }
        catch (OciException e)
        {
            return new ImageFacts { Config = image.Config, Manifest = image.Manifest, Unread = e.Message };
        }
    }
}
