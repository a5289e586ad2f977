using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Runtime.Spec;
using OciTool.Storage;
using OciTool.Storage.Layers;

namespace OciTool.Cli.Compatibility;

/// <summary>Looks at images of the store.</summary>
internal static class LocalCompatibility
{
    /// <summary>Finds out about an image.</summary>
    /// <param name="images">The store.</param>
    /// <param name="image">The image.</param>
    /// <param name="host">Where it is to run.</param>
    /// <param name="process">What was executed, where, and by whom; null for what the image says.</param>
    public static ImageFacts Read(ImageStore images, StoredImage image, HostFacts host, ProcessSpec? process = null)
    {
        ImageConfig config = process is null ? image.Config
            : image.Config with { Config = (image.Config.Config ?? new ExecutionConfig()) with { Env = process.Env, WorkingDir = process.Cwd } };
        using RootDirectory? root = TryStack(images, image.Config, out bool isStacked);
        if (isStacked)
        {
            return Read(root is null ? null : new RootImageFiles(root));
        }

        using LayeredTree archives = new(image.Manifest.Layers.Zip(image.Config.Rootfs.DiffIds).Select<(Descriptor Blob, Digest DiffId), Func<ILayerEntries>>(
            layer => () => Open(images, layer.Blob, layer.DiffId)), config.Config);
        return Read(archives);

        ImageFacts Read(IImageFiles? files) => ImageReading.Read(config, files, host, process?.Args, UserOf(process)) with { Manifest = image.Manifest };
    }

    private static RootDirectory? TryStack(ImageStore images, ImageConfig config, out bool isStacked)
    {
        isStacked = true;
        try
        {
            return ImageView.Open(images, config);
        }
        catch (OciException)
        {
            isStacked = false; // a kernel that stacks no layers, or a layer that is no more: the archives tell the same, more slowly
            return null;
        }
    }

    private static LayerEntries Open(ImageStore images, Descriptor blob, Digest diffId)
    {
        try
        {
            return new LayerEntries(images.Content.OpenRead(blob), blob.Size, diffId, $"layer {diffId}", passed: _ => { }, stop: () => { });
        }
        catch (OciException e)
        {
            throw new UnreadableImageException(e.Message, e);
        }
    }

    private static CommandUser? UserOf(ProcessSpec? process) =>
        process is null ? null : new CommandUser(process.User.Uid, [process.User.Gid, .. process.User.AdditionalGids ?? []]);
}
