using System.Net;
using System.Net.Sockets;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>nginx with TLS in front of a registry: it sends everybody who wants a blob on to another origin, as quay.io does.</summary>
internal sealed class RedirectingFront : IDisposable
{
    private readonly RunningProgram _process;
    private readonly TemporaryDirectory _directory;

    private RedirectingFront(RunningProgram process, TemporaryDirectory directory, string host, string blobHost) =>
        (_process, _directory, Host, BlobHost) = (process, directory, host, blobHost);

    /// <summary>The registry.</summary>
    public string Host { get; }

    /// <summary>Where the blobs are.</summary>
    public string BlobHost { get; }

    /// <summary>What was asked of both, a line a request: port, method, path and whether credentials came along.</summary>
    public string[] Requests => File.ReadAllLines(_directory["access.log"]);

    /// <summary>Starts nginx.</summary>
    /// <param name="upstream">The registry behind it, without TLS.</param>
    /// <param name="authority">Whose certificates it shows, and wants to see where it asks for one.</param>
    /// <param name="wantsClientCertificate">Whether the registry's side asks for a client's certificate; the blobs' side does not.</param>
    public static async Task<RedirectingFront> StartAsync(string upstream, Authority authority, bool wantsClientCertificate)
    {
        Need.Programs("nginx");
        TemporaryDirectory directory = new();
        await File.WriteAllTextAsync(directory["ca.pem"], authority.CertificatePem);
        await File.WriteAllTextAsync(directory["server.pem"], authority.ServerCertificatePem);
        await File.WriteAllTextAsync(directory["server.key"], authority.ServerKeyPem);
        (int port, int blobPort) = FreePorts();
        await File.WriteAllTextAsync(directory["nginx.conf"], $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{directory["pid"]}};
            error_log stderr;
            events { }
            http {
              log_format plain '$server_port $request_method $request_uri auth=$http_authorization client=$ssl_client_s_dn';
              access_log {{directory["access.log"]}} plain;
              client_body_temp_path {{directory["body"]}};
              proxy_temp_path {{directory["proxy"]}};
              fastcgi_temp_path {{directory["fastcgi"]}};
              uwsgi_temp_path {{directory["uwsgi"]}};
              scgi_temp_path {{directory["scgi"]}};
              ssl_certificate {{directory["server.pem"]}};
              ssl_certificate_key {{directory["server.key"]}};
              server {
                listen 127.0.0.1:{{port}} ssl;
                ssl_client_certificate {{directory["ca.pem"]}};
                ssl_verify_client {{(wantsClientCertificate ? "on" : "off")}};
                location ~ ^/v2/.+/blobs/ { return 307 https://127.0.0.1:{{blobPort}}$request_uri; }
                location / { proxy_pass http://{{upstream}}; }
              }
              server {
                listen 127.0.0.1:{{blobPort}} ssl;
                location / { proxy_pass http://{{upstream}}; proxy_set_header Authorization ""; }
              }
            }
            """);
        RunningProgram process = RunningProgram.Start(
            Need.Find("nginx")!, ["-p", directory.Path, "-c", directory["nginx.conf"], "-e", "stderr"]);
        await AnswersAsync(blobPort, process);
        return new RedirectingFront(process, directory, $"127.0.0.1:{port}", $"127.0.0.1:{blobPort}");
    }

    public void Dispose()
    {
        _process.Dispose();
        _directory.Dispose();
    }

    private static (int One, int Other) FreePorts()
    {
        using TcpListener one = new(IPAddress.Loopback, 0);
        using TcpListener other = new(IPAddress.Loopback, 0);
        one.Start();
        other.Start();
        return (((IPEndPoint)one.LocalEndpoint).Port, ((IPEndPoint)other.LocalEndpoint).Port);
    }

    private static async Task AnswersAsync(int port, RunningProgram process)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (tries < 600)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            catch (SocketException)
            {
                Assert.Fail($"nginx does not answer: {process}");
            }
        }
    }
}
