using System.CommandLine;
using OciTool.Images;
using OciTool.Runtime;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary><c>create</c>: makes a container that waits to be started.</summary>
internal sealed class CreateVerb : RuntimeVerb
{
    private readonly CreationFlags _flags;

    public CreateVerb()
        : base("create", "Create a container of a bundle")
    {
        Details = "Makes a container whose command waits for start. When this returns no process of the runtime is left: the "
            + "container's first process is a child of the nearest sub-reaper.";
        Examples = ["runtime create --bundle /srv/web --pid-file /run/web.pid web"];
        Add(Id);
        _flags = new(this);
        SetAction(command =>
        {
            _flags.Read(command, Runtime, command.GetRequiredValue(Id)).Create();
            return ExitCode.Success;
        });
    }
}

/// <summary><c>run</c>: makes a container, starts it, and waits for it.</summary>
internal sealed class RunVerb : RuntimeVerb
{
    private readonly CreationFlags _flags;

    public RunVerb()
        : base("run", "Create and start a container of a bundle")
    {
        Details = "The exit status is that of the container's command; 1 when the runtime fails itself, and 128 plus the "
            + "signal's number when a signal ended the command.";
        Examples = ["runtime run --bundle /srv/web web"];
        OwnsSignals = true;
        Add(Id);
        _flags = new(this);
        Option<bool> detach = With<bool>("--detach", "Do not wait for the container", "-d");
        Option<bool> keep = With<bool>("--keep", "Keep the container when it has ended");
        SetAction(command => _flags.Read(command, Runtime, command.GetRequiredValue(Id))
            .Run(command.GetValue(detach), command.GetValue(keep)));
    }
}

/// <summary><c>start</c>: lets the command of a created container run.</summary>
internal sealed class StartVerb : RuntimeVerb
{
    public StartVerb()
        : base("start", "Start the command of a created container")
    {
        Add(Id);
        SetAction(command =>
        {
            Find(command).Start();
            return ExitCode.Success;
        });
    }
}

/// <summary><c>state</c>: prints a container's state.</summary>
internal sealed class StateVerb : RuntimeVerb
{
    public StateVerb()
        : base("state", "Print the state of a container as JSON")
    {
        Add(Id);
        SetAction(command =>
        {
            Print(command, json => RuntimeJson.Write(json, Find(command).State), indented: true);
            return ExitCode.Success;
        });
    }
}

/// <summary><c>kill</c>: sends a signal to a container.</summary>
internal sealed class KillVerb : RuntimeVerb
{
    private readonly Argument<string> _signal = new("SIGNAL")
    {
        Description = "The signal's number or name.",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => "SIGTERM",
    };

    public KillVerb()
        : base("kill", "Send a signal to the first process of a container")
    {
        Operands = "CONTAINER [SIGNAL]";
        Add(Id);
        Add(_signal);
        Option<bool> all = With<bool>("--all", "Send it to all processes of the container", "-a");
        SetAction(command =>
        {
            int signal = SignalName.Parse(command.GetRequiredValue(_signal));
            Find(command).Kill(signal, command.GetValue(all));
            return ExitCode.Success;
        });
    }
}

/// <summary><c>delete</c>: removes a container.</summary>
internal sealed class DeleteVerb : RuntimeVerb
{
    public DeleteVerb()
        : base("delete", "Delete a container that has stopped")
    {
        Add(Id);
        Option<bool> force = With<bool>("--force", "End it when it runs", "-f");
        SetAction(command =>
        {
            RuntimeContainer.Delete(
                Runtime.States,
                command.GetRequiredValue(Id),
                command.GetValue(force),
                warning => command.InvocationConfiguration.Error.Write($"warning: {warning}\n"));
            return ExitCode.Success;
        });
    }
}

/// <summary><c>pause</c>: stops all processes of a container.</summary>
internal sealed class PauseVerb : RuntimeVerb
{
    public PauseVerb()
        : base("pause", "Suspend all processes of a container")
    {
        Add(Id);
        SetAction(command =>
        {
            Find(command).Pause();
            return ExitCode.Success;
        });
    }
}

/// <summary><c>resume</c>: lets the processes of a paused container go on.</summary>
internal sealed class ResumeVerb : RuntimeVerb
{
    public ResumeVerb()
        : base("resume", "Resume all processes of a paused container")
    {
        Add(Id);
        SetAction(command =>
        {
            Find(command).Resume();
            return ExitCode.Success;
        });
    }
}
