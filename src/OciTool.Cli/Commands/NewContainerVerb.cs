using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary>A verb that makes a container of an image.</summary>
internal abstract class NewContainerVerb : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Argument<string[]> _command = new("COMMAND")
    {
        Description = "The command and its arguments; the image's own when absent.",
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true, // everything behind the image is the container's, options included
    };

    private readonly Option<string> _pull = new("--pull")
    {
        Description = "Pull image policy (\"always\"|\"missing\"|\"never\"|\"newer\") (default \"missing\")",
        HelpName = "string",
        DefaultValueFactory = _ => "missing",
    };

    private readonly Option<bool> _remove = new("--rm") { Description = "Remove the container after it exits" };
    private readonly ContainerFlags _container;
    private readonly PlatformFlags _platform;
    private readonly RegistryFlags _registry;
    private readonly ProgressFlags _progress;

    /// <summary>Creates a verb.</summary>
    /// <param name="name">How it is called.</param>
    /// <param name="summary">One line for lists of verbs, without a full stop.</param>
    protected NewContainerVerb(string name, string summary)
        : base(name, summary)
    {
        Operands = "IMAGE [COMMAND [ARG...]]";
        OperandKind = OperandKind.Image;
        OptionsEndAtOperand = true;
        Add(_image);
        Add(_command);
        _container = new ContainerFlags(this);
        _platform = new PlatformFlags(this, canBeLax: true);
        _registry = new RegistryFlags(this, takesImages: true);
        _progress = new ProgressFlags(this);
        Add(_pull);
        Add(_remove);
    }

    /// <summary>What the user asked of the container.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="signalProxy">Whether signals go to the container.</param>
    protected ContainerStart ReadContainer(ParseResult command, bool signalProxy) => new(Global, command.InvocationConfiguration.Error)
    {
        Options = _container.Read(command, command.GetValue(_command) ?? []),
        Name = _container.ReadName(command),
        CidFile = _container.ReadCidFile(command),
        Labels = _container.ReadLabels(command),
        Remove = command.GetValue(_remove),
        SignalProxy = signalProxy,
    };

    /// <summary>The image that the user named.</summary>
    protected ImageRequest ReadImage(ParseResult command) =>
        new(command.GetRequiredValue(_image), _platform.Read(command), PullPolicies.Parse(command.GetValue(_pull)!));

    /// <summary>How to pull it, when it has to be.</summary>
    protected ImagePull Pull(ParseResult command) => new(
        Global, _registry.Read(command), _progress.Read(command), command.InvocationConfiguration.Error, _registry.ReadPolicy(command));
}
