using System.CommandLine;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci image exists IMAGE</c>: answers by its exit status.</summary>
internal sealed class ImageExistsCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    public ImageExistsCommand()
        : base("exists", "Check if an image exists in local storage")
    {
        Details = "Exits with 0 when the store has the image, with 1 when it has not, and with 125 when it cannot be read.";
        Operands = "IMAGE";
        Examples = ["image exists quay.io/fedora/fedora:34 || oci pull quay.io/fedora/fedora:34"];
        OperandKind = OperandKind.Image;
        Add(_image);
        SetAction(command => new ImageStore(Global.OpenStore())
            .Find(command.GetRequiredValue(_image), platform: null) is null ? ExitCode.No : ExitCode.Success);
    }
}
