using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci image tree IMAGE</c>: shows the layers of an image, and which images end at each.</summary>
internal sealed class ImageTreeCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };
    private readonly Option<bool> _whatRequires = new("--whatrequires") { Description = "Show all child images and layers of the specified image" };

    public ImageTreeCommand()
        : base("tree", "Print layer hierarchy of an image in a tree format")
    {
        Details = "Prints the layers of an image, base first, with the names of the images whose topmost layer each is. "
            + "With --whatrequires it prints the image's topmost layer and those that other images of the store stack on it.";
        Operands = "IMAGE";
        Examples = ["image tree alpine:latest", "image tree --whatrequires fedora"];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_whatRequires);
        SetAction(Show);
    }

    private int Show(ParseResult command)
    {
        string name = command.GetRequiredValue(_image);
        ImageStore images = new(Global.OpenStore());
        StoredImage image = images.Find(name, platform: null) ?? throw new ImageNotHereException(name);
        ImageLineage lineage = new(images);
        IReadOnlyList<StackedLayer> layers = command.GetValue(_whatRequires) ? lineage.WhatRequires(image) : lineage.LayersOf(image);
        TextWriter output = command.InvocationConfiguration.Output;
        output.Write($"Image ID: {image.Id.Short}\n");
        output.Write($"Tags:     [{string.Join(' ', image.Summary.Names)}]\n");
        output.Write($"Size:     {HumanSize.Compact(image.Summary.Size)}\n");
        output.Write(layers.Count == 0 ? "No Image Layers\n" : "Image Layers\n");
        for (int i = 0; i < layers.Count; i++)
        {
            string branch = i == layers.Count - 1 ? "└── " : "├── ";
            string names = layers[i].Names.Count == 0 ? "" : $" Top Layer of: [{string.Join(' ', layers[i].Names)}]";
            output.Write($"{branch}ID: {layers[i].ChainId.Short} Size: {HumanSize.Compact(layers[i].Size),7}{names}\n");
        }

        output.Write("\n");
        return ExitCode.Success;
    }
}
