using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OciTool.SystemTests.Fixtures;

/// <summary>An HTTP server in this process on a free loopback port.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private LoopbackServer(WebApplication application) => _application = application;

    /// <summary>For example <c>127.0.0.1:40123</c>.</summary>
    public string Host => new Uri(_application.Urls.Single()).Authority;

    public static async Task<LoopbackServer> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = null);
        WebApplication application = builder.Build();
        application.Run(answer);
        await application.StartAsync();
        return new(application);
    }

    public async ValueTask DisposeAsync()
    {
        // a request that a fault holds back must not keep the test waiting
        using CancellationTokenSource now = new(TimeSpan.FromSeconds(1));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }
}
