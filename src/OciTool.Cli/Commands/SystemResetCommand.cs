using System.CommandLine;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci system reset</c>: removes the whole store.</summary>
internal sealed class SystemResetCommand : Verb
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not prompt for confirmation" };

    public SystemResetCommand()
        : base("reset", "Remove all containers and images, and the store itself")
    {
        Details = "Removes everything in the store. It is refused while a container runs or an image is being pulled, and for a directory that is not a store. "
            + "Files of others in the directory stay.";
        Examples = ["system reset", "system reset --force"];
        Add(_force);
        SetAction(Reset);
    }

    private int Reset(ParseResult command)
    {
        StorageRoot root = Global.OpenStore();
        string warning = "WARNING! This will remove:\n        - all containers\n        - all images\n"
            + $"        - the store: \"{root.Path}\"\n        - the run directory: \"{root.RunPath}\"";
        if (command.GetValue(_force) || Confirmation.Ask(warning, command.InvocationConfiguration.Output, Console.In))
        {
            ContainerStore containers = new(root, new ImageStore(root));
            KilledContainers.Settle(containers);
            new StoreReset(root, containers).Run();
        }

        return ExitCode.Success;
    }
}
