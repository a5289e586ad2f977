using System.CommandLine;
using System.Net;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci rmi IMAGE...</c>: removes names, and images that have none left.</summary>
internal sealed class RmiCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "The images' names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove all images" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Force removal of the image, and of containers that use it" };
    private readonly Option<bool> _ignore = new("--ignore", "-i") { Description = "Ignore errors if a specified image does not exist" };

    private readonly Option<bool> _remote = new("--remote") { Description = "Delete the images in their registries, not here" };
    private readonly Option<bool> _tagOnly = new("--tag-only") { Description = "With --remote, delete the tag alone, where the registry can" };
    private readonly RegistryFlags _registry;

    public RmiCommand(string name = "rmi")
        : base(name, "Remove one or more images from local storage")
    {
        Details = "Takes a name off an image; an image without a name left is removed, with all that no other image needs.\n\n"
            + "With --remote the image is deleted in its registry, without a question, and the store is left alone. A registry deletes "
            + "by digest: every tag that names the same image goes with it. Of an index the index goes; the images in it stay, "
            + "without a name. With --tag-only the tag alone goes, which many registries do not offer.";
        Operands = "IMAGE [IMAGE...]";
        Examples =
        [
            "rmi quay.io/fedora/fedora:34", "rmi --force 0e3bbc2", "rmi --all --force", "rmi --remote registry.example.com/app:old",
        ];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_all);
        Add(_force);
        Add(_ignore);
        Add(_remote);
        Add(_tagOnly);
        _registry = new RegistryFlags(this);
        SetAction(command => command.GetValue(_remote)
            ? RegistrySession.Wait(cancellationToken => RemoveRemoteAsync(command, cancellationToken))
            : Remove(command));
    }

    private async Task<int> RemoveRemoteAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string[] names = command.GetValue(_images) ?? [];
        if (command.GetValue(_all))
        {
            throw new UsageException("--all is for the store: name what is to be deleted in a registry");
        }

        if (names.Length == 0)
        {
            throw new UsageException("image name must be specified");
        }

        bool quiet = command.GetValue(_force) || command.GetValue(_ignore);
        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        Reference[] references = [.. names.Select(session.Resolve)]; // a mistake ends it before anything is deleted
        List<OciException> failures = [];
        foreach (Reference reference in references)
        {
            try
            {
                string deleted = await RemoteDeletion.RunAsync(reference, command.GetValue(_tagOnly), session.Context, cancellationToken);
                await command.InvocationConfiguration.Output.WriteAsync($"{deleted}\n");
            }
            catch (RegistryException e) when (quiet && e.Status == HttpStatusCode.NotFound)
            {
            }
            catch (OciException e)
            {
                failures.Add(e);
            }
        }

        return SeveralFailures.Report(failures);
    }

    private int Remove(ParseResult command)
    {
        if (command.GetValue(_tagOnly))
        {
            throw new UsageException("--tag-only needs --remote: in the store, oci rmi takes the name alone");
        }

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
