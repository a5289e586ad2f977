using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Stands in front of a registry and writes down what was asked for.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly string _upstream;
    private LoopbackServer? _server;
    private long _bytes;

    private RecordingProxy(string upstream) => _upstream = upstream;

    public string Host => _server!.Host;

    /// <summary>For example <c>GET /v2/busybox/manifests/latest</c>, in the order of arrival.</summary>
    public string[] Requests => [.. _requests];

    public IEnumerable<string> BlobDownloads =>
        _requests.Where(request => request.StartsWith("GET ", StringComparison.Ordinal)
            && request.Contains("/blobs/", StringComparison.Ordinal));

    /// <summary>How many bytes of bodies were sent, those that the client's kernel took and the client did not included.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public static async Task<RecordingProxy> StartAsync(string upstream)
    {
        RecordingProxy proxy = new(upstream);
        proxy._server = await LoopbackServer.StartAsync(proxy.ForwardAsync);
        return proxy;
    }

    public void Forget()
    {
        _requests.Clear();
        Interlocked.Exchange(ref _bytes, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _client.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        string path = $"{context.Request.Path}{context.Request.QueryString}";
        _requests.Enqueue($"{context.Request.Method} {path}");
        using HttpRequestMessage request = new(new HttpMethod(context.Request.Method), $"http://{_upstream}{path}");
        foreach (string name in new[] { "Accept", "Authorization", "Range" })
        {
            if (context.Request.Headers.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values))
            {
                request.Headers.TryAddWithoutValidation(name, values.ToArray());
            }
        }

        using HttpResponseMessage answer =
            await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach ((string name, IEnumerable<string> values) in answer.Headers.Concat(answer.Content.Headers))
        {
            context.Response.Headers[name] = values.ToArray();
        }

        context.Response.Headers.Remove("Transfer-Encoding");
        if (context.Request.Method != "HEAD")
        {
            await using Stream content = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
            byte[] buffer = new byte[64 << 10];
            while (await content.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
                Interlocked.Add(ref _bytes, count);
            }
        }
    }
}
