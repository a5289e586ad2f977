using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci create IMAGE [COMMAND...]</c>: makes a container of an image, to be started later.</summary>
internal sealed class CreateCommand : Verb
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

    private readonly Option<string[]> _attach = new("--attach", "-a") { Description = "Attach to STDIN, STDOUT or STDERR: a matter of start, accepted and not used", HelpName = "strings" };

    private readonly Option<string> _pull = new("--pull")
    {
        Description = "Pull image policy (\"always\"|\"missing\"|\"never\"|\"newer\") (default \"missing\")",
        HelpName = "string",
        DefaultValueFactory = _ => "missing",
    };

    private readonly Option<bool> _remove = new("--rm") { Description = "Remove the container after it exits" };

    public CreateCommand()
        : base("create", "Create but do not start a container")
    {
        Details = "Makes a container of an image as run does, and prints its ID. oci start --attach runs it.";
        Operands = "IMAGE [COMMAND [ARG...]]";
        Examples = ["create alpine ls", "create -t -i --name myctr alpine sh"];
        OperandKind = OperandKind.Image;
        OptionsEndAtOperand = true;
        Add(_image);
        Add(_command);
        _container = new ContainerFlags(this);
        _platform = new PlatformFlags(this, canBeLax: true);
        _registry = new RegistryFlags(this, takesImages: true);
        _progress = new ProgressFlags(this);
        Add(_attach);
        Add(_pull);
        Add(_remove);
        SetAction(Create);
    }

    private int Create(ParseResult command)
    {
        ContainerStart start = new(Global, command.InvocationConfiguration.Error)
        {
            Options = _container.Read(command, command.GetValue(_command) ?? []),
            Name = _container.ReadName(command),
            CidFile = _container.ReadCidFile(command),
            Labels = _container.ReadLabels(command),
            Remove = command.GetValue(_remove),
        };
        ImageRequest image = new(command.GetRequiredValue(_image), _platform.Read(command), PullPolicies.Parse(command.GetValue(_pull)!));
        string id = start.Create(image, () => new ImagePull(
            Global, _registry.Read(command), _progress.Read(command), command.InvocationConfiguration.Error, _registry.ReadPolicy(command)));
        command.InvocationConfiguration.Output.Write($"{id}\n");
        return ExitCode.Success;
    }
}
