using System.CommandLine;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci tags REPOSITORY</c>: lists the tags of a repository in its registry.</summary>
internal sealed class TagsCommand : Verb
{
    private readonly Argument<string> _repository = new("REPOSITORY") { Description = "The repository." };
    private readonly Option<string?> _format = new("--format") { Description = "Change the output format to JSON or a Go template", HelpName = "string" };
    private readonly Option<int?> _limit = new("--limit") { Description = "Limit the number of tags", HelpName = "int" };
    private readonly RegistryFlags _registry;

    public TagsCommand()
        : base("tags", "List the tags of a repository in a registry")
    {
        Details = "Prints one tag a line, in the registry's order, which is not everywhere an order at all. Nothing is pulled.\n\n"
            + "With --format json it is what search --list-tags prints; a template gets .Name and .Tag. A tag or digest behind the "
            + "repository's name does not matter.";
        Operands = "REPOSITORY";
        Examples =
        [
            "tags quay.io/fedora/fedora",
            "tags --limit 10 registry.access.redhat.com/ubi9",
            "tags --format '{{.Name}}:{{.Tag}}' quay.io/fedora/fedora",
        ];
        TemplateFields = ["Name", "Tag"];
        Add(_repository);
        Add(_format);
        Add(_limit);
        _registry = new RegistryFlags(this);
        SetAction(ListAsync);
    }

    private async Task<int> ListAsync(ParseResult command, CancellationToken cancellationToken)
    {
        int? limit = command.GetValue(_limit);
        if (limit is < 1)
        {
            throw new UsageException("--limit must be a positive number");
        }

        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        Reference reference = session.Resolve(command.GetRequiredValue(_repository));
        await using RegistryRepository repository =
            RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, session.Context);
        TextWriter output = command.InvocationConfiguration.Output;
        IAsyncEnumerable<string> tags = repository.ListTagsAsync(limit ?? int.MaxValue, cancellationToken);
        if (command.GetValue(_format) is { } format)
        {
            TagOutput.Write("tags", output, reference.Name, await tags.ToListAsync(cancellationToken), format);
            return ExitCode.Success;
        }

        await foreach (string tag in tags)
        {
            await output.WriteAsync($"{TagOutput.Shown(tag)}\n");
        }

        return ExitCode.Success;
    }
}
