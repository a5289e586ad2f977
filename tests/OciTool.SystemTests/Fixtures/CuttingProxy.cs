using System.Net;
using System.Net.Sockets;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Stands in front of a registry and cuts or holds connections after some bytes of requests.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);
    private readonly CancellationTokenSource _end = new();
    private readonly IPEndPoint _upstream;
    private readonly Task _accepting;
    private int _cuts;

    /// <param name="upstream">The registry's host and port.</param>
    public CuttingProxy(string upstream)
    {
        _upstream = IPEndPoint.Parse(upstream);
        _listener.Start();
        Host = _listener.LocalEndpoint.ToString()!;
        _accepting = AcceptAsync();
    }

    public string Host { get; }

    /// <summary>After how many bytes of requests a connection ends; longer than any in the beginning.</summary>
    public int CutAfter { get; set; } = int.MaxValue;

    /// <summary>After how many cuts it lets everything pass.</summary>
    public int MaxCuts { get; set; } = 1;

    /// <summary>Whether a connection is held, instead of ended.</summary>
    public bool Holds { get; set; }

    /// <summary>How many connections were cut or held.</summary>
    public int Cuts => _cuts;

    /// <summary>Completes with the first cut.</summary>
    public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        finally
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (TcpClient server = new())
        {
            try
            {
                await server.ConnectAsync(_upstream, _end.Token);
                Task answers = server.GetStream().CopyToAsync(client.GetStream(), _end.Token);
                await ForwardAsync(client.GetStream(), server.GetStream());
                server.Client.Shutdown(SocketShutdown.Send);
                await answers;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // one of the two sides ended it
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to)
    {
        byte[] buffer = new byte[16384];
        long passed = 0;
        int read;
        while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
        {
            passed += read;
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            if (passed > CutAfter && _cuts < MaxCuts)
            {
                Interlocked.Increment(ref _cuts);
                First.TrySetResult();
                await (Holds ? Task.Delay(Timeout.Infinite, _end.Token) : Task.CompletedTask);
                throw new IOException("cut");
            }
        }
    }
}
