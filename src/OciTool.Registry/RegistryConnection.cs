using Microsoft.Extensions.DependencyInjection;
using OciTool.Images;

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

    /// <summary>Prepares to talk to an endpoint; no request is sent yet.</summary>
    /// <exception cref="OciException">The directory of certificates does not exist.</exception>
    internal static RegistryConnection Open(RegistryEndpoint endpoint, RegistryAccess access, RegistryContext context)
    {
        if (context.Options.CertDirectory is { } directory && !Directory.Exists(directory))
        {
            throw new OciException($"certificate directory '{directory}': no such directory");
        }

        ServiceCollection services = new();
        services.AddRegistryClient(endpoint, access, context);
        return new RegistryConnection(services.BuildServiceProvider());
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
