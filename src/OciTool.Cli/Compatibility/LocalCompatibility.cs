using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Runtime.Spec;
using OciTool.Storage;

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
        try
        {
            using RootDirectory? root = ImageView.Open(images, image.Config);
            return ImageReading.Read(config, root is null ? null : new RootImageFiles(root), host, process?.Args, UserOf(process)) with { Manifest = image.Manifest };
        }
        catch (OciException e)
        {
            return new ImageFacts { Config = config, Manifest = image.Manifest, Unread = e.Message, UnreadRelease = e.Message, UnreadTree = e.Message };
        }
    }

    private static CommandUser? UserOf(ProcessSpec? process) =>
        process is null ? null : new CommandUser(process.User.Uid, [process.User.Gid, .. process.User.AdditionalGids ?? []]);
}
