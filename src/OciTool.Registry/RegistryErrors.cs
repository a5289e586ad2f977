using System.Net;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Says in words what a response means that is not the wanted one.</summary>
/// <remarks>distribution-spec v1.1, section "Error Codes".</remarks>
internal static class RegistryErrors
{
    /// <summary>The first error of an error document; null when the body is something else.</summary>
    internal static ErrorEntry? First(ReadOnlySpan<byte> body)
    {
        try
        {
            return body.Length is 0 or > BodyReader.MaxSmall ? null
                : JsonSerializer.Deserialize(body, RegistryJson.Default.ErrorDocument)?.Errors?.FirstOrDefault();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The cause, in one line.</summary>
    /// <param name="response">The response.</param>
    /// <param name="error">The first error of its body.</param>
    /// <param name="body">Its body.</param>
    /// <param name="identity">Whether and which credentials were used; empty when none may be used there.</param>
    internal static string Describe(HttpResponseMessage response, ErrorEntry? error, ReadOnlySpan<byte> body, string identity)
    {
        // a registry hides what may not be read, but says what may not be written
        string orAbsent = response.RequestMessage!.Method == HttpMethod.Get ? ", or the image does not exist" : "";
        string origin = Printable.Shorten(Addresses.Origin(response.RequestMessage!.RequestUri!));
        if (error is null && response.Content.Headers.ContentType?.MediaType is "text/html" && IsUnexpectedPage(response.StatusCode))
        {
            return $"unexpected content type text/html from {origin}, which begins with '{Printable.Escape(body[..Math.Min(50, body.Length)])}'";
        }

        string said = error is null ? "" : $": {Said(error)}";
        string who = identity.Length == 0 ? "" : $": {identity}";
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => $"authentication required{who}{orAbsent}{said}",
            HttpStatusCode.Forbidden => $"access denied by {origin}{who}{orAbsent}{said}",
            HttpStatusCode.NotFound when error?.Code is "MANIFEST_UNKNOWN" => $"manifest unknown: the repository has no such tag or digest{said}",
            HttpStatusCode.NotFound when error?.Code is "NAME_UNKNOWN" => $"name unknown: the registry has no such repository, or it is private{said}",
            HttpStatusCode.NotFound when error?.Code is "BLOB_UNKNOWN" => $"blob unknown: the repository lacks a part of the image{said}",
            HttpStatusCode.NotFound => $"not found: the image does not exist, or it is private{said}",
            HttpStatusCode.TooManyRequests => $"too many requests: {origin} limits the rate{said}",
            HttpStatusCode.RequestedRangeNotSatisfiable => $"{origin} has no bytes at the offset that was asked for{said}",
            _ => $"{(int)response.StatusCode} {Reason(response)} from {origin}{said}",
        };
    }

    private static bool IsUnexpectedPage(HttpStatusCode status) =>
        (int)status < 300 || status is HttpStatusCode.NotFound or HttpStatusCode.Forbidden;

    private static string Said(ErrorEntry error)
    {
        string code = Printable.Shorten((error.Code ?? "").Replace('_', ' ').ToLowerInvariant(), 64);
        string message = Printable.Shorten((error.Message ?? "").Trim().TrimEnd('.'));
        return message.Length == 0 ? code : code.Length == 0 ? message : $"{code}: {message}";
    }

    private static string Reason(HttpResponseMessage response) =>
        string.IsNullOrEmpty(response.ReasonPhrase) ? response.StatusCode.ToString() : Printable.Shorten(response.ReasonPhrase, 64);
}
