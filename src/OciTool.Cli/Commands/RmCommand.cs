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

    private readonly Option<int> _time = new("--time", "-t") { Description = "Seconds to wait for a running container to stop before killing it (default 10)", HelpName = "int", DefaultValueFactory = _ => 10 };

    public RmCommand()
        : base("rm", "Remove one or more containers")
    {
        Details = "Removes containers with all that they wrote. A running container is only removed with --force, which stops it first: with SIGTERM, and SIGKILL after the time.";
        Operands = "CONTAINER [CONTAINER...]";
        Examples = ["rm mycontainer", "rm --force 860a4b235279", "rm --all --force"];
        OperandKind = OperandKind.Container;
        Add(_containers);
        Add(_all);
        Add(_force);
        Add(_ignore);
        Add(_time);
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

        StorageRoot root = Global.OpenStore();
        ContainerStore containers = new(root, new ImageStore(root));
        KilledContainers.Settle(containers);
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
                    Stop(containers, container, command.GetValue(_time));
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

    private static void Stop(ContainerStore containers, ContainerRecord container, int seconds)
    {
        if (container is not { State: ContainerState.Running, Pid: > 0 })
        {
            return;
        }

        try
        {
            using ProcessHandle process = new(container.Pid);
            if (seconds <= 0 || !process.TrySignal(Signals.Terminate) || !process.WaitForEnd(seconds * 1000))
            {
                process.TrySignal(Signals.Kill);
            }
        }
        catch (ErrnoException e) when (e.Errno == Errno.ESRCH)
        {
            // it has ended meanwhile
        }

        containers.WaitUntilEnded(container.Id); // its runner gives up the lock when it has written how it ended
    }
}

/// <summary>The container to remove is not there: for <c>rm</c> that is an answer, not a failure of the tool.</summary>
internal sealed class NoSuchContainerException(string nameOrId) : OciException(new ContainerNotFoundException(nameOrId).Message)
{
    /// <inheritdoc/>
    public override int ExitCode => Cli.ExitCode.No;
}
