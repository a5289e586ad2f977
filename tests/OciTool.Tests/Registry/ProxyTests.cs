using System.Net;
using System.Net.Sockets;
using System.Text;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>A proxy that answers every request with one status, and a registry that only it could reach.</summary>
public sealed class ProxyTests : RegistryTests
{
    private readonly TcpListener _proxy = new(IPAddress.Loopback, 0);
    private readonly List<string> _seen = [];

    private string ProxyHost { get; set; } = "";

    public override ValueTask InitializeAsync()
    {
        _proxy.Start();
        ProxyHost = $"127.0.0.1:{((IPEndPoint)_proxy.LocalEndpoint).Port}";
        Options = Options with { Retries = 0 };
        return base.InitializeAsync();
    }

    public override ValueTask DisposeAsync()
    {
        _proxy.Dispose();
        return base.DisposeAsync();
    }

    [Fact]
    [Fault(40, "a proxy that wants credentials (407): the error names it, without what is in its URL")]
    public async Task A_proxy_that_wants_credentials_is_named()
    {
        Environment["HTTPS_PROXY"] = $"http://{ProxyHost}";
        RegistryException failure = await FailureAsync("407 Proxy Authentication Required");
        Assert.StartsWith($"https://quay.invalid: the proxy http://{ProxyHost} wants a user and a password (407)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("NO_PROXY", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(40, "credentials in a proxy's URL are in no error")]
    public async Task Credentials_in_the_URL_are_used_and_in_no_error()
    {
        Environment["HTTPS_PROXY"] = $"http://user:s3cret@{ProxyHost}";
        RegistryException failure = await FailureAsync("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"x\"");
        Assert.DoesNotContain("s3cret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", string.Join(' ', Warnings), StringComparison.Ordinal);
        Assert.Contains(_seen, request => request.Contains($"Proxy-Authorization: {Basic("user:s3cret")}", StringComparison.Ordinal));
    }

    [Fact]
    [Fault(40, "a proxy that cannot reach the registry (CONNECT 502): the error names the proxy and its answer")]
    public async Task A_proxy_that_cannot_connect_is_named_with_its_answer()
    {
        Environment["HTTPS_PROXY"] = $"http://{ProxyHost}";
        RegistryException failure = await FailureAsync("502 Bad Gateway");
        Assert.Equal($"https://quay.invalid: the proxy http://{ProxyHost} answered 502 to CONNECT", failure.Message);
        Assert.StartsWith("CONNECT quay.invalid:443 ", _seen[0], StringComparison.Ordinal);
    }

    [Fact]
    [Fault(40, "a proxy that is not there: the error names it and not only the registry")]
    public async Task A_proxy_that_is_not_there_is_named()
    {
        string host = ProxyHost;
        _proxy.Stop();
        Environment["HTTPS_PROXY"] = $"http://{host}";
        RegistryException failure = await FailureAsync(answer: null);
        Assert.Equal($"https://quay.invalid: the proxy http://{host} refused the connection", failure.Message);
    }

    [Fact]
    [Fault(40, "a host in NO_PROXY is asked directly")]
    public async Task What_NO_PROXY_lists_is_asked_directly()
    {
        Environment["HTTPS_PROXY"] = $"http://{ProxyHost}";
        Environment["NO_PROXY"] = ".invalid";
        RegistryException failure = await FailureAsync(answer: null);
        Assert.DoesNotContain("proxy", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_seen);
    }

    private async Task<RegistryException> FailureAsync(string? answer, string header = "X-Test: 1")
    {
        Task serving = answer is null ? Task.CompletedTask : ServeAsync($"HTTP/1.1 {answer}\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using RegistryImageSource source = Source(Reference.Parse("quay.invalid/fedora:34"));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
        _proxy.Stop();
        await serving;
        return failure;
    }

    private async Task ServeAsync(string answer)
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _proxy.AcceptTcpClientAsync(Cancel);
                await using NetworkStream stream = client.GetStream();
                byte[] buffer = new byte[65536];
                int length = 0;
                int read;
                while (!Encoding.ASCII.GetString(buffer, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal)
                    && (read = await stream.ReadAsync(buffer.AsMemory(length), Cancel)) > 0)
                {
                    length += read;
                }

                _seen.Add(Encoding.ASCII.GetString(buffer, 0, length));
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Cancel);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // the test is over
        }
    }
}
