using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>A registry in this process that takes uploads as docker-registry does, and breaks them where a test asks it to.</summary>
internal sealed class UploadRegistry : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new();
    private int _sessions;

    private UploadRegistry(WebApplication application) => _application = application;

    /// <summary>Answers a request itself and returns true, or leaves it to the registry.</summary>
    internal Func<HttpContext, Task<bool>> Fault { get; set; } = _ => Task.FromResult(false);

    /// <summary>After how many bytes the next bodies break; each is used once.</summary>
    internal ConcurrentQueue<int> Breaks { get; } = new();

    /// <summary>Called when a body broke.</summary>
    internal Action WhenBroken { get; set; } = () => { };

    internal ConcurrentQueue<SeenRequest> Requests { get; } = new();

    internal ConcurrentDictionary<string, byte[]> Blobs { get; } = new();

    /// <summary>By tag and by digest.</summary>
    internal ConcurrentDictionary<string, byte[]> Manifests { get; } = new();

    /// <summary>What other repositories have.</summary>
    internal HashSet<string> Mountable { get; } = [];

    /// <summary>Makes the location of an upload of its path.</summary>
    internal Func<string, string> Location { get; set; } = path => path;

    internal int? MinChunk { get; set; }

    /// <summary>How many bytes of bodies have arrived.</summary>
    internal long Received;

    internal Uri Address { get; private set; } = null!;

    internal int Open => _uploads.Count;

    internal static async Task<UploadRegistry> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port: 0);
        });
        WebApplication application = builder.Build();
        UploadRegistry registry = new(application);
        application.Run(registry.AnswerAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        registry.Address = new Uri(application.Services.GetRequiredService<IServer>().Features
            .GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
        return registry;
    }

    internal Reference Reference(string rest) => OciTool.Images.Reference.Parse($"{Address.Authority}/{rest}");

    /// <summary>Forgets all uploads that are under way.</summary>
    internal void LoseUploads() => _uploads.Clear();

    internal int Count(string method, string part) =>
        Requests.Count(request => request.Method == method && request.Url.Contains(part, StringComparison.Ordinal));

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string path = request.Path.ToString();
        Requests.Enqueue(new SeenRequest(request.Method, path + request.QueryString, request.Headers.Authorization, request.Headers["Content-Range"]));
        if (await Fault(context))
        {
            return;
        }

        string last = path[(path.LastIndexOf('/') + 1)..];
        switch (request.Method)
        {
            case "GET" when path == "/v2/":
                await context.Response.WriteAsync("{}");
                break;
            case "POST" when path.EndsWith("/blobs/uploads/", StringComparison.Ordinal):
                Begin(context, path);
                break;
            case "PATCH" or "PUT" or "GET" or "DELETE" when path.Contains("/uploads/", StringComparison.Ordinal):
                await UploadAsync(context, path, last);
                break;
            case "PUT" when path.Contains("/manifests/", StringComparison.Ordinal):
                await PutManifestAsync(context, last);
                break;
            case "GET" or "HEAD" when Blobs.TryGetValue(last, out byte[]? blob):
                await SendAsync(context, "application/octet-stream", blob);
                break;
            case "GET" when Manifests.TryGetValue(last, out byte[]? manifest):
                await SendAsync(context, "application/json", manifest);
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private void Begin(HttpContext context, string path)
    {
        string? mount = context.Request.Query["mount"];
        if (mount is not null && Mountable.Contains(mount))
        {
            Blobs[mount] = [];
            context.Response.StatusCode = 201;
            return;
        }

        string id = $"u{Interlocked.Increment(ref _sessions)}";
        _uploads[id] = new MemoryStream();
        if (MinChunk is { } least)
        {
            context.Response.Headers["OCI-Chunk-Min-Length"] = $"{least}";
        }

        Accept(context, path + id, length: 0, status: 202);
    }

    private async Task UploadAsync(HttpContext context, string path, string id)
    {
        if (!_uploads.TryGetValue(id, out MemoryStream? upload))
        {
            await FaultRegistry.WriteErrorAsync(context, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
            return;
        }

        string? range = context.Request.Headers["Content-Range"];
        if (range is not null && !range.StartsWith($"{upload.Length}-", StringComparison.Ordinal))
        {
            Accept(context, path, upload.Length, status: 416);
            return;
        }

        if (context.Request.Method is "PATCH" or "PUT" && !await ReceiveAsync(context, upload))
        {
            return;
        }

        switch (context.Request.Method)
        {
            case "PUT":
                string digest = context.Request.Query["digest"]!;
                _uploads.TryRemove(id, out _);
                if (Digest.Of(upload.ToArray(), Digest.Parse(digest)).ToString() != digest)
                {
                    await FaultRegistry.WriteErrorAsync(context, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
                    return;
                }

                Blobs[digest] = upload.ToArray();
                context.Response.StatusCode = 201;
                context.Response.Headers["Docker-Content-Digest"] = digest;
                break;
            case "DELETE":
                _uploads.TryRemove(id, out _);
                context.Response.StatusCode = 204;
                break;
            default:
                Accept(context, path, upload.Length, context.Request.Method == "GET" ? 204 : 202);
                break;
        }
    }

    private async Task<bool> ReceiveAsync(HttpContext context, MemoryStream upload)
    {
        int left = context.Request.Method == "PATCH" && Breaks.TryDequeue(out int breakAfter) ? breakAfter : int.MaxValue;
        byte[] buffer = new byte[16384];
        int read;
        while (left > 0 && (read = await context.Request.Body.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, left)))) > 0)
        {
            upload.Write(buffer, 0, read);
            Interlocked.Add(ref Received, read);
            left -= read;
        }

        if (left == 0)
        {
            WhenBroken();
            context.Abort();
            return false;
        }

        return true;
    }

    private async Task PutManifestAsync(HttpContext context, string reference)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        byte[] bytes = body.ToArray();
        using JsonDocument manifest = JsonDocument.Parse(bytes);
        JsonElement root = manifest.RootElement;
        bool isWhole = root.TryGetProperty("manifests", out JsonElement entries)
            ? entries.EnumerateArray().All(entry => Manifests.ContainsKey(entry.GetProperty("digest").GetString()!))
            : root.GetProperty("layers").EnumerateArray().Append(root.GetProperty("config"))
                .All(blob => Blobs.ContainsKey(blob.GetProperty("digest").GetString()!));
        if (!isWhole)
        {
            await FaultRegistry.WriteErrorAsync(context, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }

        string digest = Digest.Of(bytes).ToString();
        Manifests[reference] = Manifests[digest] = bytes;
        context.Response.StatusCode = 201;
        context.Response.Headers["Docker-Content-Digest"] = digest;
    }

    private void Accept(HttpContext context, string path, long length, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = Location($"{path}?_state=a%3D");
        context.Response.Headers["Range"] = $"0-{Math.Max(length - 1, 0)}";
    }

    private static async Task SendAsync(HttpContext context, string type, byte[] bytes)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        if (context.Request.Method == "GET")
        {
            await context.Response.Body.WriteAsync(bytes);
        }
    }
}
