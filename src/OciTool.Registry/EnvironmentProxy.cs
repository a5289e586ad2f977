using System.Net;

namespace OciTool.Registry;

/// <summary>The proxy of <c>https_proxy</c>, <c>http_proxy</c> and <c>no_proxy</c>, which never leads to this machine itself.</summary>
internal sealed class EnvironmentProxy : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => HttpClient.DefaultProxy.Credentials;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) =>
        Addresses.IsLoopback(destination) ? null : HttpClient.DefaultProxy.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => Addresses.IsLoopback(host) || HttpClient.DefaultProxy.IsBypassed(host);
}
