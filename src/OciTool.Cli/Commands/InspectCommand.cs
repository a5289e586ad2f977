using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci inspect NAME...</c>: shows all that is known of containers and images.</summary>
internal sealed class InspectCommand : Verb
{
    private readonly Argument<string[]> _names = new("NAME") { Description = "Names or IDs.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _format = new("--format", "-f") { Description = "Format the output to a Go template or json", HelpName = "string" };
    private readonly Option<string> _type;
    private readonly RemoteInspectFlags? _remote;

    /// <param name="type"><c>all</c>, or the only kind that is looked for: <c>image</c> or <c>container</c>.</param>
    public InspectCommand(string type = "all")
        : base("inspect", type == "all" ? "Display the configuration of a container or image" : $"Display the configuration of {(type == "image" ? "an image" : "a container")}")
    {
        _type = new Option<string>("--type", "-t")
        {
            Description = "Specify inspect-object type (image, container or all) (default \"all\")",
            HelpName = "string",
            DefaultValueFactory = _ => type,
        };
        Details = "Prints a JSON array with all that is known of each object; with --format what a Go template makes of each."
            + (type == "container" ? "" : RemoteInspectFlags.Details);
        string kind = type switch
        {
            "image" => "IMAGE",
            "container" => "CONTAINER",
            _ => "NAME",
        };
        Operands = $"{kind} [{kind}...]";
        Examples =
        [
            "inspect quay.io/fedora/fedora:34",
            "inspect --format '{{.Architecture}} {{.Config.Env}}' fedora",
            "inspect --type container --format '{{.State.ExitCode}}' mycontainer",
            "inspect --remote --format '{{range .Manifests}}{{.Platform}} {{.Digest}}{{println}}{{end}}' quay.io/fedora/fedora",
            "inspect --remote --platform linux/arm64 --config quay.io/fedora/fedora",
        ];
        OperandKind = type switch
        {
            "image" => OperandKind.Image,
            "container" => OperandKind.Container,
            _ => OperandKind.Object,
        };
        TemplateFields = ["Id", "Digest", "RepoTags", "RepoDigests", "Created", "Config", "Architecture", "Os", "Size", "RootFS", "Labels", "State", "Name"];
        Add(_names);
        Add(_format);
        if (type == "all")
        {
            Add(_type);
        }

        if (type != "container")
        {
            _remote = new RemoteInspectFlags(this);
        }

        SetAction(command => Inspect(command, type == "all" ? command.GetValue(_type)! : type));
    }

    private int Inspect(ParseResult command, string type)
    {
        if (type is not ("all" or "image" or "container"))
        {
            throw new UsageException($"invalid type \"{Printable.Shorten(type)}\": choose from: all, container, image");
        }

        string[] names = command.GetValue(_names) ?? [];
        if (names.Length == 0)
        {
            throw new UsageException("no names or ids specified");
        }

        if (_remote is not null && _remote.IsRemote(command))
        {
            return type == "container"
                ? throw new UsageException("--remote is for images: a registry has no containers")
                : _remote.Inspect(command, Global, names, command.GetValue(_format));
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        List<ImageInspection> foundImages = [];
        List<ContainerInspection> foundContainers = [];
        List<TemplateValue> found = [];
        List<OciException> failures = [];
        foreach (string name in names)
        {
            if (type != "image" && containers.Find(name) is { } container)
            {
                ContainerInspection inspection = Inspections.Of(container, containers);
                foundContainers.Add(inspection);
                found.Add(TemplateValue.Of(inspection, OutputJson.Default.ContainerInspection, "*define.InspectContainerData"));
            }
            else if (type != "container" && images.Find(name, platform: null) is { } image)
            {
                ImageInspection inspection = Inspections.Of(image, images);
                foundImages.Add(inspection);
                found.Add(TemplateValue.Of(inspection, OutputJson.Default.ImageInspection, "*inspect.ImageData"));
            }
            else
            {
                string shown = Printable.Shorten(name);
                failures.Add(new OciException(type switch
                {
                    "image" => $"inspecting object: {shown}: image not known",
                    "container" => $"inspecting object: no such container {shown}",
                    _ => $"inspecting object: no such object: \"{shown}\"",
                }));
            }
        }

        TextWriter output = command.InvocationConfiguration.Output;
        if (command.GetValue(_format) is { } format && format != "json")
        {
            if (found.Count > 0)
            {
                RowFormat.Parse("inspect", format).Write(output, found);
            }
        }
        else if (foundImages.Count > 0 && foundContainers.Count > 0)
        {
            // podman prints one array of both kinds: containers and images in the order of the names
            JsonOutput.Write(output, found, JsonLayout.Inspect);
        }
        else if (foundContainers.Count > 0)
        {
            JsonOutput.Write(output, [.. foundContainers], OutputJson.Default.ContainerInspectionArray, JsonLayout.Inspect);
        }
        else
        {
            JsonOutput.Write(output, [.. foundImages], OutputJson.Default.ImageInspectionArray, JsonLayout.Inspect);
        }

        // the first one is the error that ends the verb, the others are said before it
        foreach (OciException failure in failures.Skip(1))
        {
            command.InvocationConfiguration.Error.Write($"error {failure.Message}\n");
        }

        return failures is [var first, ..] ? throw first : ExitCode.Success;
    }
}
