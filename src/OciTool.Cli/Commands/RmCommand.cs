using System.CommandLine;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci rm CONTAINER...</c>: removes containers.</summary>
internal sealed class RmCommand : Verb
{
    private readonly Argument<string[]> _containers = new("CONTAINER") { Description = "The containers' names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove all containers" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Force removal of a running container; no error for one that does not exist" };
    private readonly Option<bool> _ignore = new("--ignore", "-i") { Description = "Ignore errors when a specified container is missing" };

    public RmCommand()
        : base("rm", "Remove one or more containers")
    {
        Details = "Removes containers with all that they wrote. A running container is only removed with --force, which kills it.";
        Operands = "CONTAINER [CONTAINER...]";
        Examples = ["rm mycontainer", "rm --force 860a4b235279", "rm --all --force"];
        OperandKind = OperandKind.Container;
        Add(_containers);
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
        string[] names = command.GetValue(_containers) ?? [];
        if (names.Length == 0 && !all)
        {
            throw new UsageException("you must provide at least one name or id");
        }

        StorageRoot root = StorageRoot.Open(Global.Root, Global.RunRoot);
        ContainerStore containers = new(root, new ImageStore(root));
        if (all)
        {
            names = [.. containers.List().Select(container => container.Id)];
        }

        List<OciException> failures = [];
        foreach (string name in names)
        {
            if (containers.Find(name) is not { } container)
            {
                if (!quiet)
                {
                    failures.Add(new NoSuchContainerException(name));
                }

                continue;
            }

            try
            {
                if (force)
                {
                    Kill(containers, container);
                }

                containers.Remove(container);
                command.InvocationConfiguration.Output.Write($"{name}\n");
            }
            catch (ContainerRunningException e)
            {
                failures.Add(e);
            }
        }

        return SeveralFailures.Report(failures);
    }

    // the runner of the container gives up its lock when the container has ended and it has written so
    private static void Kill(ContainerStore containers, ContainerRecord container)
    {
        if (container is { State: ContainerState.Running, Pid: > 0 })
        {
            using ProcessHandle process = new(container.Pid);
            process.TrySignal(Signals.Kill);
            containers.WaitUntilEnded(container.Id);
        }
    }
}

/// <summary>The container to remove is not there: for <c>rm</c> that is an answer, not a failure of the tool.</summary>
internal sealed class NoSuchContainerException(string nameOrId) : OciException(new ContainerNotFoundException(nameOrId).Message)
{
    /// <inheritdoc/>
    public override int ExitCode => Cli.ExitCode.No;
}
