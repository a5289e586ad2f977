using OciTool.Images;

namespace OciTool.Storage;

/// <summary>One step of how an image was made.</summary>
/// <param name="Image">The image that the store has of this state: always for the last step; null where there is none.</param>
/// <param name="Entry">What the image's config says of it.</param>
/// <param name="Size">The uncompressed size of its layer in bytes; 0 where it made none, or where the layer is not applied here.</param>
public sealed record HistoryStep(ImageSummary? Image, HistoryEntry Entry, long Size);

/// <summary>A layer of an image, as a stack up to it.</summary>
/// <param name="ChainId">The identity of the stack.</param>
/// <param name="Size">The uncompressed size of the layer in bytes; 0 where it is not applied here.</param>
/// <param name="Names">The names of the images whose topmost layer it is.</param>
public sealed record StackedLayer(Digest ChainId, long Size, IReadOnlyList<string> Names);

/// <summary>How the images of a store are made of each other's layers.</summary>
/// <param name="images">The images.</param>
public sealed class ImageLineage(ImageStore images)
{
    private readonly Lazy<IReadOnlyList<(ImageSummary Image, IReadOnlyList<Digest> Chain, IReadOnlyList<Digest> DiffIds)>> _all = new(() => ReadAll(images));

    /// <summary>How an image was made, the last step first.</summary>
    /// <param name="image">The image.</param>
    /// <exception cref="OciException">The store cannot be read.</exception>
    public IReadOnlyList<HistoryStep> HistoryOf(StoredImage image)
    {
        IReadOnlyList<HistoryEntry> history = image.Config.History ?? [];
        IReadOnlyList<Digest> chain = image.Config.Rootfs.ChainIds();
        List<HistoryStep> steps = new(history.Count);
        int layer = chain.Count;
        for (int i = history.Count - 1; i >= 0; i--)
        {
            bool made = history[i].EmptyLayer != true && layer > 0;
            Digest? top = layer > 0 ? chain[layer - 1] : null;
            ImageSummary? known = i == history.Count - 1
                ? image.Summary
                : _all.Value.FirstOrDefault(other => made && other.Chain.Count == layer && other.Chain[^1] == top).Image;
            steps.Add(new HistoryStep(known, history[i], made ? SizeOf(image.Config.Rootfs.DiffIds[layer - 1]) : 0));
            layer -= made ? 1 : 0;
        }

        return steps;
    }

    /// <summary>The layers of an image, base first.</summary>
    /// <param name="image">The image.</param>
    public IReadOnlyList<StackedLayer> LayersOf(StoredImage image) => LayersOf(image.Config.Rootfs.ChainIds(), image.Config.Rootfs.DiffIds, from: 0);

    /// <summary>The topmost layer of an image, and after it, depth first, every layer that other images stack on it.</summary>
    /// <param name="image">The image.</param>
    public IReadOnlyList<StackedLayer> WhatRequires(StoredImage image)
    {
        IReadOnlyList<Digest> chain = image.Config.Rootfs.ChainIds();
        List<StackedLayer> found = [];
        if (chain.Count == 0)
        {
            return found;
        }

        HashSet<Digest> seen = [];
        foreach ((_, IReadOnlyList<Digest> other, IReadOnlyList<Digest> diffIds) in _all.Value
            .Where(other => other.Chain.Count >= chain.Count && other.Chain[chain.Count - 1] == chain[^1])
            .OrderBy(other => string.Join(' ', other.Chain), StringComparer.Ordinal))
        {
            found.AddRange(LayersOf(other, diffIds, chain.Count - 1).Where(layer => seen.Add(layer.ChainId)));
        }

        return found;
    }

    private List<StackedLayer> LayersOf(IReadOnlyList<Digest> chain, IReadOnlyList<Digest> diffIds, int from)
    {
        List<StackedLayer> layers = new(chain.Count - from);
        for (int i = from; i < chain.Count; i++)
        {
            layers.Add(new StackedLayer(
                chain[i],
                SizeOf(diffIds[i]),
                [.. _all.Value.Where(other => other.Chain.Count > 0 && other.Chain[^1] == chain[i]).SelectMany(other => other.Image.Names)]));
        }

        return layers;
    }

    private long SizeOf(Digest diffId) => images.Layers.Find(diffId)?.Applied.UncompressedBytes ?? 0;

    private static List<(ImageSummary, IReadOnlyList<Digest>, IReadOnlyList<Digest>)> ReadAll(ImageStore images)
    {
        List<(ImageSummary, IReadOnlyList<Digest>, IReadOnlyList<Digest>)> all = [];
        foreach (ImageSummary image in images.List())
        {
            if (images.Walk.Load(image.Manifest) is { } documents)
            {
                all.Add((image, documents.Config.Rootfs.ChainIds(), documents.Config.Rootfs.DiffIds));
            }
        }

        return all;
    }
}
