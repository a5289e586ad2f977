using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci image prune</c>: removes images that are not used.</summary>
internal sealed class ImagePruneCommand : Verb
{
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove all images not in use by containers, not just dangling ones" };
    private readonly Option<string[]> _filter = new("--filter") { Description = "Only images that meet conditions (label=, label!=, until=)", HelpName = "strings" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not prompt for confirmation" };

    public ImagePruneCommand()
        : base("prune", "Remove unused images")
    {
        Details = "Removes the images that have no name, and with --all those too that no container was made of, and prints their IDs. "
            + "Partial downloads stay, so that a pull can go on with them: system prune removes those.";
        Examples = ["image prune", "image prune --all --force", "image prune --force --filter until=168h"];
        Add(_all);
        Add(_filter);
        Add(_force);
        SetAction(Prune);
    }

    private int Prune(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        Pruning pruning = new(Global.OpenStore(), PruneFilter.Parse(command.GetValue(_filter) ?? [], TimeProvider.System.GetUtcNow()));
        bool all = command.GetValue(_all);
        string which = all ? "all images without at least one container associated with them" : "all dangling images";
        if (command.GetValue(_force) || Confirmation.Ask($"WARNING! This command removes {which}.", output, Console.In))
        {
            pruning.RemoveImages(all).ForEach(id => output.Write($"{id.Hex}\n"));
        }

        return ExitCode.Success;
    }
}
