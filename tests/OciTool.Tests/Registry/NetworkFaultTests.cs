using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>Rows of the fault matrix that are about one connection, seen from the client.</summary>
public sealed class NetworkFaultTests : RegistryTests
{
    private readonly byte[] _content = Bytes(300_000);
    private long _sent;

    private string[] Blobs => [.. Registry.Requests.Where(request => request.Url.Contains("/blobs/", StringComparison.Ordinal))
        .Select(request => request.Range ?? "")];

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "bytes=1-")]
    [InlineData(150_000, "bytes=150000-")]
    [InlineData(299_999, "bytes=299999-")]
    [Fault(21, "the rest is asked for from the byte where the connection broke, be it the first or the last; nothing comes twice")]
    public async Task A_connection_that_is_reset_goes_on_at_the_very_byte(int at, string range)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => ServeAsync(context, breakAfter: Blobs.Length == 1 ? at : int.MaxValue);
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Equal(["", range], Blobs);
        Assert.Equal(_content.Length, _sent);
    }

    [Fact]
    [Fault(28, "a token that expires in the middle of a blob is replaced, and the blob goes on at the same byte")]
    public async Task A_token_that_expires_in_the_middle_of_a_blob_is_replaced_and_the_blob_goes_on()
    {
        Descriptor blob = Registry.AddBlob(_content);
        int tokens = 0;
        string valid = "Bearer t1";
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/token")
            {
                await context.Response.WriteAsync($$"""{"token":"t{{++tokens}}"}""");
                return true;
            }

            if (context.Request.Headers.Authorization != valid)
            {
                return Challenge(context);
            }

            bool isFirst = valid == "Bearer t1";
            valid = isFirst && context.Request.Path != "/v2/" ? "Bearer t2" : valid;
            return await ServeAsync(context, isFirst ? 100_000 : int.MaxValue);
        };
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Equal(2, tokens);
        Assert.Equal(["", "bytes=100000-", "bytes=100000-"], Blobs);
        Assert.Equal(_content.Length, _sent);
    }

    [Fact]
    [Fault(28, "a second 401 for the same request says authentication required, and what came is kept")]
    public async Task A_second_401_in_the_middle_of_a_blob_is_an_error()
    {
        Descriptor blob = Registry.AddBlob(_content);
        int blobs = 0;
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/token")
            {
                await context.Response.WriteAsync("""{"token":"t"}""");
                return true;
            }

            return context.Request.Path == "/v2/" || blobs++ > 0 ? Challenge(context) : await ServeAsync(context, 100_000);
        };
        await using RegistryImageSource source = Source();
        await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel);
        byte[] came = new byte[100_000];
        await stream.ReadExactlyAsync(came, Cancel);
        Assert.Equal(_content[..100_000], came);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => stream.CopyToAsync(Stream.Null, Cancel));
        Assert.Contains("authentication required", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, blobs);
    }

    [Theory]
    [InlineData("chunked")]
    [InlineData("gzip")]
    [Fault(30, "without a length, or with a Content-Encoding that nobody asked for, the bytes are taken as they are: nothing is decompressed")]
    public async Task Bytes_are_taken_as_they_come_whatever_the_headers_say(string what)
    {
        Descriptor blob = Registry.AddBlob(_content);
        ConcurrentQueue<string> accepted = new();
        Registry.Fault = async context =>
        {
            accepted.Enqueue(context.Request.Headers.AcceptEncoding.ToString());
            if (context.Request.Path == "/v2/")
            {
                return false;
            }

            context.Response.Headers.ContentEncoding = what == "gzip" ? "gzip" : default;
            context.Response.ContentLength = what == "gzip" ? _content.Length : null;
            await context.Response.Body.WriteAsync(_content);
            return true;
        };
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.All(accepted, encoding => Assert.Equal("identity", encoding));
    }

    [Theory]
    [InlineData(3650)]
    [InlineData(-3650)]
    [Fault(20, "a clock that jumps ten years during a pull changes nothing: no wait, no new token")]
    public async Task A_clock_that_jumps_changes_nothing(int days)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        JumpingTime time = new();
        int tokens = 0;
        int blobs = 0;
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/token")
            {
                await context.Response.WriteAsync($$"""{"token":"t{{++tokens}}","expires_in":300,"issued_at":"2026-01-01T00:00:00Z"}""");
                return true;
            }

            if (context.Request.Headers.Authorization != "Bearer t1")
            {
                return Challenge(context);
            }

            if (context.Request.Path.ToString().Contains("/blobs/", StringComparison.Ordinal) && blobs++ == 0)
            {
                time.Jump = TimeSpan.FromDays(days);
                return await ServeAsync(context, 100_000);
            }

            return false;
        };
        await using RegistryImageSource source = Source(time: time);
        await source.ResolveAsync(Cancel);
        await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel);
        using MemoryStream bytes = new();
        await stream.CopyToAsync(bytes, Cancel);
        Assert.Equal(_content, bytes.ToArray());
        await source.ResolveAsync(Cancel);
        Assert.Equal(1, tokens);
        Assert.Empty(Warnings);
    }

    [Fact]
    [Fault(25, "a server that accepts the connection and does not answer the TLS handshake is given up after 10 s")]
    public async Task A_server_that_does_not_answer_the_handshake_is_given_up()
    {
        Options = Options with { Retries = 0, ConnectTimeout = TimeSpan.FromMilliseconds(300), ResponseTimeout = TimeSpan.FromMilliseconds(300) };
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        await using RegistryImageSource source = Source(Reference.Parse($"{silent.LocalEndpoint}/fedora:34"), TimeProvider.System);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
        Assert.EndsWith("within 0.3 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(39, "a server that would speak HTTP/2 is offered HTTP/1.1 only, and speaks that: there are no frames, and so no GOAWAY")]
    public async Task A_server_that_offers_HTTP_2_is_spoken_to_with_HTTP_1()
    {
        using X509Certificate2 certificate = Certificate();
        await using FaultRegistry secure = await FaultRegistry.StartAsync(certificate);
        secure.AddManifest("34", MediaTypes.OciManifest, Manifest);
        ConcurrentQueue<string> protocols = new();
        secure.Fault = context =>
        {
            protocols.Enqueue(context.Request.Protocol);
            return Task.FromResult(false);
        };
        Options = Options with { TlsVerify = false };
        await using RegistryImageSource source = Source(secure.Reference("fedora:34"));
        await source.ResolveAsync(Cancel);
        Assert.NotEmpty(protocols);
        Assert.All(protocols, protocol => Assert.Equal("HTTP/1.1", protocol));
    }

    [Fact]
    [SuppressMessage("Reliability", "CA2025", Justification = "the task is awaited when the listener has stopped, which ends it")]
    [Fault(39, "HTTP/2 frames that come all the same are no answer: one clear error")]
    public async Task Frames_of_HTTP_2_are_no_answer()
    {
        Options = Options with { Retries = 0 };
        using TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        Task serving = ServeGoAwayAsync(server);
        await using (RegistryImageSource source = Source(Reference.Parse($"{server.LocalEndpoint}/fedora:34")))
        {
            RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
            Assert.Contains("the connection was closed before an answer came", failure.Message, StringComparison.Ordinal);
        }

        server.Stop();
        await serving;
    }

    private static async Task ServeGoAwayAsync(TcpListener server)
    {
        byte[] request = new byte[4096];
        try
        {
            while (true)
            {
                using TcpClient client = await server.AcceptTcpClientAsync(Cancel);
                NetworkStream stream = client.GetStream();
                int read = await stream.ReadAsync(request, Cancel);
                if (read > 0 && request[0] == 'G') // and not a TLS handshake, which is only closed
                {
                    // RFC 9113, section 6.8: a GOAWAY frame with NO_ERROR
                    await stream.WriteAsync(new byte[] { 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, Cancel);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // the test is over
        }
    }

    private bool Challenge(HttpContext context)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{Registry.Origin}/token\"";
        return true;
    }

    private async Task<bool> ServeAsync(HttpContext context, int breakAfter)
    {
        if (!context.Request.Path.ToString().Contains("/blobs/", StringComparison.Ordinal))
        {
            return false;
        }

        string range = context.Request.Headers.Range.ToString();
        int from = range.Length == 0 ? 0 : int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
        _sent += Math.Min(breakAfter, _content.Length - from);
        await FaultRegistry.WriteBlobAsync(context, _content, breakAfter);
        return true;
    }

    private static X509Certificate2 Certificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
    }

    /// <summary>A clock whose time of day jumps, and whose running time does not.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        internal TimeSpan Jump { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;
    }
}
