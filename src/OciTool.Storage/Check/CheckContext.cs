using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Check;

/// <summary>What the parts of a check share: the store, and what is known of it.</summary>
internal sealed record CheckContext(
    StorageRoot Root, ImageStore Images, ContainerStore Containers, StoreCheckOptions Options, DateTimeOffset Now, CancellationToken Cancellation)
{
    /// <summary>What the names lead to; null while the list of names is damaged.</summary>
    internal ReachedContent? Reached { get; init; }

    /// <summary>What pulls protect.</summary>
    internal HashSet<Digest> Leased { get; init; } = [];

    /// <summary>Blobs that are known to be damaged or missing: nothing is made of them.</summary>
    internal HashSet<Digest> BadBlobs { get; } = [];

    /// <summary>An image that needs a blob or a layer; null where none does.</summary>
    internal string? ImageOf(Digest digest) =>
        Reached is null ? null
        : Reached.Needed.TryGetValue(digest, out (long, string Image) blob) ? blob.Image
        : Reached.Layers.TryGetValue(digest, out (Descriptor, string Image) layer) ? layer.Image
        : null;

    /// <summary>Whether nobody needs content, and has not for longer than a pull may take.</summary>
    internal bool IsAbandoned(Digest digest, string path) =>
        Reached is not null && !Reached.Mentioned.Contains(digest) && !Leased.Contains(digest) && IsOld(path);

    /// <summary>Whether a file was written longer ago than unneeded content may be.</summary>
    internal bool IsOld(string path) => Now - new DateTimeOffset(File.GetLastWriteTimeUtc(path)) > Options.MaxAge;

    /// <summary>The store lock; null where the store can only be read, and so changes only by others.</summary>
    internal FileLock? Lock(bool shared) =>
        Root.IsReadOnly || !Directory.Exists(Root.Locks) ? null : Root.Lock(Root.LockFile, shared);

    internal static string PullAgain(string? image) =>
        image is null ? "" : Digest.TryParse(image, provider: null, out _) ? "; pull its image again" : $"; pull {image} again";
}
