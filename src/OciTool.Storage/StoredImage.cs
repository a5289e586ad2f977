using System.Globalization;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>An image as lists show it.</summary>
/// <param name="Id">The image's ID: the digest of its config.</param>
/// <param name="Names">Its whole names, such as <c>quay.io/fedora/fedora:34</c>; none when it is untagged.</param>
/// <param name="Roots">The manifests or indexes that names stand for and that hold this image.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Platform">What it runs on.</param>
/// <param name="Size">Its uncompressed size, in bytes.</param>
public sealed record ImageSummary(
    Digest Id, IReadOnlyList<string> Names, IReadOnlyList<Descriptor> Roots, Descriptor Manifest, Platform Platform, long Size)
{
    /// <summary>When it was made; null where its config does not say so in RFC 3339.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Whether it is in an additional store, which is never written.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Its labels, as its author wrote them.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The digests that it can be pulled by: of the indexes and of the manifest.</summary>
    public IReadOnlyList<Digest> Digests => [.. Roots.Select(root => root.Digest).Append(Manifest.Digest).Distinct()];

    /// <summary>Its repositories with each digest, <c>repository@digest</c>.</summary>
    public IReadOnlyList<string> RepoDigests =>
        [.. Names.Select(ImageNames.RepositoryOf).Distinct().SelectMany(name => Digests, (name, digest) => $"{name}@{digest}")];

    internal static DateTimeOffset? ParseCreated(string? created) =>
        DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : null;
}

/// <summary>An image with its documents, verified as they were read.</summary>
public sealed class StoredImage
{
    private readonly ImageDocuments _documents;
    private readonly Func<StoredImage, ImageSummary> _summarize;

    internal StoredImage(Descriptor root, string? name, ImageDocuments documents, Func<StoredImage, ImageSummary> summarize)
    {
        Root = root;
        Name = name;
        _documents = documents;
        _summarize = summarize;
    }

    /// <summary>The image's ID: the digest of its config.</summary>
    public Digest Id => _documents.ConfigDocument.Digest;

    /// <summary>The whole name that it was found by; null when it was found by ID.</summary>
    public string? Name { get; }

    /// <summary>The manifest or index that its name stands for.</summary>
    public Descriptor Root { get; }

    /// <summary>Its manifest, as it was pushed.</summary>
    public Document ManifestDocument => _documents.ManifestDocument;

    /// <summary>Its manifest.</summary>
    public Manifest Manifest => _documents.Manifest;

    /// <summary>Its config, as it was pushed.</summary>
    public Document ConfigDocument => _documents.ConfigDocument;

    /// <summary>Its config.</summary>
    public ImageConfig Config => _documents.Config;

    /// <summary>Its names, size and digests; read when they are first asked for.</summary>
    public ImageSummary Summary => field ??= _summarize(this);
}
