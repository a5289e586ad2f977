using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>A registry in this process, on a loopback port, that does wrong what a test asks it to.</summary>
/// <remarks>Plain by default; TLS with a certificate. <see cref="Fault"/> sees every request first.</remarks>
internal sealed class FaultRegistry : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, (string? MediaType, byte[] Body)> _manifests = new();
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new();

    private FaultRegistry(WebApplication application) => _application = application;

    /// <summary>Answers a request itself and returns true, or leaves it to the registry.</summary>
    internal Func<HttpContext, Task<bool>> Fault { get; set; } = _ => Task.FromResult(false);

    /// <summary>All requests so far.</summary>
    internal ConcurrentQueue<SeenRequest> Requests { get; } = new();

    internal Uri Address { get; private set; } = null!;

    internal string Origin => Address.GetLeftPart(UriPartial.Authority);

    internal static async Task<FaultRegistry> StartAsync(
        X509Certificate2? certificate = null, Func<X509Certificate2?, bool>? acceptClient = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port: 0, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        if (acceptClient is not null)
                        {
                            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                            https.ClientCertificateValidation = (client, _, _) => acceptClient(client);
                        }
                    });
                }
            });
        });
        WebApplication application = builder.Build();
        FaultRegistry registry = new(application);
        application.Run(registry.AnswerAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        registry.Address = new Uri(application.Services.GetRequiredService<IServer>().Features
            .GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
        return registry;
    }

    internal Reference Reference(string rest) => OciTool.Images.Reference.Parse($"{Address.Authority}/{rest}");

    internal Descriptor AddBlob(byte[] content)
    {
        Descriptor blob = new("application/octet-stream", Digest.Of(content), content.Length);
        _blobs[blob.Digest.ToString()] = content;
        return blob;
    }

    internal Descriptor AddManifest(string tag, string? mediaType, string body)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        Descriptor manifest = new(mediaType ?? "", Digest.Of(bytes), bytes.Length);
        _manifests[tag] = _manifests[manifest.Digest.ToString()] = (mediaType, bytes);
        return manifest;
    }

    internal static async Task WriteErrorAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""");
    }

    /// <summary>Sends a blob from where the Range header says, and breaks the connection after some bytes if asked to.</summary>
    internal static async Task WriteBlobAsync(HttpContext context, byte[] blob, int breakAfter = int.MaxValue, bool ignoreRange = false)
    {
        int from = 0;
        string range = context.Request.Headers.Range.ToString();
        if (!ignoreRange && range.StartsWith("bytes=", StringComparison.Ordinal))
        {
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'));
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{blob.Length - 1}/{blob.Length}";
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = blob.Length - from;
        int count = Math.Min(blob.Length - from, breakAfter);
        await context.Response.Body.WriteAsync(blob.AsMemory(from, count));
        if (count < blob.Length - from)
        {
            await context.Response.Body.FlushAsync();
            await Task.Delay(20);
            context.Abort();
        }
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.ToString();
        Requests.Enqueue(new SeenRequest(
            context.Request.Method, path + context.Request.QueryString, context.Request.Headers.Authorization, context.Request.Headers.Range));
        if (await Fault(context))
        {
            return;
        }

        string last = path[(path.LastIndexOf('/') + 1)..];
        if (path == "/v2/")
        {
            await context.Response.WriteAsync("{}");
        }
        else if (path.Contains("/manifests/", StringComparison.Ordinal))
        {
            if (!_manifests.TryGetValue(last, out (string? MediaType, byte[] Body) manifest))
            {
                await WriteErrorAsync(context, 404, "MANIFEST_UNKNOWN", "manifest unknown");
                return;
            }

            context.Response.ContentType = manifest.MediaType;
            context.Response.ContentLength = manifest.Body.Length;
            await context.Response.Body.WriteAsync(manifest.Body);
        }
        else if (_blobs.TryGetValue(last, out byte[]? blob))
        {
            await WriteBlobAsync(context, blob);
        }
        else
        {
            await WriteErrorAsync(context, 404, "BLOB_UNKNOWN", "blob unknown to registry");
        }
    }
}

/// <summary>A request that the registry has seen.</summary>
internal sealed record SeenRequest(string Method, string Url, string? Authorization, string? Range);

/// <summary>A clock whose short waits are over at once; it notes them. Long ones, which are timeouts, take their time.</summary>
internal sealed class HastyTime : TimeProvider
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    internal ConcurrentQueue<TimeSpan> Waits { get; } = new();

    /// <summary>How far this clock is ahead of the real one.</summary>
    internal TimeSpan Ahead { get; set; }

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Ahead.TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        bool isWait = dueTime >= TimeSpan.Zero && dueTime < Long;
        if (isWait)
        {
            Waits.Enqueue(dueTime);
        }

        return base.CreateTimer(callback, state, isWait ? TimeSpan.FromMilliseconds(1) : dueTime, period);
    }
}
