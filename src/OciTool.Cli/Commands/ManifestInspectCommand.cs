using System.CommandLine;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci manifest inspect IMAGE</c>: prints an index or manifest.</summary>
internal sealed class ManifestInspectCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name." };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Changes nothing: for command lines of docker, whose output is shorter without" };
    private readonly RegistryFlags _registry;

    public ManifestInspectCommand()
        : base("inspect", "Display the contents of a manifest list or image index")
    {
        Details = "Prints the index that the store has under the name, or else the index or manifest that the registry has. Nothing is "
            + "pulled.\n\n"
            + "The document is only indented: no member is left out, and none is put where another tool wants it. Its exact bytes are "
            + "what oci inspect --remote --raw prints.";
        Operands = "IMAGE";
        Examples = ["manifest inspect quay.io/fedora/fedora:34", "manifest inspect localhost/list"];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_verbose);
        _registry = new RegistryFlags(this);
        SetAction(InspectAsync);
    }

    private async Task<int> InspectAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string name = command.GetRequiredValue(_image);
        Document document = FindIndex(name) ?? await FetchAsync(command, name, cancellationToken);
        RemoteDocument.WriteIndented(command.InvocationConfiguration.Output, document, 4);
        return ExitCode.Success;
    }

    private Document? FindIndex(string name)
    {
        StorageRoot root = Global.OpenStore();
        ManifestLists lists = new(root, new ImageStore(root));
        return lists.Has(name) ? lists.Find(name)?.Document : null;
    }

    private async Task<Document> FetchAsync(ParseResult command, string name, CancellationToken cancellationToken)
    {
        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        await using RegistryImageSource source = RegistryImageSource.Create(session.Resolve(name), session.Context);
        return await source.ResolveAsync(cancellationToken);
    }
}
