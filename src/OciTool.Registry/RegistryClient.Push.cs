using System.Net;
using System.Net.Http.Headers;
using OciTool.Images;
using OciTool.Registry.Handlers;

namespace OciTool.Registry;

/// <content>Writes to the repository.</content>
/// <remarks>OCI distribution-spec v1.1, section "Push".</remarks>
internal sealed partial class RegistryClient
{
    /// <summary>Whether a blob is in the repository.</summary>
    internal async Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Head, await UrlAsync($"blobs/{blob.Digest}", cancellationToken));
        using HttpResponseMessage response = await AskAsync(request, cancellationToken);
        return response.StatusCode switch
        {
            // with a size of its own it is not the blob, whatever the registry says
            HttpStatusCode.OK => (response.Content.Headers.ContentLength ?? blob.Size) == blob.Size,
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed => false,
            _ => throw await FailureAsync(response, $"blob {blob.Digest}", cancellationToken),
        };
    }

    /// <summary>Takes a blob over from the repository that the endpoint names, or begins to upload it.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="mount">Whether to try to take it over.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when it was taken over.</returns>
    internal async Task<UploadSession?> BeginUploadAsync(Descriptor blob, bool mount, CancellationToken cancellationToken)
    {
        string query = mount && endpoint.MountFrom is { } from
            ? $"?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(from)}"
            : "";
        using HttpRequestMessage request = new(HttpMethod.Post, await UrlAsync($"blobs/uploads/{query}", cancellationToken))
        {
            Content = new ByteArrayContent([]),
        };
        using HttpResponseMessage response = await AskAsync(request, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Created when query.Length > 0:
                return null;
            case HttpStatusCode.Accepted:
                return new UploadSession(UploadLocation(response), MinChunk(response));
            case < HttpStatusCode.InternalServerError when query.Length > 0:
                // we may not read there, or the registry does not know of mounting
                return await BeginUploadAsync(blob, mount: false, cancellationToken);
            default:
                throw await FailureAsync(response, $"uploading blob {blob.Digest}", cancellationToken);
        }
    }

    /// <summary>Writes a manifest or index.</summary>
    /// <param name="tagOrDigest">Under which name.</param>
    /// <param name="document">The document, which is sent as it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryException">The registry does not take it, or took something else.</exception>
    internal async Task PutManifestAsync(string tagOrDigest, Document document, CancellationToken cancellationToken)
    {
        string what = $"writing manifest '{tagOrDigest}'";
        using ByteArrayContent body = new(document.Bytes.ToArray());
        body.Headers.TryAddWithoutValidation("Content-Type", document.MediaType);
        using HttpRequestMessage request = new(HttpMethod.Put, await UrlAsync($"manifests/{tagOrDigest}", cancellationToken)) { Content = body };
        using HttpResponseMessage response = await AskAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.RequestEntityTooLarge)
        {
            throw new RegistryException($"{endpoint.Name}: {what}: its {document.Bytes.Length} bytes are more than the registry takes")
            {
                Status = response.StatusCode,
            };
        }

        if (!response.IsSuccessStatusCode)
        {
            throw await FailureAsync(response, what, cancellationToken);
        }

        if (AnnouncedDigest(response) is { } announced && announced != Digest.Of(document.Bytes.Span, announced))
        {
            throw new RegistryException(
                $"{endpoint.Name}: {what}: the registry holds it as {announced}, which is not the digest {document.Digest} of what was sent");
        }
    }

    /// <summary>Sends a request and returns whatever is answered.</summary>
    internal Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>Says in words what an answer means that is not the wanted one.</summary>
    internal Task<RegistryException> ExplainAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken) =>
        FailureAsync(response, what, cancellationToken);

    /// <summary>A request to an upload's location; a foreign server gets no credentials (CVE-2026-50151).</summary>
    internal HttpRequestMessage UploadRequest(HttpMethod method, Uri location)
    {
        HttpRequestMessage request = new(method, location);
        request.Options.Set(AuthHandler.IsAnonymous, !Addresses.IsSameOrigin(location, _base!));
        return request;
    }

    /// <summary>Where an upload goes on: relative to what was asked, and never where a redirect may not lead to.</summary>
    /// <exception cref="RegistryException">There is no location, or it is refused.</exception>
    internal Uri UploadLocation(HttpResponseMessage response)
    {
        Uri from = response.RequestMessage!.RequestUri!;
        string? text = response.Headers.NonValidated.TryGetValues("Location", out HeaderStringValues values) && values.Count == 1
            ? values.ToString()
            : null;
        if (text is null || !Uri.TryCreate(from, text, out Uri? to))
        {
            throw new RegistryException($"{endpoint.Name}: the registry began an upload without a usable Location");
        }

        // a registry behind a proxy may not know that it is spoken to by TLS: we stay where we are
        if (from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp && Addresses.IsSameHost(from, to))
        {
            to = new UriBuilder(to) { Scheme = from.Scheme, Port = from.Port }.Uri;
        }

        string? refusal = from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp
            ? "HTTPS is not left for HTTP"
            : Addresses.Refusal(from, to);
        return refusal is null ? to : throw new RegistryException(
            $"{endpoint.Name}: an upload to {Printable.Shorten(Addresses.Origin(to))} is refused: {refusal}")
        {
            Endpoint = Addresses.Origin(from),
        };
    }

    /// <summary>The digest that the registry says it took; null when it says nothing that is one.</summary>
    internal static Digest? AnnouncedDigest(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Docker-Content-Digest", out HeaderStringValues values)
        && Digest.TryParse(values.ToString(), provider: null, out Digest digest)
            ? digest
            : null;

    private static long MinChunk(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("OCI-Chunk-Min-Length", out HeaderStringValues values)
        && long.TryParse(values.ToString(), out long length) && length > 0
            ? length
            : 0;
}

/// <summary>An upload that a registry has begun.</summary>
/// <param name="Location">Where its bytes go to; every answer names a new one.</param>
/// <param name="MinChunk">The least bytes of a piece that is not the last, or 0.</param>
internal sealed record UploadSession(Uri Location, long MinChunk);
