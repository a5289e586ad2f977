using System.CommandLine;
using OciTool.Cli.Output;

namespace OciTool.Cli.Commands;

/// <summary><c>oci system prune</c>: removes everything that is not used.</summary>
internal sealed class SystemPruneCommand : Verb
{
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove all images not in use by containers, not just dangling ones" };
    private readonly Option<string[]> _filter = new("--filter") { Description = "Only containers and images that meet conditions (label=, label!=, until=)", HelpName = "strings" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not prompt for confirmation" };
    private readonly Option<bool> _volumes = new("--volumes") { Description = "Prune volumes, of which there are none" };

    public SystemPruneCommand()
        : base("prune", "Remove unused data")
    {
        Details = "Removes the containers that do not run, the images that have no name (with --all those that no container was made of), and all that "
            + "nothing needs: content that no image reaches, partial downloads that nobody goes on with, and what killed processes have left. "
            + "With --filter only containers and images are removed. Afterwards the store holds what is referenced, and nothing else.";
        Examples = ["system prune", "system prune --all --force"];
        Add(_all);
        Add(_filter);
        Add(_force);
        Add(_volumes);
        SetAction(Prune);
    }

    private int Prune(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        Pruning pruning = new(Global.OpenStore(), PruneFilter.Parse(command.GetValue(_filter) ?? [], TimeProvider.System.GetUtcNow()));
        bool all = command.GetValue(_all);
        string images = all ? "all images without at least one container associated with them" : "all dangling images";
        string warning = $"WARNING! This command removes:\n\t- all stopped containers\n\t- {images}\n\t- all partial downloads and content that no image needs\n";
        if (!command.GetValue(_force) && !Confirmation.Ask(warning, output, Console.In))
        {
            return ExitCode.Success;
        }

        Write(output, "Deleted Containers", pruning.RemoveContainers());
        Write(output, "Deleted Images", pruning.RemoveImages(all).ConvertAll(id => id.Hex));
        pruning.Sweep();
        output.Write($"Total reclaimed space: {HumanSize.Compact(pruning.Freed)}\n");
        return ExitCode.Success;
    }

    private static void Write(TextWriter output, string heading, List<string> ids)
    {
        if (ids.Count > 0)
        {
            output.Write($"{heading}\n{string.Join('\n', ids)}\n");
        }
    }
}
