using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci search TERM</c>: looks for repositories in registries.</summary>
internal sealed class SearchCommand : Verb
{
    private const int DefaultLimit = 25;
    private const int DescriptionWidth = 44;

    private readonly Argument<string> _term = new("TERM") { Description = "What to look for." };
    private readonly Option<bool> _compatible = new("--compatible") { Description = "List stars, official and automated columns (Docker compatibility)" };
    private readonly Option<string[]> _filter = new("--filter", "-f") { Description = "Filter output based on conditions provided (stars=, is-official=, is-automated=)", HelpName = "strings" };
    private readonly Option<string?> _format = new("--format") { Description = "Change the output format to JSON or a Go template", HelpName = "string" };
    private readonly Option<int?> _limit = new("--limit") { Description = "Limit the number of results (default 25)", HelpName = "int" };
    private readonly Option<bool> _listTags = new("--list-tags") { Description = "List the tags of the input registry" };
    private readonly Option<bool> _noTruncation = new("--no-trunc") { Description = "Do not truncate the output" };
    private readonly RegistryFlags _registry;

    public SearchCommand()
        : base("search", "Search registry for image")
    {
        Details = "Looks for repositories whose name or description has the term in it. A term that begins with a registry is looked "
            + "for there, and a registry with a slash behind it lists all that it has; another term is looked for in every "
            + "registry that unqualified names are searched in.\n\n"
            + "Registries that offer no search are asked for the list of their repositories, which not everyone may read. "
            + "With --list-tags the term is a repository, and its tags are listed; oci tags lists all of them.";
        Operands = "TERM";
        Examples =
        [
            "search --limit 3 quay.io/fedora",
            "search registry.example.com:5000/",
            "search --filter is-official --format '{{.Name}} {{.Stars}}' alpine",
            "search --list-tags quay.io/fedora/fedora",
        ];
        TemplateFields = ["Index", "Name", "Description", "Stars", "Official", "Automated", "Tag"];
        Add(_term);
        Add(_compatible);
        Add(_filter);
        Add(_format);
        Add(_limit);
        Add(_listTags);
        Add(_noTruncation);
        _registry = new RegistryFlags(this);
        SetAction(SearchAsync);
    }

    private async Task<int> SearchAsync(ParseResult command, CancellationToken cancellationToken)
    {
        SearchFilter filter = SearchFilter.Parse(command.GetValue(_filter) ?? []);
        int limit = command.GetValue(_limit) ?? DefaultLimit;
        if (limit < 1)
        {
            throw new UsageException("--limit must be a positive number");
        }

        string term = command.GetRequiredValue(_term);
        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        TextWriter output = command.InvocationConfiguration.Output;
        if (command.GetValue(_listTags))
        {
            return filter != SearchFilter.None
                ? throw new UsageException("filters are not applicable to list tags result")
                : await ListTagsAsync(output, session, term, limit, command.GetValue(_format), cancellationToken);
        }

        bool truncate = !command.GetValue(_noTruncation);
        IReadOnlyList<SearchResult> results = await FindAsync(session, term, limit, filter, cancellationToken);
        if (command.GetValue(_format) is "json")
        {
            JsonOutput.Write(
                output, [.. results.Select(result => Cut(result, truncate))], OutputJson.Default.SearchResultArray, JsonLayout.Images);
            return ExitCode.Success;
        }

        string format = command.GetValue(_format)
            ?? (command.GetValue(_compatible)
                ? "table {{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}"
                : "table {{.Name}}\t{{.Description}}");
        if (results.Count > 0)
        {
            // as podman, no heading over nothing
            RowFormat.Parse("search", format).Write(output, [.. results.Select(result => TemplateValue.Of(
                Show(Cut(result, truncate)), OutputJson.Default.SearchResult, "entities.ImageSearchReport"))]);
        }

        return ExitCode.Success;
    }

    private static async Task<int> ListTagsAsync(
        TextWriter output, RegistrySession session, string term, int limit, string? format, CancellationToken cancellationToken)
    {
        Reference reference = session.Resolve(term);
        await using RegistryRepository repository =
            RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, session.Context);
        List<string> tags = await repository.ListTagsAsync(limit, cancellationToken).ToListAsync(cancellationToken);
        if (tags.Count > 0 || format is "json")
        {
            TagOutput.Write("search", output, reference.Name, tags, format ?? "table {{.Name}}\t{{.Tag}}");
        }

        return ExitCode.Success;
    }

    private static async Task<IReadOnlyList<SearchResult>> FindAsync(
        RegistrySession session, string term, int limit, SearchFilter filter, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string> registries, string wanted) = Split(term, session.Context.Registries.SearchRegistries);
        List<SearchResult> results = [];
        List<OciException> failures = [];
        foreach (string registry in registries)
        {
            try
            {
                IReadOnlyList<FoundRepository> found =
                    await RegistrySearch.FindAsync(registry, wanted, limit, session.Context, cancellationToken);
                results.AddRange(found.Where(filter.Keeps).Select(repository => Of(registry, repository)));
            }
            catch (OciException e)
            {
                failures.Add(e);
            }
        }

        // as podman: what one registry found is worth more than what another one could not say
        _ = results.Count > 0 ? ExitCode.Success : SeveralFailures.Report(failures);
        return results;
    }

    // a term may hold anything, so this is not the grammar of references
    private static (IReadOnlyList<string> Registries, string Wanted) Split(string term, IReadOnlyList<string> searchRegistries)
    {
        int slash = term.IndexOf('/', StringComparison.Ordinal);
        bool isQualified = slash > 0 && (term.AsSpan(0, slash).ContainsAny('.', ':') || term.StartsWith("localhost/", StringComparison.Ordinal));
        return !isQualified ? (searchRegistries.Count > 0 ? searchRegistries : [Reference.DefaultRegistry], term)
            : Reference.TryParse($"{term[..slash]}/x", out _, out string? mistake) ? ([term[..slash]], term[(slash + 1)..])
            : throw new OciException($"invalid registry '{Printable.Shorten(term.AsSpan(0, slash))}': {mistake}");
    }

    private static SearchResult Of(string registry, FoundRepository found)
    {
        bool isOfficialOfDocker = registry == Reference.DefaultRegistry && !found.Name.Contains('/', StringComparison.Ordinal);
        return new SearchResult
        {
            Index = registry,
            Name = $"{registry}/{(isOfficialOfDocker ? "library/" : "")}{found.Name}",
            Description = found.Description.ReplaceLineEndings(" "),
            Stars = found.Stars,
            Official = found.IsOfficial ? "[OK]" : "",
            Automated = found.IsAutomated ? "[OK]" : "",
        };
    }

    private static SearchResult Cut(SearchResult result, bool truncate)
    {
        string text = result.Description;
        if (!truncate || text.Length <= DescriptionWidth)
        {
            return result;
        }

        int end = char.IsHighSurrogate(text[DescriptionWidth - 1]) ? DescriptionWidth - 1 : DescriptionWidth;
        return result with { Description = $"{text[..end]}..." };
    }

    private static SearchResult Show(SearchResult result) =>
        result with { Name = Printable.Shorten(result.Name, 512), Description = Printable.Escape(result.Description) };
}
