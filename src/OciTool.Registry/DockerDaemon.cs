using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>The images of a docker daemon, as archives that it writes and reads.</summary>
/// <remarks>
/// Docker Engine API, <c>GET /images/NAME/get</c> and <c>POST /images/load</c>, without a version in the path, so that the
/// daemon's own holds: both are the same in all versions, and new daemons refuse old ones.
/// </remarks>
public sealed class DockerDaemon : IDisposable
{
    private const string UnixScheme = "unix://";
    private const string DefaultHost = $"{UnixScheme}/var/run/docker.sock";

    private readonly string _host;
    private readonly HttpClient _client;

    private DockerDaemon(string host, HttpClient client) => (_host, _client) = (host, client);

    /// <summary>The daemon that <c>DOCKER_HOST</c> names, else the one of this machine. Nothing is connected yet.</summary>
    /// <param name="options">What the environment says.</param>
    /// <exception cref="OciException"><c>DOCKER_HOST</c> is of a kind that is not supported here, or may not be asked.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the client disposes its handler, and the result the client")]
    public static DockerDaemon Open(RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string host = options.Variable("DOCKER_HOST") ?? DefaultHost;
        bool isSocket = host.StartsWith(UnixScheme, StringComparison.Ordinal);
        Uri address = isSocket ? new Uri("http://docker/") : Tcp(host, options);
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            ConnectCallback = isSocket ? (_, cancellationToken) => ConnectAsync(host[UnixScheme.Length..], cancellationToken) : null,
        };
        return new DockerDaemon(host, new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan });
    }

    /// <summary>Opens an image as the archive that <c>docker save</c> writes.</summary>
    /// <param name="image">Its name or ID.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">There is no daemon, or it does not have the image.</exception>
    public async Task<Stream> SaveAsync(string image, CancellationToken cancellationToken)
    {
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Get, $"images/{image}/get");
            HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            await RequireSuccessAsync(response, $"docker-daemon:{Printable.Shorten(image)}", cancellationToken);
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw CannotConnect(e);
        }
    }

    /// <summary>Hands an archive over, as <c>docker load</c> does.</summary>
    /// <param name="write">Writes the archive, while the daemon reads it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">There is no daemon, or it does not take the archive.</exception>
    public async Task LoadAsync(Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "images/load?quiet=1") { Content = new Archive(write) };
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            await RequireSuccessAsync(response, "images/load", cancellationToken);
            await RequireLoadedAsync(response, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw CannotConnect(e);
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _client.Dispose();

    private static Uri Tcp(string host, RegistryOptions options)
    {
        if (!host.StartsWith("tcp://", StringComparison.Ordinal) || !Uri.TryCreate($"http://{host["tcp://".Length..]}", UriKind.Absolute, out Uri? address))
        {
            throw Unsupported("only unix://PATH and tcp://HOST:PORT are supported");
        }

        return options.IsOffline ? throw new OciException($"{Printable.Shorten(host)} is not asked, because OCI_OFFLINE is set")
            : options.Variable("DOCKER_TLS_VERIFY") is not null ? throw Unsupported("a daemon behind TLS (DOCKER_TLS_VERIFY) is not supported")
            : address;

        OciException Unsupported(string why) => new($"DOCKER_HOST={Printable.Shorten(host)}: {why}")
        {
            Hint = "forward the daemon's socket, for example with 'ssh -L /tmp/docker.sock:/var/run/docker.sock HOST'",
        };
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "the stream disposes the socket")]
    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private OciException CannotConnect(HttpRequestException e)
    {
        bool isAbsent = _host.StartsWith(UnixScheme, StringComparison.Ordinal) && !File.Exists(_host[UnixScheme.Length..]); // .NET calls it an address
        string cause = isAbsent ? "no such file or directory" : (e.InnerException ?? e).Message.TrimEnd('.');
        return e.InnerException is SocketException
            ? new OciException($"cannot connect to the docker daemon at {Printable.Shorten(_host)}: {Printable.Shorten(cause)}", e)
            {
                Hint = "start docker, or name another daemon with DOCKER_HOST",
            }
            : new OciException($"the docker daemon at {Printable.Shorten(_host)} broke off: {Printable.Shorten(cause)}", e);
    }

    private static async Task RequireSuccessAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            using HttpResponseMessage refused = response;
            string said = await refused.Content.ReadAsStringAsync(cancellationToken);
            throw new OciException($"{what}: the docker daemon says: {Member(said, "message") ?? Printable.Shorten(said.Trim())}");
        }
    }

    // a line of JSON for each step, under a status of 200; a failure is the last
    private static async Task RequireLoadedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using StreamReader body = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await body.ReadLineAsync(cancellationToken) is { } line)
        {
            if (Member(line, "error") is { } error)
            {
                throw new OciException($"the docker daemon does not load the image: {error}");
            }
        }
    }

    private static string? Member(string text, string name)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out JsonElement member)
                && member.ValueKind == JsonValueKind.String ? Printable.Shorten(member.GetString()!.Trim()) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The body of a request that is written while it is sent.</summary>
    private sealed class Archive : HttpContent
    {
        private readonly Func<Stream, Task> _write;

        internal Archive(Func<Stream, Task> write)
        {
            _write = write;
            Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        }

        [SuppressMessage("Reliability", "CA2000", Justification = "disposing it would close the request")]
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            BufferedStream buffered = new(stream, 128 << 10);
            await _write(buffered);
            await buffered.FlushAsync();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
