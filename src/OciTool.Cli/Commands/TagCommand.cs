using System.CommandLine;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci tag IMAGE NAME...</c>: gives an image more names.</summary>
internal sealed class TagCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Argument<string[]> _names = new("TARGET_NAME")
    {
        Description = "The names to add.",
        Arity = ArgumentArity.OneOrMore,
    };

    public TagCommand()
        : base("tag", "Add an additional name to a local image")
    {
        Operands = "IMAGE TARGET_NAME [TARGET_NAME...]";
        Details = "Gives an image more names. A name without a registry means localhost.";
        Examples = ["tag 0e3bbc2 fedora:latest", "tag fedora registry.example.com/team/base:34"];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_names);
        SetAction(Tag);
    }

    private int Tag(ParseResult command)
    {
        string name = command.GetRequiredValue(_image);
        ImageStore images = new(Global.OpenStore());
        StoredImage image = images.Find(name, platform: null) ?? throw new ImageNotHereException(name);
        List<Reference> targets = [.. command.GetRequiredValue(_names).Select(ImageNameInput.ParseLocal)];
        foreach (Reference target in targets)
        {
            images.Tag(image, target);
        }

        return ExitCode.Success;
    }
}
