using System.Net;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A registry, or a server that it sent us to, could not be reached or refused what was asked of it.</summary>
/// <param name="message">What failed on which object and why.</param>
/// <param name="innerException">The cause, when another failure led to this one.</param>
public sealed class RegistryException(string message, Exception? innerException = null)
    : OciException(message, innerException)
{
    /// <summary>The status of the response; null when there was none.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>The first error code of the response, for example <c>MANIFEST_UNKNOWN</c>.</summary>
    /// <remarks>distribution-spec v1.1, section "Error Codes".</remarks>
    public string? Code { get; init; }

    /// <summary>The server, for example <c>https://quay.io</c>.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Whether the server refused who we are.</summary>
    public bool IsRefusal => Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    /// <summary>Whether the same request may succeed a moment later.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>Whether no certificate was seen: the server refused the connection or answered with something else than TLS.</summary>
    internal bool IsBeforeTls { get; init; }
}
