using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Registry;
using OciTool.Storage.Layers;

namespace OciTool.Cli.Compatibility;

/// <summary>The files of an image that is in a registry: its layers pass by once, and only what checks read is kept.</summary>
internal static class RemoteLayers
{
    /// <summary>How many layers are asked for: with the config, four requests.</summary>
    private const int MostLayers = 3;

    /// <summary>How many bytes are downloaded for an answer.</summary>
    private const long MostBytes = 128L << 20;

    /// <summary>Reads the layers.</summary>
    /// <param name="source">The registry.</param>
    /// <param name="manifest">The image's manifest.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The files; or null and the reason why so much is not downloaded.</returns>
    public static async Task<(IImageFiles? Files, string? Reason)> ReadAsync(
        RegistryImageSource source, Manifest manifest, ImageConfig config, CancellationToken cancellationToken)
    {
        long size = manifest.Layers.Sum(layer => Math.Max(layer.Size, 0));
        if (manifest.Layers.Count is 0 or > MostLayers || size > MostBytes)
        {
            return (null, manifest.Layers.Count == 0
                ? "the image has no layers"
                : $"its files are in {manifest.Layers.Count} layers of {size >> 20} MiB, which are not downloaded for this: pull it first");
        }

        MemoryTree tree = new();
        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            await using Stream content = await source.OpenBlobAsync(manifest.Layers[i], offset: 0, cancellationToken);
            try
            {
                LayerListing.Read(content, config.Rootfs.DiffIds[i], tree);
            }
            catch (LayerException e)
            {
                return (null, $"layer {i + 1} is damaged: {e.Message}");
            }
        }

        return (tree, null);
    }
}
