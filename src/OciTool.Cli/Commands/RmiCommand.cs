using System.CommandLine;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci rmi IMAGE...</c>: removes names, and images that have none left.</summary>
internal sealed class RmiCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "The images' names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove all images" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Force removal of the image, and of containers that use it" };
    private readonly Option<bool> _ignore = new("--ignore", "-i") { Description = "Ignore errors if a specified image does not exist" };

    public RmiCommand(string name = "rmi")
        : base(name, "Remove one or more images from local storage")
    {
        Details = "Takes a name off an image; an image without a name left is removed, with all that no other image needs.";
        Operands = "IMAGE [IMAGE...]";
        Examples = ["rmi quay.io/fedora/fedora:34", "rmi --force 0e3bbc2", "rmi --all --force"];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_all);
        Add(_force);
        Add(_ignore);
        SetAction(Remove);
    }

    private int Remove(ParseResult command)
    {
        bool all = command.GetValue(_all);
        bool force = command.GetValue(_force);
        bool quiet = force || command.GetValue(_ignore);
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        string[] names = command.GetValue(_images) ?? [];
        if (all)
        {
            names = names.Length > 0
                ? throw new UsageException("when using the --all switch, you may not pass any images names or IDs")
                : [.. images.List().Where(image => !image.IsReadOnly).Select(image => image.Id.Hex)];
        }
        else if (names.Length == 0)
        {
            throw new UsageException("image name or ID must be specified");
        }

        KilledContainers.Settle(containers);
        TextWriter output = command.InvocationConfiguration.Output;
        List<OciException> failures = [];
        foreach (string name in names)
        {
            try
            {
                RemovalResult removed = images.Remove(name, force || all, containers);
                foreach (string untagged in removed.Untagged)
                {
                    output.Write($"Untagged: {untagged}\n");
                }

                foreach (Digest deleted in removed.Deleted)
                {
                    output.Write($"Deleted: {deleted.Hex}\n");
                }
            }
            catch (ImageNotKnownException) when (quiet)
            {
            }
            catch (OciException e) when (e is ImageNotKnownException or ImageInUseException)
            {
                failures.Add(e);
            }
        }

        return SeveralFailures.Report(failures);
    }
}
