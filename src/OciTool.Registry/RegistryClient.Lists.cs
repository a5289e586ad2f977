using System.Net;
using System.Runtime.CompilerServices;
using OciTool.Images;
using OciTool.Registry.Handlers;

namespace OciTool.Registry;

/// <content>Lists, which come in pages, and deletion.</content>
internal sealed partial class RegistryClient
{
    /// <summary>The most pages of a list.</summary>
    internal const int MaxPages = 4096;

    /// <summary>How many entries a page should have: registries take more as a mistake.</summary>
    internal const int PageSize = 1000;

    /// <summary>A list, page by page; the next one is asked for when it is wanted.</summary>
    /// <param name="path">Where the list begins, relative to the repository.</param>
    /// <param name="pageSize">How many entries a page should have; null leaves it to the registry.</param>
    /// <param name="what">What it is, for errors.</param>
    /// <param name="accept">Its media type.</param>
    /// <param name="maxPage">The most bytes that a page may have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry cannot be reached or refuses, or the list has no end.</exception>
    internal async IAsyncEnumerable<RegistryPage> GetPagesAsync(
        string path, int? pageSize, string what, string accept, int maxPage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<string> seen = [];
        Uri? next = await UrlAsync(pageSize is null ? path : $"{path}?n={pageSize}", cancellationToken);
        while (next is not null)
        {
            if (!seen.Add(next.PathAndQuery) || seen.Count > MaxPages)
            {
                string cause = seen.Count > MaxPages ? $"it has more than {MaxPages} pages" : "its pages link to each other in a circle";
                throw new RegistryException($"{endpoint.Name}: {what}: {cause}") { Endpoint = Addresses.Origin(next) };
            }

            RegistryPage page;
            try
            {
                page = await GetPageAsync(next, what, accept, maxPage, isAnonymous: false, cancellationToken);
            }
            catch (RegistryException e) when (e.Status == HttpStatusCode.BadRequest && pageSize is not null && seen.Count == 1)
            {
                // the registry wants smaller pages
                page = await GetPageAsync(await UrlAsync(path, cancellationToken), what, accept, maxPage, isAnonymous: false, cancellationToken);
            }

            yield return page;
            next = PageLink.Next(page.Url, page.Link);
        }
    }

    /// <summary>A list that comes whole, and without authorization.</summary>
    /// <inheritdoc cref="GetPagesAsync"/>
    internal async Task<RegistryPage> GetPublicAsync(string path, string what, string accept, int maxPage, CancellationToken cancellationToken) =>
        await GetPageAsync(await UrlAsync(path, cancellationToken), what, accept, maxPage, isAnonymous: true, cancellationToken);

    /// <summary>Deletes a manifest or index by digest, or a tag.</summary>
    /// <param name="tagOrDigest">What the specification calls <c>reference</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task DeleteManifestAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Delete, await UrlAsync($"manifests/{tagOrDigest}", cancellationToken));
        using HttpResponseMessage response = await SendAsync(request, $"deleting '{tagOrDigest}'", cancellationToken);
    }

    private Task<RegistryPage> GetPageAsync(
        Uri url, string what, string accept, int maxPage, bool isAnonymous, CancellationToken cancellationToken) =>
        ReadWholeAsync(url, what, async () =>
        {
            using HttpRequestMessage request = new(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Options.Set(AuthHandler.IsAnonymous, isAnonymous);
            using HttpResponseMessage response = await SendAsync(request, what, cancellationToken);
            byte[] body = await bodies.ReadAsync(response.Content, maxPage, cancellationToken);
            return body.Length <= maxPage
                ? new RegistryPage(
                    url, response.Content.Headers.ContentType?.MediaType, Header(response, "Link"), Header(response, "OCI-Filters-Applied"), body)
                : throw new RegistryException($"{endpoint.Name}: {what}: a page is larger than {maxPage >> 20} MiB")
                {
                    Endpoint = Addresses.Origin(url),
                };
        });
}
