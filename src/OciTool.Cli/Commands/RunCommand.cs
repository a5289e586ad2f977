using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci run IMAGE [COMMAND...]</c>: makes a container of an image and waits for its command.</summary>
internal sealed class RunCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Argument<string[]> _command = new("COMMAND")
    {
        Description = "The command and its arguments; the image's own when absent.",
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true, // everything behind the image is the container's, options included
    };

    private readonly ContainerFlags _container;
    private readonly PlatformFlags _platform;
    private readonly RegistryFlags _registry;
    private readonly ProgressFlags _progress;

    private readonly Option<string> _pull = new("--pull")
    {
        Description = "Pull image policy (\"always\"|\"missing\"|\"never\"|\"newer\") (default \"missing\")",
        HelpName = "string",
        DefaultValueFactory = _ => "missing",
    };

    private readonly Option<bool> _remove = new("--rm") { Description = "Remove the container after it exits" };

    private readonly Option<bool> _signalProxy = new("--sig-proxy")
    {
        Description = "Proxy received signals to the process (default true)",
        DefaultValueFactory = _ => true,
    };

    public RunCommand()
        : base("run", "Run a command in a new container")
    {
        Details = "Makes a container of an image and waits for its command to end. The image is pulled when it is not there.\n\n"
            + "The exit status is that of the command; 125 when oci fails itself, 126 when the command cannot be invoked, "
            + "127 when it is not found, and 128 plus the signal's number when a signal ended it.";
        Operands = "IMAGE [COMMAND [ARG...]]";
        Examples =
        [
            "run --rm quay.io/fedora/fedora:34 cat /etc/redhat-release",
            "run -it --rm -e EDITOR=vi -v /srv/data:/data:ro alpine sh",
            "run --rm --network none --read-only --user 1000:1000 alpine id",
        ];
        OperandKind = OperandKind.Image;
        OptionsEndAtOperand = true;
        OwnsSignals = true; // they go to the container
        Add(_image);
        Add(_command);
        _container = new ContainerFlags(this);
        _platform = new PlatformFlags(this, canBeLax: true);
        _registry = new RegistryFlags(this, takesImages: true);
        _progress = new ProgressFlags(this);
        Add(_pull);
        Add(_remove);
        Add(_signalProxy);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        ContainerStart start = new(Global, command.InvocationConfiguration.Error)
        {
            Options = _container.Read(command, command.GetValue(_command) ?? []),
            Name = _container.ReadName(command),
            CidFile = _container.ReadCidFile(command),
            Labels = _container.ReadLabels(command),
            Remove = command.GetValue(_remove),
            SignalProxy = command.GetValue(_signalProxy),
        };
        ImageRequest image = new(command.GetRequiredValue(_image), _platform.Read(command), PullPolicies.Parse(command.GetValue(_pull)!));
        return start.Run(image, () => new ImagePull(
            Global, _registry.Read(command), _progress.Read(command), command.InvocationConfiguration.Error, _registry.ReadPolicy(command)));
    }
}
