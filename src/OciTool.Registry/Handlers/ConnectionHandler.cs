using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace OciTool.Registry.Handlers;

/// <summary>Sends one request, bounds the wait for its headers, and says in words why there was no response.</summary>
internal sealed partial class ConnectionHandler(
    RegistryOptions options, CertificateTrust trust, EnvironmentProxy proxy, TimeProvider time, ILogger<ConnectionHandler> logger) : DelegatingHandler
{
    private const string WantsCredentials = "wants a user and a password (407): write them into its URL, http://user:password@host:port";

    [SuppressMessage("Reliability", "CA2016", Justification = "the token is linked into the one that is passed on")]
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri server = request.RequestUri!;
        // a body may take as long as it moves, which is its sender's to watch
        bool isOnce = request.Options.TryGetValue(AuthHandler.IsOnce, out bool once) && once;
        using CancellationTokenSource patience = new(isOnce ? Timeout.InfiniteTimeSpan : options.ResponseTimeout, time);
        using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, linked.Token);
            if (logger.IsEnabled(LogLevel.Debug))
            {
                string url = Redact(server);
                LogAnswered(request.Method, url, (int)response.StatusCode);
            }

            if (response.StatusCode == HttpStatusCode.ProxyAuthenticationRequired && proxy.GetProxy(server) is { } between)
            {
                response.Dispose();
                throw ProxyFailure(server, between, WantsCredentials, inner: null);
            }

            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw patience.IsCancellationRequested
                ? Failure(server, $"no answer within {options.ResponseTimeout.TotalSeconds} s", e)
                : Failure(server, $"no connection within {options.ConnectTimeout.TotalSeconds} s", e, isTransient: true, isBeforeTls: true);
        }
        catch (HttpRequestException e)
        {
            throw Explain(server, e);
        }
    }

    private static RegistryException ProxyFailure(
        Uri server, Uri proxy, string cause, Exception? inner, bool isTransient = false) =>
        Failure(server, $"the proxy {Addresses.Origin(proxy)} {cause}", inner, isTransient, hint: "see HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in the environment");

    private static string Redact(Uri server) =>
        server.Query.Length == 0 ? server.AbsoluteUri : $"{server.GetLeftPart(UriPartial.Path)}?…";

    private static RegistryException Failure(
        Uri server, string cause, Exception? inner, bool isTransient = false, bool isBeforeTls = false, string? hint = null) =>
        new($"{Addresses.Origin(server)}: {cause}", inner)
        {
            Endpoint = Addresses.Origin(server),
            IsTransient = isTransient,
            IsBeforeTls = isBeforeTls,
            Hint = hint,
        };

    private RegistryException Explain(Uri server, HttpRequestException e)
    {
        if (e.InnerException is RegistryException refused)
        {
            return refused;
        }

        Uri? between = proxy.GetProxy(server);
        SocketException? socket = e.InnerException as SocketException ?? e.InnerException?.InnerException as SocketException;
        if (socket?.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.NoRecovery or SocketError.TryAgain)
        {
            bool isTransient = socket.SocketErrorCode is SocketError.TryAgain;
            return between is null
                ? Failure(server, $"cannot resolve the host {server.IdnHost}", e, isTransient)
                : ProxyFailure(server, between, "cannot be resolved", e, isTransient);
        }

        if (trust.OwnRefusal is { } ownRefusal && IsCertificateAlert(e))
        {
            return Failure(server, ownRefusal, e, hint: trust.OwnHint);
        }

        switch (e.HttpRequestError)
        {
            case HttpRequestError.SecureConnectionError when trust.Refusal(server.IdnHost) is { } refusal:
                return Failure(server, refusal, e, hint: trust.Hint());
            case HttpRequestError.SecureConnectionError:
                return Failure(server, $"the server does not speak TLS as we do: {Cause(e)}", e,
                    isTransient: e.InnerException is IOException, isBeforeTls: true,
                    hint: "a registry without TLS needs --tls-verify=false");
            case HttpRequestError.ProxyTunnelError when between is not null:
                return ProxyFailure(server, between, e.StatusCode switch
                {
                    null => $"did not let us through: {Cause(e)}",
                    HttpStatusCode.ProxyAuthenticationRequired => WantsCredentials,
                    { } status => $"answered {(int)status} to CONNECT",
                }, e, isTransient: e.StatusCode >= HttpStatusCode.InternalServerError);
            case HttpRequestError.ConnectionError when between is not null:
                return ProxyFailure(server, between,
                    socket?.SocketErrorCode is SocketError.ConnectionRefused ? "refused the connection" : $"cannot be reached: {Cause(e)}",
                    e, isTransient: true);
            case HttpRequestError.ConnectionError when socket?.SocketErrorCode is SocketError.ConnectionRefused:
                return Failure(server, "connection refused", e, isTransient: true, isBeforeTls: true);
            case HttpRequestError.ConfigurationLimitExceeded:
                return Failure(server, "the headers of the response are longer than 64 KiB", e);
            case HttpRequestError.InvalidResponse:
                return Failure(server, "the answer is not HTTP", e);
            case HttpRequestError.ResponseEnded:
                return Failure(server, $"the connection was closed before an answer came{(trust.OwnRefusal is { } perhaps ? $"; perhaps {perhaps}" : "")}", e,
                    isTransient: true, hint: trust.OwnRefusal is null ? null : trust.OwnHint);
            default:
                return Failure(server, Cause(e), e, isTransient: socket is not null || e.InnerException is IOException,
                    isBeforeTls: e.HttpRequestError == HttpRequestError.ConnectionError);
        }
    }

    // RFC 8446, section 6.2; TLS 1.3 has it come in answer to the first request, and OpenSSL knows the alert by these names only
    private static bool IsCertificateAlert(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause.Message.Contains("alert", StringComparison.OrdinalIgnoreCase)
                && (cause.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
                    || cause.Message.Contains("handshake failure", StringComparison.OrdinalIgnoreCase)
                    || cause.Message.Contains("unknown ca", StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }

    private static string Cause(HttpRequestException e) =>
        Images.Printable.Shorten((e.InnerException ?? e).Message.TrimEnd('.'));

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Url}: {Status}")]
    private partial void LogAnswered(HttpMethod method, string url, int status);
}
