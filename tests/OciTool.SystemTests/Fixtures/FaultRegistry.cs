using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Answers a request in the wrong way.</summary>
/// <param name="context">The request and the response to write.</param>
/// <param name="content">What a good registry would send.</param>
/// <param name="attempt">How often this path was asked for before.</param>
/// <returns>Whether the response is written; if not, the good one follows.</returns>
internal delegate Task<bool> Fault(HttpContext context, byte[] content, int attempt);

/// <summary>A read-only registry in this process that serves images from memory and can be made to misbehave.</summary>
internal sealed class FaultRegistry : IAsyncDisposable
{
    private readonly Dictionary<string, Blob> _content = [];
    private readonly ConcurrentDictionary<string, int> _attempts = new();
    private readonly ConcurrentDictionary<string, Fault> _faults = new();
    private LoopbackServer? _server;

    private FaultRegistry()
    {
    }

    /// <summary>The name of the image that it serves.</summary>
    public string Image => $"{_server!.Host}/busybox:latest";

    public string Host => _server!.Host;

    public static async Task<FaultRegistry> StartAsync(TestImage image)
    {
        FaultRegistry registry = new();
        registry.Serve("latest", image);
        registry._server = await LoopbackServer.StartAsync(registry.AnswerAsync);
        return registry;
    }

    /// <summary>Serves one more image.</summary>
    public void Serve(string tag, TestImage image)
    {
        foreach (Blob blob in image.All())
        {
            _content[blob.Digest] = blob;
        }

        _content[tag] = image.Document;
    }

    /// <summary>Serves a blob under one more name.</summary>
    public void Serve(string name, Blob blob) => _content[name] = blob;

    /// <summary>Misbehaves for one name: a tag or a digest.</summary>
    public void Break(string name, Fault fault) => _faults[name] = fault;

    public void Heal() => _faults.Clear();

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        if (path is "/v2/" or "/v2")
        {
            await context.Response.WriteAsync("{}");
            return;
        }

        string name = path[(path.LastIndexOf('/') + 1)..];
        if (!_content.TryGetValue(name, out Blob? blob))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""");
            return;
        }

        int attempt = _attempts.AddOrUpdate(name, 0, (_, previous) => previous + 1);
        if (_faults.TryGetValue(name, out Fault? fault) && await fault(context, blob.Content, attempt))
        {
            return;
        }

        context.Response.ContentType =
            path.Contains("/blobs/", StringComparison.Ordinal) ? "application/octet-stream" : blob.MediaType;
        context.Response.Headers["Docker-Content-Digest"] = blob.Digest;
        context.Response.ContentLength = blob.Content.Length;
        if (context.Request.Method != "HEAD")
        {
            await context.Response.Body.WriteAsync(blob.Content, context.RequestAborted);
        }
    }
}
