using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.CompilerServices;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>One repository at its registry: its tags, what refers to its manifests, and their deletion.</summary>
/// <remarks>
/// OCI distribution-spec v1.1, sections "Content Discovery" and "Content Management". Mirrors are not asked: they may lag behind,
/// and nothing is deleted there. Disposing it closes the connections.
/// </remarks>
public sealed class RegistryRepository : IAsyncDisposable
{
    /// <summary>The most tags that are listed.</summary>
    public const int MaxTags = 1_000_000;

    /// <summary>The most referrers that a manifest may have.</summary>
    public const int MaxReferrers = 10_000;

    private const int MaxTagsPage = 16 << 20;

    private readonly RegistryEndpoint _endpoint;
    private readonly RegistryConnection _connection;

    private RegistryRepository(RegistryEndpoint endpoint, RegistryConnection connection) => (_endpoint, _connection) = (endpoint, connection);

    /// <summary>Prepares to talk to a registry about one repository; no request is sent yet.</summary>
    /// <param name="endpoint">The repository.</param>
    /// <param name="access">What will be done with it: deletion needs <see cref="RegistryAccess.Delete"/> besides reading.</param>
    /// <param name="context">What the command brings.</param>
    /// <exception cref="OciException">The directory of certificates does not exist.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the repository")]
    public static RegistryRepository Open(RegistryEndpoint endpoint, RegistryAccess access, RegistryContext context) =>
        new(endpoint, RegistryConnection.Open(endpoint, access, context));

    /// <summary>The manifest or index of a name, verified.</summary>
    /// <param name="reference">A name in this repository.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not hand it out.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the digest names.</exception>
    public async Task<Document> ResolveAsync(Reference reference, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reference);
        FetchedManifest fetched = await _connection.Client.GetManifestAsync(reference.TagOrDigest, Document.MaxSize, cancellationToken);
        return fetched.Verify(reference);
    }

    /// <summary>The tags, in the order of the registry; a page is asked for when its first tag is wanted.</summary>
    /// <param name="limit">The most tags that the caller will take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry cannot be reached or refuses, or its list has no end.</exception>
    public async IAsyncEnumerable<string> ListTagsAsync(int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int count = 0;
        int pageSize = Math.Clamp(limit, 1, RegistryClient.PageSize);
        await foreach (RegistryPage page in _connection.Client.GetPagesAsync(
            "tags/list", pageSize, "list of tags", "application/json", MaxTagsPage, cancellationToken))
        {
            foreach (string? tag in page.Read(RegistryListJson.Default.TagsDocument, $"{_endpoint.Name}: list of tags")?.Tags ?? [])
            {
                if (string.IsNullOrEmpty(tag))
                {
                    continue;
                }

                if (++count > MaxTags)
                {
                    throw new RegistryException($"{_endpoint.Name}: list of tags: it has more than {MaxTags} tags")
                    {
                        Endpoint = Addresses.Origin(page.Url),
                        Hint = "take the first ones with --limit",
                    };
                }

                yield return tag;
                if (count >= limit)
                {
                    yield break; // asking for the page behind it would be a request for nothing
                }
            }
        }
    }

    /// <summary>What refers to a manifest or index of this repository.</summary>
    /// <param name="subject">Its digest; one that is not there has no referrers.</param>
    /// <param name="artifactType">The only type of artifact that is wanted; null for every one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry cannot be reached or refuses.</exception>
    /// <exception cref="InvalidDocumentException">It did not send an index.</exception>
    public async Task<Referrers> ListReferrersAsync(Digest subject, string? artifactType, CancellationToken cancellationToken)
    {
        List<Descriptor>? referrers = await AskAsync(subject, artifactType, cancellationToken);
        if (referrers is not null)
        {
            return new Referrers(referrers, FallbackTag: null);
        }

        string tag = Referrers.TagOf(subject);
        try
        {
            FetchedManifest fetched = await _connection.Client.GetManifestAsync(tag, Document.MaxSize, cancellationToken);
            Document document = fetched.Verify(Reference.Parse($"{_endpoint.Name}:{tag}"));
            return new Referrers([.. Read(document, subject).Where(entry => Fits(entry, artifactType))], tag);
        }
        catch (RegistryException e) when (e.Status == HttpStatusCode.NotFound)
        {
            return new Referrers([], tag);
        }
    }

    /// <summary>Deletes a manifest or index by its digest, and with it all its tags; or one tag alone.</summary>
    /// <param name="tagOrDigest">Its digest; or a tag, which many registries do not take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry cannot be reached, does not have it, or deletes nothing.</exception>
    public async Task DeleteAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tagOrDigest);
        bool isTag = !tagOrDigest.Contains(':', StringComparison.Ordinal);
        try
        {
            await _connection.Client.DeleteManifestAsync(tagOrDigest, cancellationToken);
        }
        catch (RegistryException e) when (e.Status == HttpStatusCode.MethodNotAllowed || e.Code is "UNSUPPORTED"
            || (isTag && e.Status == HttpStatusCode.BadRequest))
        {
            throw new RegistryException(e.Message, e)
            {
                Status = e.Status,
                Code = e.Code,
                Endpoint = e.Endpoint,
                Hint = isTag
                    ? "this registry does not delete a tag alone; without --tag-only the image goes, with all its tags"
                    : "deletion is off in this registry; docker-registry allows it with REGISTRY_STORAGE_DELETE_ENABLED=true",
            };
        }
    }

    /// <summary>A small blob of this repository, verified.</summary>
    /// <param name="blob">The blob; the caller has limited its size.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ContentMismatchException">The registry sent something else.</exception>
    internal Task<byte[]> ReadBlobAsync(Descriptor blob, CancellationToken cancellationToken) =>
        _connection.Client.ReadBlobAsync(blob, cancellationToken);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // null when the registry has no such API: it should say 404, and some say something else
    private async Task<List<Descriptor>?> AskAsync(Digest subject, string? artifactType, CancellationToken cancellationToken)
    {
        string query = artifactType is null ? "" : $"?artifactType={Uri.EscapeDataString(artifactType)}";
        List<Descriptor> referrers = [];
        bool isFirst = true;
        try
        {
            await foreach (RegistryPage page in _connection.Client.GetPagesAsync(
                $"referrers/{subject}{query}", pageSize: null, $"referrers of {subject}", MediaTypes.OciIndex, Document.MaxSize, cancellationToken))
            {
                if (isFirst && page.ContentType != MediaTypes.OciIndex)
                {
                    return null;
                }

                isFirst = false;
                bool isFiltered = page.FiltersApplied?.Contains("artifactType", StringComparison.OrdinalIgnoreCase) ?? false;
                referrers.AddRange(Read(new Document(page.ContentType ?? "", page.Body), subject)
                    .Where(entry => isFiltered || Fits(entry, artifactType)));
                if (referrers.Count > MaxReferrers)
                {
                    throw new RegistryException($"{_endpoint.Name}: referrers of {subject}: there are more than {MaxReferrers}")
                    {
                        Endpoint = Addresses.Origin(page.Url),
                    };
                }
            }
        }
        catch (RegistryException e) when (isFirst && e.Status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest
            or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotAcceptable or HttpStatusCode.NotImplemented or HttpStatusCode.OK)
        {
            return null;
        }

        return referrers;
    }

    private IReadOnlyList<Descriptor> Read(Document document, Digest subject)
    {
        try
        {
            return ImageIndex.Parse(document).Manifests;
        }
        catch (InvalidDocumentException e)
        {
            throw new InvalidDocumentException($"{_endpoint.Name}: referrers of {subject}: {e.Message}", e);
        }
    }

    private static bool Fits(Descriptor entry, string? artifactType) => artifactType is null || entry.ArtifactType == artifactType;
}
