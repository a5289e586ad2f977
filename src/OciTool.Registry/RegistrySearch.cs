using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Looks for repositories at a registry.</summary>
/// <remarks>
/// Docker's search API of version 1, which large registries still have, without authorization; where there is none, or no term to look
/// for, the catalog of version 2, from which the names that contain the term are taken.
/// </remarks>
public static class RegistrySearch
{
    private const int MaxPage = 16 << 20;
    private const string SearchHostOfDocker = "index.docker.io";

    /// <summary>Finds repositories.</summary>
    /// <param name="registry">The registry's host, with its port where it has one.</param>
    /// <param name="term">What to look for; empty for everything.</param>
    /// <param name="limit">The most repositories wanted.</param>
    /// <param name="context">What the command brings.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The repositories in the registry's order, but one whose name is the term comes first.</returns>
    /// <exception cref="RegistryException">The registry cannot be reached, or lets nobody search.</exception>
    public static async Task<IReadOnlyList<FoundRepository>> FindAsync(
        string registry, string term, int limit, RegistryContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(term);
        RegistryEndpoint endpoint = new(registry == Reference.DefaultRegistry ? SearchHostOfDocker : registry, "");
        await using RegistryConnection connection = RegistryConnection.Open(endpoint, RegistryAccess.Pull, context);
        return (term.Length == 0 ? null : await SearchAsync(connection.Client, term, limit, cancellationToken))
            ?? await ScanAsync(connection.Client, registry, term, limit, cancellationToken);
    }

    private static async Task<List<FoundRepository>?> SearchAsync(
        RegistryClient client, string term, int limit, CancellationToken cancellationToken)
    {
        try
        {
            RegistryPage page = await client.GetPublicAsync(
                $"/v1/search?q={Uri.EscapeDataString(term)}&n={limit}", "search", "application/json", MaxPage, cancellationToken);
            return JsonSerializer.Deserialize(page.Body, RegistryListJson.Default.SearchDocument)?.Results?
                .Where(entry => !string.IsNullOrEmpty(entry?.Name))
                .Take(limit)
                .Select(entry => new FoundRepository(
                    entry!.Name!, entry.Description ?? "", entry.StarCount ?? 0, entry.IsOfficial ?? false, entry.IsAutomated ?? false))
                .ToList();
        }
        catch (Exception e) when (e is RegistryException { Status: not null } or JsonException)
        {
            return null; // an answer, but not of a search
        }
    }

    private static async Task<List<FoundRepository>> ScanAsync(
        RegistryClient client, string registry, string term, int limit, CancellationToken cancellationToken)
    {
        List<FoundRepository> found = [];
        await foreach (RegistryPage page in client.GetPagesAsync(
            "_catalog", RegistryClient.PageSize, "list of repositories", "application/json", MaxPage, cancellationToken))
        {
            foreach (string? name in page.Read(RegistryListJson.Default.CatalogDocument, $"{registry}: list of repositories")?.Repositories ?? [])
            {
                if (found.Count == limit)
                {
                    return found;
                }

                if (!string.IsNullOrEmpty(name) && name.Contains(term, StringComparison.Ordinal))
                {
                    found.Insert(name == term ? 0 : found.Count, new FoundRepository(name, "", 0, IsOfficial: false, IsAutomated: false));
                }
            }

            if (found.Count == limit)
            {
                return found;
            }
        }

        return found;
    }
}

/// <summary>A repository that a search found.</summary>
/// <param name="Name">Its name at the registry, for example <c>fedora/fedora</c>.</param>
/// <param name="Description">What its owner says of it; any text.</param>
/// <param name="Stars">How many people like it.</param>
/// <param name="IsOfficial">Whether the registry's operator answers for it.</param>
/// <param name="IsAutomated">Whether its images are built by the registry.</param>
public sealed record FoundRepository(string Name, string Description, long Stars, bool IsOfficial, bool IsAutomated);
