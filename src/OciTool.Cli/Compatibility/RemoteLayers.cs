using System.Diagnostics.CodeAnalysis;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Registry;
using OciTool.Storage;
using OciTool.Storage.Layers;

namespace OciTool.Cli.Compatibility;

/// <summary>The layers of an image that is in a registry: each is asked for when somebody wants to know of a file, and read no further than to the file.</summary>
/// <remarks>What the store has already, be it for another image, is read there. What was not asked for is not known, and no check passes by it.</remarks>
/// <param name="source">The registry.</param>
/// <param name="images">The store.</param>
/// <param name="manifest">The image's manifest.</param>
/// <param name="config">Its configuration.</param>
/// <param name="cancellationToken">Gives up.</param>
internal sealed class RemoteLayers(
    RegistryImageSource source, ImageStore images, Manifest manifest, ImageConfig config, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>How many layers are asked for: with the configuration, four requests.</summary>
    private const int MostRequests = 3;

    /// <summary>How many bytes are downloaded for an answer.</summary>
    private const long MostBytes = 128L << 20;

    private readonly List<CancellationTokenSource> _readings = [];
    private readonly List<LayerEntries> _entries = [];
    private Dictionary<Digest, Descriptor>? _atHand;
    private int _requests;
    private int _fromStore;
    private long _bytes;

    /// <summary>Each starts to read a layer, the lowest first.</summary>
    public IEnumerable<Func<ILayerEntries>> All => Enumerable.Range(0, manifest.Layers.Count).Select<int, Func<ILayerEntries>>(i => () => Open(i));

    /// <summary>What was read so far.</summary>
    public LayersRead Read => new(manifest.Layers.Count, _requests, _fromStore, Interlocked.Read(ref _bytes), manifest.Layers.Sum(layer => Math.Max(layer.Size, 0)));

    /// <summary>What is wrong with a layer; null for nothing.</summary>
    public string? Damage => _entries.Find(entries => entries.Damage is not null)?.Damage;

    /// <inheritdoc/>
    public void Dispose() => _readings.ForEach(reading => reading.Dispose());

    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the entries, and with this")]
    private LayerEntries Open(int index)
    {
        Descriptor layer = manifest.Layers[index];
        Digest diffId = config.Rootfs.DiffIds[index];
        string name = $"layer {index + 1} of {manifest.Layers.Count}";
        if (AtHand(layer, diffId) is { } stored)
        {
            _fromStore++;
            return Keep(new LayerEntries(images.Content.OpenRead(stored), stored.Size, diffId, name, passed: _ => { }, stop: () => { }));
        }

        if (_requests == MostRequests)
        {
            throw new UnreadableImageException($"{name} and those below it were not asked for, since {MostRequests} were read: pull the image first");
        }

        // what is above others has to be read to its end; of the lowest the beginning may do
        if (index > 0 && Interlocked.Read(ref _bytes) + layer.Size > MostBytes)
        {
            throw new UnreadableImageException($"{name} has {layer.Size >> 20} MiB, which are not downloaded for this: pull the image first");
        }

        _requests++;
        // checks go through the files one by one, and wait for each: there is nothing else to do meanwhile
        CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _readings.Add(reading);
        return Keep(new LayerEntries(
            source.OpenBlobAsync(layer, offset: 0, reading.Token).GetAwaiter().GetResult(), layer.Size, diffId, name,
            count =>
            {
                if (Interlocked.Add(ref _bytes, count) > MostBytes)
                {
                    throw new UnreadableImageException($"{name} was read up to {MostBytes >> 20} MiB, and more is not downloaded for this: pull the image first");
                }
            },
            reading.Cancel));
    }

    private LayerEntries Keep(LayerEntries entries)
    {
        _entries.Add(entries);
        return entries;
    }

    /// <summary>A blob of the store with the same content, be it compressed otherwise.</summary>
    private Descriptor? AtHand(Descriptor layer, Digest diffId) =>
        images.Content.Contains(layer) ? layer
        : (_atHand ??= LayersOfTheStore()).TryGetValue(diffId, out Descriptor? other) && images.Content.Contains(other) ? other
        : null;

    private Dictionary<Digest, Descriptor> LayersOfTheStore()
    {
        Dictionary<Digest, Descriptor> layers = [];
        foreach (ImageSummary summary in images.List())
        {
            try
            {
                StoredImage image = images.Load(summary);
                foreach ((Digest diffId, Descriptor blob) in image.Config.Rootfs.DiffIds.Zip(image.Manifest.Layers))
                {
                    layers.TryAdd(diffId, blob);
                }
            }
            catch (OciException)
            {
                // a damaged image: the registry has what is looked for
            }
        }

        return layers;
    }
}
