using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OciTool.Images;
using OciTool.Registry.Handlers;

namespace OciTool.Registry;

/// <summary>Registers the registry client: the one place that knows how its HTTP pipeline is put together.</summary>
public static class RegistryServices
{
    // a pull uses seven (ParallelRanges); the rest are for a token, and for one that is just being closed
    private const int MaxConnections = 9;

    /// <summary>Adds the client of one repository; <see cref="RegistryImageSource"/> is what to use it through.</summary>
    /// <param name="services">The services.</param>
    /// <param name="endpoint">What the client is bound to.</param>
    /// <param name="access">What it will do there.</param>
    /// <param name="context">What the command brings.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddRegistryClient(
        this IServiceCollection services,
        RegistryEndpoint endpoint,
        RegistryAccess access,
        RegistryContext context)
    {
        (RegistryOptions options, ILoggerFactory loggers, TimeProvider time, Action<string> warn) = context;
        CertificateTrust trust = new(endpoint, options, time);
        EnvironmentProxy proxy = new(options.Variable);
        BodyReader bodies = new(options, time);
        AuthFiles files = new(options, time, warn) { Helpers = context.Registries.CredentialHelpers };
        services.AddSingleton(_ => new Authorizer(endpoint, access, options, files, bodies, time, loggers.CreateLogger<Authorizer>()));
        // a service and not a local variable, so that disposing the services closes its connections
        services.AddSingleton(_ => new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // followed by RedirectHandler, which drops Authorization
            AutomaticDecompression = DecompressionMethods.None, // digests are over the bytes as they travel
            UseCookies = false,
            Proxy = proxy,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = MaxConnections,
            SslOptions = trust.Options(),
            ConnectCallback = new AddressRace(endpoint, options, proxy, time).ConnectAsync,
        });
        services.AddHttpClient(nameof(RegistryClient))
            .ConfigureHttpClient(client =>
            {
                client.DefaultRequestHeaders.UserAgent.ParseAdd($"oci/{typeof(RegistryServices).Assembly.GetName().Version!.ToString(3)}");
                client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
                client.Timeout = Timeout.InfiniteTimeSpan; // a layer may take minutes; connecting, headers and stalls are bounded
            })
            .RemoveAllLoggers() // the factory's own logger would write URLs with signed tokens
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => provider.GetRequiredService<SocketsHttpHandler>())
            .AddHttpMessageHandler(provider => new AuthHandler(provider.GetRequiredService<Authorizer>(), bodies))
            .AddHttpMessageHandler(() => new RetryHandler(options, time, warn))
            .AddHttpMessageHandler(() => new RedirectHandler())
            .AddHttpMessageHandler(() => new ConnectionHandler(options, trust, proxy, time, loggers.CreateLogger<ConnectionHandler>()));
        services.AddSingleton(provider => new RegistryClient(
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(RegistryClient)),
            endpoint,
            options,
            bodies,
            provider.GetRequiredService<Authorizer>()));
        return services;
    }
}
