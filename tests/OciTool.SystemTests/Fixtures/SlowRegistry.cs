using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A good registry in this process, with ranges, that can be slow and counts what it sends.</summary>
internal sealed class SlowRegistry : IAsyncDisposable
{
    private const int Piece = 32 << 10;

    private readonly ConcurrentDictionary<string, Blob> _content = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private LoopbackServer? _server;
    private Counter _sent = new();

    private SlowRegistry()
    {
    }

    public string Host => _server!.Host;

    /// <summary>How long it rests after each 32 KiB of a blob.</summary>
    public TimeSpan Rest { get; set; }

    /// <summary>The bytes of blobs that were sent to requests since the last <see cref="Forget"/>.</summary>
    public long BlobBytes => Interlocked.Read(ref _sent.Bytes);

    /// <summary>For example <c>GET /v2/image/manifests/latest</c>; a range is added in brackets.</summary>
    public string[] Requests => [.. _requests];

    public string[] BlobRequests => [.. _requests.Where(request => request.Contains("/blobs/", StringComparison.Ordinal))];

    public static async Task<SlowRegistry> StartAsync()
    {
        SlowRegistry registry = new();
        registry._server = await LoopbackServer.StartAsync(registry.AnswerAsync);
        return registry;
    }

    /// <summary>Serves an image, and returns the name to pull it by.</summary>
    public string Serve(string repository, TestImage image)
    {
        foreach (Blob blob in image.All())
        {
            _content[blob.Digest] = blob;
        }

        _content[$"{repository}:latest"] = image.Document;
        return $"{Host}/{repository}:latest";
    }

    public void Forget()
    {
        _requests.Clear();
        _sent = new Counter(); // who asked before counts elsewhere, and may be a connection of the dead
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string[] path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path is ["v2"])
        {
            await context.Response.WriteAsync("{}");
            return;
        }

        Counter sent = _sent;
        string range = context.Request.Headers.Range.ToString();
        _requests.Enqueue($"{context.Request.Method} {context.Request.Path}{(range.Length == 0 ? "" : $" [{range}]")}");
        string name = path[^1];
        if (!_content.TryGetValue(name, out Blob? blob) && !_content.TryGetValue($"{path[1]}:{name}", out blob))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        bool isBlob = path[^2] == "blobs";
        int offset = range.Length == 0 ? 0 : int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        context.Response.ContentType = isBlob ? "application/octet-stream" : blob.MediaType;
        context.Response.Headers["Docker-Content-Digest"] = blob.Digest;
        if (offset > 0)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {offset}-{blob.Content.Length - 1}/{blob.Content.Length}";
        }

        context.Response.ContentLength = blob.Content.Length - offset;
        if (context.Request.Method == "HEAD")
        {
            return;
        }

        while (offset < blob.Content.Length)
        {
            int count = Math.Min(Piece, blob.Content.Length - offset);
            await context.Response.Body.WriteAsync(blob.Content.AsMemory(offset, count), context.RequestAborted);
            offset += count;
            if (isBlob)
            {
                Interlocked.Add(ref sent.Bytes, count);
                if (Rest > TimeSpan.Zero)
                {
                    await Task.Delay(Rest, context.RequestAborted);
                }
            }
        }
    }

    private sealed class Counter
    {
        public long Bytes;
    }
}
