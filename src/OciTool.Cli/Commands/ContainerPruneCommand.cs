using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci container prune</c>: removes all containers that do not run.</summary>
internal sealed class ContainerPruneCommand : Verb
{
    private readonly Option<string[]> _filter = new("--filter") { Description = "Only containers that meet conditions (label=, label!=, until=)", HelpName = "strings" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not prompt for confirmation" };

    public ContainerPruneCommand()
        : base("prune", "Remove all non running containers")
    {
        Details = "Removes all containers that do not run, with what they wrote, and prints their IDs.";
        Examples = ["container prune", "container prune --force --filter until=24h"];
        Add(_filter);
        Add(_force);
        SetAction(Prune);
    }

    private int Prune(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        Pruning pruning = new(Global.OpenStore(), PruneFilter.Parse(command.GetValue(_filter) ?? [], TimeProvider.System.GetUtcNow()));
        if (command.GetValue(_force)
            || Confirmation.Ask("WARNING! This will remove all non running containers.", output, Console.In))
        {
            pruning.RemoveContainers().ForEach(id => output.Write($"{id}\n"));
        }

        return ExitCode.Success;
    }
}
