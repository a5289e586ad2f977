using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The platform of an image that the user wants.</summary>
/// <param name="Platform">The platform.</param>
/// <param name="ByName">Whether the user asked for it; else it is this machine's.</param>
/// <param name="IsLax">Whether an image for another one is taken all the same, as podman does.</param>
internal sealed record PlatformChoice(Platform Platform, bool ByName, bool IsLax = false)
{
    /// <summary>Whether all platforms of an index are wanted; then this one tells which of them is shown.</summary>
    public bool All { get; init; }

    /// <summary>Whether an image runs on the platform.</summary>
    public bool Matches(ImageConfig config) => PlatformMatcher.Score(Platform, config.Platform) > 0;

    /// <summary>What is said where an image for another platform is taken.</summary>
    public string Mismatch(ImageConfig config) =>
        $"image platform ({Printable.Shorten(config.Platform.ToString())}) does not match the expected platform ({Platform})";

    /// <summary>The image of several that runs best on the platform, or else the first.</summary>
    public CopiedImage Best(IReadOnlyList<CopiedImage> images) => images.MaxBy(image => PlatformMatcher.Score(Platform, image.Config.Platform))!;

    /// <summary>Refuses an image for another platform than the one that was asked for.</summary>
    /// <param name="image">How the user calls it.</param>
    /// <param name="config">Its configuration.</param>
    /// <exception cref="OciException">It is for another platform.</exception>
    public void Require(string image, ImageConfig config)
    {
        if (ByName && !IsLax && !Matches(config))
        {
            throw new OciException($"image {Printable.Shorten(image)} is for {Printable.Shorten(config.Platform.ToString())}, not for {Platform}")
            {
                Hint = "leave the platform out to take the image that there is, or add --platform-lax, which only warns",
            };
        }
    }
}
