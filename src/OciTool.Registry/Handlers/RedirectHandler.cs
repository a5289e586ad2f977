using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using OciTool.Images;

namespace OciTool.Registry.Handlers;

/// <summary>Follows redirects, and takes care of what they must not do.</summary>
/// <remarks>
/// Another origin never sees the credentials, HTTPS is never left for HTTP, a public server cannot send us into our
/// own network, and a request with a body, which may carry a token, is not repeated elsewhere.
/// </remarks>
internal sealed class RedirectHandler : DelegatingHandler
{
    private const int MaxRedirects = 10;

    [SuppressMessage("Reliability", "CA2000", Justification = "a response refers to its request, which has no body to dispose")]
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        for (int followed = 0; IsRedirect(response) && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head); followed++)
        {
            using (response)
            {
                Uri from = request.RequestUri!;
                Uri to = followed < MaxRedirects
                    ? Target(from, response)
                    : throw Refused(from, $"stopped after {MaxRedirects} redirects");
                request = Follow(request, to);
            }

            response = await base.SendAsync(request, cancellationToken);
        }

        return response;
    }

    private static bool IsRedirect(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.MovedPermanently
        or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static Uri Target(Uri from, HttpResponseMessage response)
    {
        string? location = response.Headers.NonValidated.TryGetValues("Location", out var values) && values.Count == 1 ? values.ToString() : null;
        if (location is null || !Uri.TryCreate(from, location, out Uri? to))
        {
            throw Refused(from, "a redirect without a usable Location");
        }

        string? refusal = from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp
            ? "HTTPS is not left for HTTP"
            : Addresses.Refusal(from, to);
        return refusal is null ? to : throw Refused(from, $"a redirect to {Printable.Shorten(Addresses.Origin(to))} is refused: {refusal}");
    }

    private static HttpRequestMessage Follow(HttpRequestMessage request, Uri to)
    {
        HttpRequestMessage next = new(request.Method, to) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach ((string name, HeaderStringValues values) in request.Headers.NonValidated)
        {
            next.Headers.TryAddWithoutValidation(name, values);
        }

        if (!Addresses.IsSameOrigin(request.RequestUri!, to))
        {
            next.Headers.Authorization = null;
        }

        next.Headers.Host = null;
        return next;
    }

    private static RegistryException Refused(Uri from, string cause) =>
        new($"{Addresses.Origin(from)}: {cause}") { Endpoint = Addresses.Origin(from) };
}
