using Microsoft.Extensions.DependencyInjection;
using OciTool.Images;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>An HTTP pipeline to one endpoint, and the client on top of it. Disposing it closes the connections.</summary>
internal sealed class RegistryConnection : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private RegistryConnection(ServiceProvider services)
    {
        _services = services;
        Client = services.GetRequiredService<RegistryClient>();
    }

    internal RegistryClient Client { get; }

    /// <summary>Prepares to talk to an endpoint, as registries.conf says; no request is sent yet.</summary>
    /// <exception cref="RegistryException">The endpoint is blocked.</exception>
    /// <exception cref="OciException">Nobody may be talked to, or the certificates for it are not there or not usable.</exception>
    internal static RegistryConnection Open(RegistryEndpoint endpoint, RegistryAccess access, RegistryContext context)
    {
        if (context.Options.IsOffline)
        {
            throw new OciException($"offline: {endpoint.Name} cannot be asked while OCI_OFFLINE is set")
            {
                Hint = "images that are here already can be used: see oci images",
            };
        }

        OpenSsl.Require();
        if (context.Options.CertDirectory is { } directory && !Directory.Exists(directory))
        {
            throw new OciException($"certificate directory '{directory}': no such directory");
        }

        RegistryTable? table = context.Registries.Find(endpoint.Name);
        RegistriesConf.RequireUnblocked(table);
        bool isInsecure = endpoint.IsInsecure ?? table is { IsInsecure: true };
        RegistryOptions options = context.Options with { TlsVerify = context.Options.TlsVerify ?? (isInsecure ? false : null) };
        ServiceCollection services = new();
        services.AddRegistryClient(endpoint, access, context with { Options = options });
        ServiceProvider provider = services.BuildServiceProvider();
        try
        {
            return new RegistryConnection(provider);
        }
        catch
        {
            provider.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
