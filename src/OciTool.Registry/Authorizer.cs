using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>What goes into the Authorization header, and until when.</summary>
internal sealed record Authorization(AuthenticationHeaderValue Header, long Received, TimeSpan Lifetime);

/// <summary>Passes a request on to the part of the pipeline beneath authentication.</summary>
internal delegate Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken cancellationToken);

/// <summary>Turns a registry's challenge into an authorization: Basic, or a bearer token for one repository.</summary>
/// <remarks>
/// distribution, "Token Authentication Specification" and "OAuth2 Token Authentication". The scope that a challenge
/// names is not used: a token is asked for what is to be done with the repository and nothing else. A token's age is counted on
/// our clock, since the server's may be wrong, and it lives a minute at least, so that no server can make us ask for
/// one all the time.
/// </remarks>
internal sealed partial class Authorizer(
    RegistryEndpoint endpoint, RegistryAccess access, RegistryOptions options, AuthFiles files, BodyReader bodies, TimeProvider time,
    ILogger<Authorizer> logger) : IDisposable
{
    private const string ClientId = "oci";

    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(1);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("-._~+/=:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly List<string> _scopes = [.. Scopes(endpoint, access)];
    private Challenge? _challenge;
    private Authorization? _current;
    private Credentials? _credentials;
    private bool _hasLooked;

    /// <summary>Who we are to the registry, for errors; the secret is not in it.</summary>
    internal string Identity => _credentials is { } credentials ? $"{credentials} were not accepted"
        : _hasLooked ? $"no credentials for {endpoint.Registry} were found"
        : "no credentials were asked for";

    /// <summary>The identity token that came with a token, where one was asked for.</summary>
    internal string? GivenIdentityToken { get; private set; }

    /// <summary>Notes what the registry asks for.</summary>
    internal void Challenge(string header)
    {
        IReadOnlyList<Challenge> challenges = Registry.Challenge.Parse(header);
        Challenge? asked = challenges.FirstOrDefault(challenge => challenge.Scheme is "bearer")
            ?? challenges.FirstOrDefault(challenge => challenge.Scheme is "basic");
        Volatile.Write(ref _challenge, asked);
    }

    /// <summary>The authorization for a request; null when there is none to give.</summary>
    /// <param name="registry">Where the request goes.</param>
    /// <param name="refused">What was refused just now, so that something newer is wanted.</param>
    /// <param name="send">Sends the request for a token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<Authorization?> AuthorizeAsync(
        Uri registry, Authorization? refused, Send send, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _challenge) is not { } challenge)
        {
            return null;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is { } current && current != refused && time.GetElapsedTime(current.Received) < current.Lifetime)
            {
                return current;
            }

            Credentials? credentials = await LookAsync(cancellationToken);
            if (challenge.Scheme is "bearer")
            {
                return _current = await FetchAsync(registry, challenge, credentials, send, cancellationToken);
            }

            return refused is not null || credentials is not { IdentityToken: null } ? null
                : _current = new Authorization(Basic(credentials), time.GetTimestamp(), TimeSpan.MaxValue);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private static IEnumerable<string> Scopes(RegistryEndpoint endpoint, RegistryAccess access)
    {
        if (endpoint.Repository.Length == 0)
        {
            return access == RegistryAccess.None ? [] : ["registry:catalog:*"]; // all that a server itself offers is the list of its repositories
        }

        string actions = string.Join(',', new[] { RegistryAccess.Pull, RegistryAccess.Push, RegistryAccess.Delete }
            .Where(action => access.HasFlag(action)).Select(action => action.ToString().ToLowerInvariant()));
        string[] own = actions.Length == 0 ? [] : [$"repository:{endpoint.Repository}:{actions}"];
        return endpoint.MountFrom is { } other ? own.Append($"repository:{other}:pull") : own;
    }

    private static AuthenticationHeaderValue Basic(Credentials credentials) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.User}:{credentials.Password}")));

    private async Task<Credentials?> LookAsync(CancellationToken cancellationToken)
    {
        if (!_hasLooked)
        {
            _credentials = await files.FindAsync(endpoint, cancellationToken);
            _hasLooked = true;
            string source = _credentials?.Source ?? "none";
            LogCredentials(endpoint.Registry, source);
        }

        return _credentials;
    }

    private async Task<Authorization> FetchAsync(
        Uri registry, Challenge challenge, Credentials? credentials, Send send, CancellationToken cancellationToken)
    {
        Uri realm = Realm(registry, challenge["realm"], credentials);
        using HttpRequestMessage request = credentials?.IdentityToken is { } refreshToken
            ? Exchange(realm, challenge["service"], refreshToken)
            : Ask(realm, challenge["service"], credentials);
        if (logger.IsEnabled(LogLevel.Debug))
        {
            string server = Addresses.Origin(realm);
            string scopes = string.Join(' ', _scopes);
            LogToken(server, scopes);
        }

        using HttpResponseMessage response = await SendAsync(request, () => Grant(realm, challenge["service"], credentials), send, cancellationToken);
        byte[] body = await bodies.TryReadAsync(response.Content, cancellationToken);
        string origin = Addresses.Origin(realm);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new RegistryException($"authentication required for {endpoint.Name}: {Identity}, or the image does not exist "
                + $"(the token server {Printable.Shorten(origin)} answered {(int)response.StatusCode})")
            {
                Status = response.StatusCode,
                Endpoint = origin,
            };
        }

        return response.IsSuccessStatusCode && body.Length <= BodyReader.MaxSmall && Parse(body) is { } authorization
            ? authorization
            : throw new RegistryException($"no token for {endpoint.Name}: {Printable.Shorten(origin)} answered {(int)response.StatusCode}"
                + (response.IsSuccessStatusCode ? " without a token in at most 64 KiB" : ""))
            {
                Status = response.StatusCode,
                Endpoint = origin,
            };
    }

    // servers that know OAuth2 alone have no GET; a password is sent to them at login only
    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, Func<HttpRequestMessage> grant, Send send, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await send(request, cancellationToken);
        bool isUnknown = response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed;
        if (!isUnknown || !options.WantsIdentityToken || request.Method != HttpMethod.Get || request.Headers.Authorization is null)
        {
            return response;
        }

        response.Dispose();
        using HttpRequestMessage post = grant();
        return await send(post, cancellationToken);
    }

    private Uri Realm(Uri registry, string? text, Credentials? credentials)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? realm))
        {
            throw Refused(registry, text, "it is not a URL");
        }

        bool mayBePlain = registry.Scheme == Uri.UriSchemeHttp || !options.VerifiesCertificates;
        string? refusal = realm.Scheme == Uri.UriSchemeHttp && !mayBePlain ? "it is not https" : Addresses.Refusal(registry, realm);
        if (refusal is not null)
        {
            throw Refused(registry, text, refusal);
        }

        bool isPublic = realm.Scheme == Uri.UriSchemeHttps && !Addresses.IsInner(realm);
        return credentials is null || isPublic || Addresses.IsSameHost(registry, realm)
            ? realm
            : throw Refused(registry, text, "credentials go to the registry's own host and to public https hosts only");
    }

    private static RegistryException Refused(Uri registry, string? realm, string cause) =>
        new($"{Addresses.Origin(registry)}: the token server '{Printable.Shorten(realm)}' is refused: {cause}")
        {
            Endpoint = Addresses.Origin(registry),
        };

    private HttpRequestMessage Ask(Uri realm, string? service, Credentials? credentials)
    {
        StringBuilder query = new(realm.Query.TrimStart('?'));
        List<(string Name, string? Value)> parameters = [("service", service), .. _scopes.Select(scope => ("scope", (string?)scope))];
        if (options.WantsIdentityToken && credentials is not null)
        {
            parameters.AddRange([("account", credentials.User), ("client_id", ClientId), ("offline_token", "true")]);
        }

        foreach ((string name, string? value) in parameters)
        {
            if (value is not null)
            {
                query.Append(query.Length == 0 ? "" : "&").Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        HttpRequestMessage request = new(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString(), Fragment = "" }.Uri);
        request.Headers.Authorization = credentials is null ? null : Basic(credentials);
        return request;
    }

    private HttpRequestMessage Exchange(Uri realm, string? service, string refreshToken) =>
        new(HttpMethod.Post, realm)
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "refresh_token"), new("service", service ?? ""), new("client_id", ClientId),
                new("scope", string.Join(' ', _scopes)), new("refresh_token", refreshToken),
            ]),
        };

    private HttpRequestMessage Grant(Uri realm, string? service, Credentials? credentials) =>
        new(HttpMethod.Post, realm)
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "password"), new("service", service ?? ""), new("client_id", ClientId),
                new("access_type", "offline"), new("scope", string.Join(' ', _scopes)),
                new("username", credentials!.User), new("password", credentials.Password),
            ]),
        };

    private Authorization? Parse(byte[] body)
    {
        TokenDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(body, RegistryJson.Default.TokenDocument);
        }
        catch (JsonException)
        {
            return null;
        }

        string? token = string.IsNullOrEmpty(document?.Token) ? document?.AccessToken : document.Token;
        if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            return null;
        }

        if (options.WantsIdentityToken && document!.RefreshToken is { Length: > 0 } refreshToken)
        {
            GivenIdentityToken = refreshToken;
        }

        double seconds = Math.Clamp(document!.ExpiresIn ?? 0, MinLifetime.TotalSeconds, MaxLifetime.TotalSeconds);
        return new Authorization(
            new AuthenticationHeaderValue("Bearer", token), time.GetTimestamp(), TimeSpan.FromSeconds(seconds) - Margin);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "credentials for {Registry}: {Source}")]
    private partial void LogCredentials(string registry, string source);

    [LoggerMessage(Level = LogLevel.Debug, Message = "asking {Server} for a token for {Scopes}")]
    private partial void LogToken(string server, string scopes);
}
