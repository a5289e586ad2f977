using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Connects to a host by its name: whichever of its addresses answers first, IPv6 and IPv4 in turn.</summary>
/// <remarks>
/// RFC 8305: an address that does not answer costs a quarter of a second and not the whole patience. What a name resolves to is also
/// checked here, because a redirect or a token server may have any name: a host that is not the registry's own must not
/// turn out to be in our own network, unless the registry is there too.
/// </remarks>
internal sealed class AddressRace(RegistryEndpoint endpoint, RegistryOptions options, EnvironmentProxy proxy, TimeProvider time)
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    private readonly string _registry = new Uri($"https://{endpoint.Host}/").IdnHost;
    private volatile bool _isInnerRegistry;

    /// <summary>What the HTTP client calls for a new connection.</summary>
    internal async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        (string host, int port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        IPAddress[] addresses = await ResolveAsync(host, cancellationToken);
        if (!proxy.IsAt(host, port)) // the user's own proxy may be anywhere
        {
            addresses = Allowed(host, addresses);
        }

        return new NetworkStream(await RaceAsync(Interleave(addresses), port, cancellationToken), ownsSocket: true);
    }

    private static bool IsSame(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out IPAddress? literal))
        {
            return [literal];
        }

        // half of the patience for a connection, so that one who waits for nothing hears that it was the name
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.ConnectTimeout / 2);
        try
        {
            IPAddress[] addresses = await options.Resolve(host, patience.Token);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SocketException((int)SocketError.TryAgain);
        }
    }

    private IPAddress[] Allowed(string host, IPAddress[] addresses)
    {
        if (IsSame(host, _registry))
        {
            _isInnerRegistry = Array.Exists(addresses, Addresses.IsInner);
            return addresses;
        }

        IPAddress[] allowed = Array.FindAll(
            addresses, address => !Addresses.IsMetadataService(address) && (_isInnerRegistry || !Addresses.IsInner(address)));
        return allowed.Length > 0
            ? allowed
            : throw new RegistryException($"{Printable.Shorten(host)}: the connection is refused: the name leads to {addresses[0]}, "
                + $"which is {(Addresses.IsMetadataService(addresses[0]) ? "a cloud's metadata service" : "in our own network")}, and {endpoint.Registry} sent us there");
    }

    // RFC 8305, section 4: the families in turn, and the resolver's order in each
    private static IEnumerable<IPAddress> Interleave(IPAddress[] addresses)
    {
        Queue<IPAddress> first = new(addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily));
        Queue<IPAddress> others = new(addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily));
        while (first.Count + others.Count > 0)
        {
            if (first.TryDequeue(out IPAddress? address))
            {
                yield return address;
            }

            if (others.TryDequeue(out address))
            {
                yield return address;
            }
        }
    }

    private async Task<Socket> RaceAsync(IEnumerable<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Socket>> running = [];
        Queue<IPAddress> waiting = new(addresses);
        Exception? failure = null;
        try
        {
            while (running.Count + waiting.Count > 0)
            {
                Task delay = Task.Delay(Timeout.Infinite, over.Token);
                if (waiting.TryDequeue(out IPAddress? next))
                {
                    running.Add(ConnectAsync(next, port, over.Token));
                    delay = waiting.Count > 0 ? Task.Delay(HeadStart, time, over.Token) : delay;
                }

                Task ended = await Task.WhenAny([.. running, delay]);
                if (ended is not Task<Socket> attempt)
                {
                    await ended; // the head start of the last address is over, or all is
                    continue;
                }

                running.Remove(attempt);
                try
                {
                    return await attempt;
                }
                catch (SocketException e)
                {
                    failure ??= e;
                }
            }

            throw failure!;
        }
        finally
        {
            await over.CancelAsync();
            foreach (Task<Socket> late in running)
            {
                _ = late.ContinueWith(
                    task => task.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            }
        }
    }

    private static async Task<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
