using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Hands out the signed tokens of the distribution project's token authentication.</summary>
internal sealed class TokenServer : IAsyncDisposable
{
    public const string Issuer = "oci-test-issuer";
    public const string Service = "oci-test-registry";

    private readonly Authority _authority;
    private readonly string _expected;
    private LoopbackServer? _server;

    private TokenServer(Authority authority, string credentials)
    {
        _authority = authority;
        _expected = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}";
    }

    public string Realm => $"http://{_server!.Host}/token";

    /// <param name="credentials"><c>name:password</c>, the only one that is let in.</param>
    public static async Task<TokenServer> StartAsync(Authority authority, string credentials)
    {
        TokenServer server = new(authority, credentials);
        server._server = await LoopbackServer.StartAsync(server.AnswerAsync);
        return server;
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization != _expected || context.Request.Query["service"] != Service)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        string token = Token(context.Request.Query["scope"].OfType<string>());
        await context.Response.WriteAsync(new JsonObject { ["token"] = token, ["expires_in"] = 300 }.ToJsonString());
    }

    private string Token(IEnumerable<string> scopes)
    {
        JsonArray access = [];
        foreach (string[] scope in scopes.Select(scope => scope.Split(':')))
        {
            access.Add((JsonNode)new JsonObject
            {
                ["type"] = scope[0],
                ["name"] = string.Join(':', scope[1..^1]),
                ["actions"] = new JsonArray([.. scope[^1].Split(',').Select(action => (JsonNode)action)]),
            });
        }

        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        JsonObject header = new()
        {
            ["typ"] = "JWT",
            ["alg"] = "RS256",
            ["x5c"] = new JsonArray(_authority.ServerCertificateBase64),
        };
        JsonObject claims = new()
        {
            ["iss"] = Issuer,
            ["aud"] = Service,
            ["sub"] = "tester",
            ["nbf"] = now - 30,
            ["iat"] = now - 30,
            ["exp"] = now + 300,
            ["jti"] = now.ToString(CultureInfo.InvariantCulture),
            ["access"] = access,
        };
        string content = $"{Encode(header)}.{Encode(claims)}";
        return $"{content}.{Base64Url.EncodeToString(_authority.Sign(Encoding.ASCII.GetBytes(content)))}";
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
