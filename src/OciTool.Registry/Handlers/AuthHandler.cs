using System.Net;
using System.Net.Http.Headers;

namespace OciTool.Registry.Handlers;

/// <summary>Gives requests their authorization, and answers a registry's challenge once a request.</summary>
internal sealed class AuthHandler(Authorizer authorizer, BodyReader bodies) : DelegatingHandler
{
    /// <summary>Set on the request whose answer is only looked at for its challenge.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsPing = new("oci.ping");

    /// <summary>Set on a request that gets no credentials, whatever the server asks for.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsAnonymous = new("oci.anonymous");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(IsAnonymous, out bool anonymous) && anonymous)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        bool isPing = request.Options.TryGetValue(IsPing, out bool set) && set;
        Uri server = request.RequestUri!;
        Authorization? used = isPing ? null : await authorizer.AuthorizeAsync(server, refused: null, base.SendAsync, cancellationToken);
        request.Headers.Authorization = used?.Header;
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);

        // a server that we were redirected to gets nothing, whatever it asks for
        if (response.StatusCode != HttpStatusCode.Unauthorized || !Addresses.IsSameOrigin(response.RequestMessage!.RequestUri!, server))
        {
            return response;
        }

        string header = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out HeaderStringValues values) ? values.ToString() : "";
        authorizer.Challenge(header);
        if (isPing)
        {
            return response;
        }

        // the connection is needed for the token, and a registry gets six
        byte[] body = await bodies.TryReadAsync(response.Content, cancellationToken);
        response.Content.Dispose();
        response.Content = new ByteArrayContent(body);
        Authorization? fresh = await authorizer.AuthorizeAsync(server, refused: used, base.SendAsync, cancellationToken);
        if (fresh is null)
        {
            return response;
        }

        response.Dispose();
        request.Headers.Authorization = fresh.Header;
        return await base.SendAsync(request, cancellationToken);
    }
}
