using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OciTool.Images;
using OciTool.Registry.Handlers;

namespace OciTool.Registry;

/// <summary>One repository of a registry over HTTP.</summary>
/// <remarks>OCI distribution-spec v1.1, section "Pull". Authentication, retries and redirects are handlers beneath it.</remarks>
internal sealed partial class RegistryClient(
    HttpClient http, RegistryEndpoint endpoint, RegistryOptions options, BodyReader bodies, Authorizer authorizer) : IDisposable
{
    private static readonly string ManifestTypes = string.Join(", ", MediaTypes.Manifests);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private Uri? _base;

    /// <summary>A manifest or index, by tag or digest; not verified.</summary>
    /// <param name="tagOrDigest">What the specification calls <c>reference</c>.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<FetchedManifest> GetManifestAsync(string tagOrDigest, long limit, CancellationToken cancellationToken)
    {
        Uri url = await UrlAsync($"manifests/{tagOrDigest}", cancellationToken);
        return await ReadWholeAsync(
            url,
            $"manifest '{tagOrDigest}'",
            () => GetManifestAsync(url, tagOrDigest, (int)Math.Min(limit, Document.MaxSize), cancellationToken));
    }

    /// <summary>Begins to read a blob; the response is the caller's to dispose.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="range">The part wanted, which the registry may ignore; null for all of it.</param>
    /// <param name="isSpare">Whether the request only makes it faster: then a rate limit is not waited for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<HttpResponseMessage> GetBlobAsync(
        Digest digest, RangeHeaderValue? range, bool isSpare, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, await UrlAsync($"blobs/{digest}", cancellationToken));
        request.Headers.Range = range;
        request.Options.Set(RetryHandler.IsSpare, isSpare);
        return await SendAsync(request, $"blob {digest}", cancellationToken);
    }

    /// <summary>Reads a small blob to its end, verified.</summary>
    /// <param name="blob">The blob; the caller has limited its size.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ContentMismatchException">The registry sent something else.</exception>
    internal async Task<byte[]> ReadBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        Uri url = await UrlAsync($"blobs/{blob.Digest}", cancellationToken);
        return await ReadWholeAsync(url, $"blob {blob.Digest}", async () =>
        {
            using HttpResponseMessage response = await GetBlobAsync(blob.Digest, range: null, isSpare: false, cancellationToken);
            byte[] body = await bodies.ReadAsync(response.Content, (int)blob.Size, cancellationToken);
            Document.Verify(blob, body);
            return body;
        });
    }

    /// <summary>Has the registry say whether it knows us.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The identity token that its token server gave; null for none.</returns>
    /// <exception cref="RegistryException">It does not, or is no registry.</exception>
    internal async Task<string?> AuthenticateAsync(CancellationToken cancellationToken)
    {
        // the first request of the two learns what is asked for
        Uri root = new(await UrlAsync("", cancellationToken), "/v2/");
        using HttpRequestMessage request = new(HttpMethod.Get, root);
        using HttpResponseMessage response = await SendAsync(request, "login", cancellationToken);
        await bodies.TryReadAsync(response.Content, cancellationToken);
        return authorizer.GivenIdentityToken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        _gate.Dispose();
    }

    private async Task<FetchedManifest> GetManifestAsync(Uri url, string tagOrDigest, int limit, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept", ManifestTypes);
        using HttpResponseMessage response = await SendAsync(request, $"manifest '{tagOrDigest}'", cancellationToken);
        byte[] body = await bodies.ReadAsync(response.Content, limit, cancellationToken);
        if (body.Length > Document.MaxSize)
        {
            throw new RegistryException($"{endpoint.Name}: manifest '{tagOrDigest}' is larger than {Document.MaxSize >> 20} MiB")
            {
                Endpoint = Addresses.Origin(url),
            };
        }

        return new FetchedManifest(
            response.Content.Headers.ContentType?.MediaType, Header(response, "Docker-Content-Digest"), body);
    }

    // a registry may break off in the middle of a body, where the retries beneath are over
    private async Task<T> ReadWholeAsync<T>(Uri url, string what, Func<Task<T>> read)
    {
        for (int failures = 0; ; failures++)
        {
            try
            {
                return await read();
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                if (failures == options.Retries)
                {
                    throw new RegistryException($"{endpoint.Name}: {what}: {Printable.Shorten(e.Message.TrimEnd('.'))}", e)
                    {
                        Endpoint = Addresses.Origin(url),
                    };
                }
            }
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;

    private async Task<Uri> UrlAsync(string path, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _base ??= await PingAsync(cancellationToken);
            return new Uri(_base, endpoint.Repository.Length == 0 ? path : $"{endpoint.Repository}/{path}");
        }
        finally
        {
            _gate.Release();
        }
    }

    // GET /v2/ tells whether the server speaks TLS and what authorization it wants
    private async Task<Uri> PingAsync(CancellationToken cancellationToken)
    {
        Uri secure = new($"https://{endpoint.Host}/v2/");
        bool mayBePlain = options.TlsVerify is false || (options.TlsVerify is null && Addresses.IsLoopback(secure));
        try
        {
            await PingAsync(secure, isTlsAttempt: mayBePlain, cancellationToken);
            return secure;
        }
        catch (RegistryException e) when (mayBePlain && e.IsBeforeTls)
        {
            Uri plain = new($"http://{endpoint.Host}/v2/");
            await PingAsync(plain, isTlsAttempt: false, cancellationToken);
            return plain;
        }
    }

    private async Task PingAsync(Uri address, bool isTlsAttempt, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, address);
        request.Options.Set(AuthHandler.IsPing, true);
        request.Options.Set(RetryHandler.IsTlsAttempt, isTlsAttempt);
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode >= HttpStatusCode.InternalServerError || response.StatusCode == HttpStatusCode.TooManyRequests)
        {
            throw await FailureAsync(response, "ping", cancellationToken);
        }

        // what is left unread would cost the connection, which the manifest can use
        await bodies.TryReadAsync(response.Content, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        bool isPage = response.Content.Headers.ContentType?.MediaType is "text/html";
        if (response.IsSuccessStatusCode && !isPage)
        {
            return response;
        }

        using (response)
        {
            throw await FailureAsync(response, what, cancellationToken);
        }
    }

    private async Task<RegistryException> FailureAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        byte[] body = await bodies.TryReadAsync(response.Content, cancellationToken);
        string origin = Addresses.Origin(response.RequestMessage!.RequestUri!);
        ErrorEntry? error = RegistryErrors.First(body);
        bool isRegistry = Addresses.IsSameHost(response.RequestMessage.RequestUri!, _base ?? response.RequestMessage.RequestUri!);
        string cause = RegistryErrors.Describe(response, error, body, isRegistry ? authorizer.Identity : "");
        return new RegistryException($"{endpoint.Name}: {what}: {cause}")
        {
            Status = response.StatusCode,
            Code = error?.Code is { } code ? Printable.Shorten(code, 64) : null,
            Endpoint = Printable.Shorten(origin),
        };
    }
}
