using System.CommandLine;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci untag IMAGE [NAME...]</c>: takes names off an image; the image stays.</summary>
internal sealed class UntagCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Argument<string[]> _names = new("NAME")
    {
        Description = "The names to take away; all when there is none.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public UntagCommand()
        : base("untag", "Remove a name from a local image")
    {
        Operands = "IMAGE [NAME...]";
        Details = "Takes names off an image, or all of them. The image stays in the store, be it without a name. A name without a registry means localhost.";
        Examples = ["untag 0e3bbc2", "untag fedora registry.example.com/team/base:34"];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_names);
        SetAction(Untag);
    }

    private int Untag(ParseResult command)
    {
        string name = command.GetRequiredValue(_image);
        ImageStore images = new(Global.OpenStore());
        StoredImage image = images.Find(name, platform: null) ?? throw new ImageNotHereException(name);
        Reference[] names = [.. (command.GetValue(_names) ?? []).Select(ImageNameInput.ParseLocal)];
        images.Untag(image, names);
        return ExitCode.Success;
    }
}
