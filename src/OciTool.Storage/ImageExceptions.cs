using OciTool.Images;

namespace OciTool.Storage;

/// <summary>No image has this name or ID.</summary>
/// <param name="name">What was asked for.</param>
public sealed class ImageNotKnownException(string name) : OciException($"{Printable.Shorten(name)}: image not known")
{
    /// <inheritdoc/>
    public override int ExitCode => 1;
}

/// <summary>An image cannot be removed, because a container was made of it, or because it is mounted.</summary>
public sealed class ImageInUseException : OciException
{
    /// <summary>A container was made of it.</summary>
    /// <param name="containerId">The container.</param>
    public ImageInUseException(string containerId)
        : base($"image used by {containerId}: image is in use by a container: consider listing external containers and force-removing image")
    {
    }

    /// <summary>It is mounted.</summary>
    /// <param name="mounted">The image's ID.</param>
    internal ImageInUseException(Digest mounted)
        : base($"image {mounted.Hex} is mounted") => Hint = $"unmount it with: oci image unmount {mounted.Short}";

    /// <inheritdoc/>
    public override int ExitCode => 2;
}

/// <summary>A name is known, but nothing of it for the platform that was asked for is in the store.</summary>
/// <param name="name">The name.</param>
/// <param name="platform">The platform.</param>
/// <param name="atHand">The platforms that are there.</param>
public sealed class PlatformNotAtHandException(string name, Platform platform, IEnumerable<Platform> atHand) : OciException(
    $"{Printable.Shorten(name)}: nothing is here for {platform}, only for {string.Join(", ", atHand.Select(known => Printable.Shorten(known.ToString(), 64)))}");

/// <summary>What removing images has done.</summary>
/// <param name="Untagged">The names that are gone.</param>
/// <param name="Deleted">The IDs of images that are gone.</param>
public sealed record RemovalResult(IReadOnlyList<string> Untagged, IReadOnlyList<Digest> Deleted)
{
    /// <summary>How many bytes blobs and layers took that are gone.</summary>
    public long Freed { get; init; }
}
