using System.Text.Json.Serialization;

namespace OciTool.Registry;

/// <summary>Reads what registries, token servers, credential helpers and auth files say, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 16)]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(TokenDocument))]
[JsonSerializable(typeof(MediaTypeDocument))]
[JsonSerializable(typeof(AuthFileDocument))]
[JsonSerializable(typeof(Dictionary<string, AuthEntry>))]
[JsonSerializable(typeof(HelperDocument))]
internal sealed partial class RegistryJson : JsonSerializerContext;

// distribution-spec v1.1, section "Error Codes"
internal sealed record ErrorDocument(List<ErrorEntry?>? Errors);

internal sealed record ErrorEntry(string? Code, string? Message);

// distribution: "Token Authentication Specification"
internal sealed record TokenDocument(
    string? Token,
    [property: JsonPropertyName("access_token")] string? AccessToken,
    [property: JsonPropertyName("expires_in")] double? ExpiresIn,
    [property: JsonPropertyName("refresh_token")] string? RefreshToken);

internal sealed record MediaTypeDocument(string? MediaType);

// containers-auth.json(5), and docker's config.json
internal sealed record AuthFileDocument(
    Dictionary<string, AuthEntry?>? Auths, Dictionary<string, string?>? CredHelpers, string? CredsStore);

internal sealed record AuthEntry(string? Auth, [property: JsonPropertyName("identitytoken")] string? IdentityToken);

internal sealed record HelperDocument(
    [property: JsonPropertyName("Username")] string? User, [property: JsonPropertyName("Secret")] string? Secret)
{
    [JsonPropertyName("ServerURL")]
    public string? Server { get; init; }
}
