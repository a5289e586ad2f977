using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>Names that lead to several addresses, to none, or to where they should not lead.</summary>
public sealed class AddressRaceTests : RegistryTests
{
    private readonly List<string> _resolved = [];
    private Func<string, IPAddress[]> _names = _ => [IPAddress.Loopback];

    public AddressRaceTests() => Options = Options with
    {
        TlsVerify = false, // the registry speaks plain HTTP, and is not called by a loopback address
        Resolve = (host, _) =>
        {
            lock (_resolved)
            {
                _resolved.Add(host);
            }

            return Task.FromResult(_names(host));
        },
    };

    private string Name => $"registry.example:{Registry.Address.Port}/fedora:34";

    [Fact]
    [Fault(41, "an address where nobody listens is passed over for the next one")]
    public async Task A_first_address_where_nobody_listens_is_passed_over()
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        _names = _ => [IPAddress.Parse("127.0.0.2"), IPAddress.IPv6Loopback, IPAddress.Loopback];
        await ResolveNameAsync();
        Assert.Contains("registry.example", _resolved);
    }

    [Fact]
    [Fault(41, "an address that does not answer, IPv6 or IPv4, costs a quarter of a second: then the next one is tried beside it")]
    public async Task An_address_that_does_not_answer_costs_a_head_start_and_no_more()
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        using Socket full = NobodyAnswers(out IPAddress silent, out int port);
        _ = port;
        _names = _ => [silent, IPAddress.Loopback];
        long start = Stopwatch.GetTimestamp();
        await ResolveNameAsync(TimeProvider.System);
        Assert.True(Stopwatch.GetElapsedTime(start) < Options.ConnectTimeout);
    }

    [Theory]
    [InlineData(SocketError.HostNotFound)]
    [InlineData(SocketError.NoData)]
    [InlineData(SocketError.TryAgain)]
    [Fault(41, "a name that does not resolve is said so; where the name server failed (SERVFAIL), three tries later")]
    public async Task A_name_that_does_not_resolve_is_said_so(SocketError error)
    {
        _names = _ => throw new SocketException((int)error);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => ResolveNameAsync());
        Assert.Contains("cannot resolve the host registry.example", failure.Message, StringComparison.Ordinal);
        Assert.Equal(error == SocketError.TryAgain ? 4 : 1, _resolved.Count);
    }

    [Fact]
    [Fault(41, "a name server that does not answer within 5 s is said so")]
    public async Task A_name_server_that_does_not_answer_is_said_so()
    {
        Options = Options with
        {
            Retries = 0,
            ConnectTimeout = TimeSpan.FromMilliseconds(200),
            Resolve = async (_, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return [];
            },
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => ResolveNameAsync());
        Assert.Contains("cannot resolve the host registry.example", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", "in our own network")]
    [InlineData("10.0.0.1", "in our own network")]
    [InlineData("::1", "in our own network")]
    [InlineData("::ffff:192.168.1.1", "in our own network")]
    [InlineData("169.254.169.254", "a cloud's metadata service")]
    [InlineData("fd00:ec2::254", "a cloud's metadata service")]
    [Fault(33, "a redirect to a public name that leads into our own network is refused before a connection is made")]
    public async Task A_public_registry_cannot_send_us_into_our_own_network_by_a_name(string address, string cause)
    {
        AddressRace race = new(new RegistryEndpoint("registry.example", "x"), Options, new EnvironmentProxy(_ => null), Time);
        _names = _ => [IPAddress.Parse(address)];
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => ConnectAsync(race, "evil.example"));
        Assert.Contains("evil.example: the connection is refused", failure.Message, StringComparison.Ordinal);
        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
        Assert.Contains("registry.example sent us there", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(33, "a registry in our own network may redirect within it, by name too, but not to a metadata service")]
    public async Task A_registry_in_our_own_network_may_send_us_around_in_it_but_not_to_the_metadata_service()
    {
        Descriptor blob = Registry.AddBlob(Bytes(1000));
        string to = "storage.example";
        Registry.Fault = context =>
        {
            bool isFirst = context.Request.Host.Host == "registry.example" && context.Request.Path != "/v2/";
            if (isFirst)
            {
                context.Response.StatusCode = 307;
                context.Response.Headers.Location = $"http://{to}:{Registry.Address.Port}{context.Request.Path}";
            }

            return Task.FromResult(isFirst);
        };
        _names = host => host == "metadata.example" ? [IPAddress.Parse("169.254.169.254")] : [IPAddress.Loopback];
        await using RegistryImageSource source = Source(Reference.Parse(Name));
        await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel);
        await stream.CopyToAsync(Stream.Null, Cancel);

        to = "metadata.example";
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.OpenBlobAsync(blob, offset: 0, Cancel));
        Assert.Contains("metadata.example: the connection is refused", failure.Message, StringComparison.Ordinal);
    }

    private async Task ResolveNameAsync(TimeProvider? time = null)
    {
        await using RegistryImageSource source = Source(Reference.Parse(Name), time);
        await source.ResolveAsync(Cancel);
    }

    private static async Task ConnectAsync(AddressRace race, string host)
    {
        using SocketsHttpHandler handler = new() { ConnectCallback = race.ConnectAsync, UseProxy = false };
        using HttpClient client = new(handler);
        try
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{host}/"), Cancel);
        }
        catch (HttpRequestException e) when (e.InnerException is RegistryException refused)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(refused);
        }
    }

    // a listener whose queue is full drops what comes: its address is there, and silent
    private Socket NobodyAnswers(out IPAddress address, out int port)
    {
        address = IPAddress.Parse("127.0.0.3");
        port = Registry.Address.Port;
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, port));
        listener.Listen(0);
        for (int i = 0; i < 4; i++)
        {
            Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            try
            {
                filler.Connect(new IPEndPoint(address, port));
            }
            catch (SocketException)
            {
                // in progress, which is enough
            }

            _fillers.Add(filler);
        }

        return listener;
    }

    private readonly List<Socket> _fillers = [];

    public override async ValueTask DisposeAsync()
    {
        _fillers.ForEach(filler => filler.Dispose());
        await base.DisposeAsync();
    }
}
