using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci image mount [IMAGE...]</c>: mounts images to be looked at, or lists those that are mounted.</summary>
internal sealed class ImageMountCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "The images' names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Mount all images" };
    private readonly Option<string?> _format = new("--format") { Description = "Print the mounted images in specified format (json)", HelpName = "string" };

    public ImageMountCommand()
        : base("mount", "Mount an image's root filesystem")
    {
        Details = "Mounts the tree of an image below the directory of run-time state, where it can be read and not written, and prints the place. Without an image it "
            + "lists those that are mounted. An image that is mounted already is not mounted again.";
        Operands = "[IMAGE...]";
        Examples = ["image mount fedora", "image mount", "image mount --all --format json"];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_all);
        Add(_format);
        SetAction(Mount);
    }

    /// <summary>What mounts the images of a store.</summary>
    /// <exception cref="OciException">This is not root's process.</exception>
    internal static ImageMounts Open(StorageRoot root, ImageStore images)
    {
        ContainerTree.RequireRoot("mount images");
        return new ImageMounts(root, new OverlaySnapshotter(images, new ContainerStore(root, images)));
    }

    private int Mount(ParseResult command)
    {
        string[] names = command.GetValue(_images) ?? [];
        bool all = command.GetValue(_all);
        string? format = command.GetValue(_format);
        if (all && names.Length > 0)
        {
            throw new UsageException("when using the --all switch, you may not pass any image names or IDs");
        }

        if (format is not (null or "json"))
        {
            throw new UsageException($"unknown --format argument: \"{Printable.Shorten(format)}\"");
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ImageMounts mounts = Open(root, images);
        List<(Storage.ImageSummary Image, string Point)> mounted = [];
        if (all || names.Length > 0)
        {
            StoredImage[] wanted = all
                ? [.. images.List().Select(images.Load)]
                : [.. names.Select(name => images.Find(name, platform: null) ?? throw new ImageNotHereException(name))];
            foreach (StoredImage image in wanted)
            {
                mounted.Add((image.Summary, Mount(mounts, image)));
            }
        }
        else
        {
            mounted.AddRange(images.List().Where(image => mounts.Find(image.Id) is not null).Select(image => (image, mounts.Find(image.Id)!)));
        }

        Write(command.InvocationConfiguration.Output, mounted, format, onlyPoint: names.Length == 1);
        return ExitCode.Success;
    }

    private static string Mount(ImageMounts mounts, StoredImage image)
    {
        try
        {
            return mounts.Mount(image);
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot mount image {image.Id.Hex}: {e.Message}", e);
        }
    }

    private static void Write(
        TextWriter output, List<(Storage.ImageSummary Image, string Point)> mounted, string? format, bool onlyPoint)
    {
        if (format is not null)
        {
            MountedImageView[] views = [.. mounted.Select(mount => new MountedImageView
            {
                Id = mount.Image.Id.Hex,
                Names = [.. mount.Image.Digests.Select(digest => digest.ToString())],
                Repositories = [.. mount.Image.Names],
                MountPoint = mount.Point,
            })];
            JsonOutput.Write(output, views, OutputJson.Default.MountedImageViewArray, JsonLayout.Mounts);
        }
        else if (onlyPoint)
        {
            output.Write($"{mounted[0].Point}\n");
        }
        else
        {
            Table table = new();
            mounted.ForEach(mount => table.Add(mount.Image.Names.Count == 0 ? mount.Image.Id.Hex : mount.Image.Names[0], mount.Point));
            table.Write(output);
        }
    }
}

/// <summary><c>oci image unmount IMAGE...</c>: takes mounts of <c>image mount</c> away.</summary>
internal sealed class ImageUnmountCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "The images' names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Unmount all of the currently mounted images" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Force the complete unmount of the specified mounted images, also where they are in use" };

    public ImageUnmountCommand()
        : base("unmount", "Unmount an image's root filesystem")
    {
        Details = "Unmounts what image mount has mounted, and prints the images' IDs. One that is not mounted is no error.";
        Operands = "IMAGE [IMAGE...]";
        Examples = ["image unmount fedora", "image unmount --all"];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_all);
        Add(_force);
        SetAction(Unmount);
    }

    private int Unmount(ParseResult command)
    {
        string[] names = command.GetValue(_images) ?? [];
        bool all = command.GetValue(_all);
        if (all && names.Length > 0)
        {
            throw new UsageException("when using the --all switch, you may not pass any image names or IDs");
        }

        if (!all && names.Length == 0)
        {
            throw new UsageException("image name or ID must be specified");
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ImageMounts mounts = ImageMountCommand.Open(root, images);
        Digest[] ids = all
            ? [.. images.List().Select(image => image.Id).Where(id => mounts.Find(id) is not null)]
            : [.. names.Select(name => (images.Find(name, platform: null) ?? throw new ImageNotHereException(name)).Id)];
        foreach (Digest id in ids)
        {
            if (mounts.Unmount(id, command.GetValue(_force)))
            {
                command.InvocationConfiguration.Output.Write($"{id.Hex}\n");
            }
        }

        return ExitCode.Success;
    }
}
