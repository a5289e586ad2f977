using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>The image that a container is to be made of, and where it may come from.</summary>
/// <param name="NameOrId">What the user typed.</param>
/// <param name="Platform">The platform to run.</param>
/// <param name="Policy">When to ask the registry.</param>
internal sealed record ImageRequest(string NameOrId, PlatformChoice Platform, PullPolicy Policy)
{
    /// <summary>Finds the image in the store, after pulling it where that is asked for.</summary>
    /// <param name="images">The store.</param>
    /// <param name="pull">Makes the pull; called only when there is one.</param>
    /// <exception cref="OciException">The image cannot be had, or does not run here.</exception>
    public StoredImage Obtain(ImageStore images, Func<ImagePull> pull)
    {
        StoredImage? present = FindHere(images, out PlatformNotAtHandException? otherPlatform);
        StoredImage image = Policy switch
        {
            PullPolicy.Never => present ?? throw otherPlatform ?? (OciException)new ImageNotHereException(NameOrId),
            PullPolicy.Missing => present ?? Pull(images, pull()),
            PullPolicy.Newer when present is not null => PullOrKeep(images, pull(), present),
            _ => Pull(images, pull()),
        };
        if (!MediaTypes.IsIndex(image.Root.MediaType))
        {
            Platform.Require(NameOrId, image.Config); // what an index says of an entry counts more than the entry's own label
        }

        return image;
    }

    private StoredImage? FindHere(ImageStore images, out PlatformNotAtHandException? otherPlatform)
    {
        otherPlatform = null;
        try
        {
            return images.Find(NameOrId, Platform.Platform);
        }
        catch (PlatformNotAtHandException e)
        {
            otherPlatform = e;
            return null;
        }
    }

    private StoredImage PullOrKeep(ImageStore images, ImagePull pull, StoredImage present)
    {
        try
        {
            return Pull(images, pull);
        }
        catch (OciException e) when (e is not InterruptedException)
        {
            return present; // newer means: take the registry's if it can be had
        }
    }

    private StoredImage Pull(ImageStore images, ImagePull pull)
    {
        using SignalCancellation signals = new();
        signals.Listen();
        try
        {
            PulledImage pulled = pull.RunAsync(NameOrId, Platform, images, signals.Token).GetAwaiter().GetResult();
            return images.Find(pulled.Reference.ToString(), Platform.Platform) ?? throw new ImageNotHereException(NameOrId);
        }
        catch (OperationCanceledException) when (signals.Signal > 0)
        {
            throw new InterruptedException(signals.Signal);
        }
    }
}

/// <summary>The store does not have an image, and it may not be pulled.</summary>
internal sealed class ImageNotHereException(string name) : OciException($"{Printable.Shorten(name)}: image not known");

/// <summary>A signal ended the work before a container ran.</summary>
internal sealed class InterruptedException(int signal) : OciException($"interrupted by signal {signal}")
{
    /// <inheritdoc/>
    public override int ExitCode => Cli.ExitCode.SignalBase + signal;
}
