using System.CommandLine;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci container exists CONTAINER</c>: answers by its exit status.</summary>
internal sealed class ContainerExistsCommand : Verb
{
    private readonly Argument<string> _container = new("CONTAINER") { Description = "The container's name or ID." };
    private readonly Option<bool> _external = new("--external") { Description = "Accepted; the store has no containers of other programs" };

    public ContainerExistsCommand()
        : base("exists", "Check if a container exists in local storage")
    {
        Details = "Exits with 0 when there is such a container, with 1 when there is none, and with 125 when the store cannot be read.";
        Operands = "CONTAINER";
        Examples = ["container exists myctr || oci create --name myctr alpine"];
        OperandKind = OperandKind.Container;
        Add(_container);
        Add(_external);
        SetAction(Check);
    }

    private int Check(ParseResult command)
    {
        StorageRoot root = Global.OpenStore();
        return new ContainerStore(root, new ImageStore(root)).Find(command.GetRequiredValue(_container)) is null ? ExitCode.No : ExitCode.Success;
    }
}
