using System.Text.RegularExpressions;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Debian's docker-registry as a process on a free loopback port.</summary>
public sealed partial class RegistryProcess : IAsyncDisposable
{
    /// <summary>The only ones who are let in where the registry asks for them.</summary>
    public const string Credentials = "tester:s3cret,pass";

    private readonly RunningProgram _process;
    private readonly TemporaryDirectory _directory;
    private readonly TokenServer? _tokens;

    private RegistryProcess(RunningProgram process, TemporaryDirectory directory, TokenServer? tokens, string host)
    {
        _process = process;
        _directory = directory;
        _tokens = tokens;
        Host = host;
    }

    /// <summary>For example <c>127.0.0.1:40123</c>.</summary>
    public string Host { get; }

    /// <summary>Starts a registry over <paramref name="storage"/>, which several registries may share.</summary>
    /// <param name="deletes">Whether it deletes manifests.</param>
    public static async Task<RegistryProcess> StartAsync(RegistryAuth auth, string storage, Authority authority, bool deletes = false)
    {
        Need.Programs("docker-registry");
        TemporaryDirectory directory = new();
        TokenServer? tokens = auth == RegistryAuth.Bearer ? await TokenServer.StartAsync(authority, Credentials) : null;
        await File.WriteAllTextAsync(directory["ca.pem"], authority.CertificatePem);
        await File.WriteAllTextAsync(directory["server.pem"], authority.ServerCertificatePem);
        await File.WriteAllTextAsync(directory["server.key"], authority.ServerKeyPem);
        if (auth == RegistryAuth.Basic)
        {
            Need.Programs("htpasswd");
            string[] credentials = Credentials.Split(':');
            ProgramResult entry = await Shell.RunAsync("htpasswd", "-nbB", credentials[0], credentials[1]);
            await File.WriteAllTextAsync(directory["htpasswd"], entry.Succeeded().Output);
        }

        string asks = auth switch
        {
            RegistryAuth.Basic => $"""
                auth:
                  htpasswd:
                    realm: oci-test
                    path: {directory["htpasswd"]}
                """,
            RegistryAuth.Bearer => $"""
                auth:
                  token:
                    realm: {tokens!.Realm}
                    service: {TokenServer.Service}
                    issuer: {TokenServer.Issuer}
                    rootcertbundle: {directory["ca.pem"]}
                """,
            _ => "",
        };
        string encrypts = auth is not (RegistryAuth.Tls or RegistryAuth.MutualTls) ? "" : $"""
              tls:
                certificate: {directory["server.pem"]}
                key: {directory["server.key"]}
                {(auth == RegistryAuth.MutualTls ? $"clientcas: [{directory["ca.pem"]}]" : "")}
            """;
        await File.WriteAllTextAsync(directory["config.yml"], $"""
            version: 0.1
            log:
              level: info
            storage:
              filesystem:
                rootdirectory: {storage}
              delete:
                enabled: {(deletes ? "true" : "false")}
            http:
              addr: 127.0.0.1:0
            {encrypts}
            {asks}
            """);
        var process = RunningProgram.Start("docker-registry", ["serve", directory["config.yml"]]);
        string log = await process.ErrorHasAsync("listening on");
        while (!Listening().IsMatch(log))
        {
            log = await process.ErrorHasAsync("\n");
        }

        return new(process, directory, tokens, Listening().Match(log).Groups["host"].Value);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Dispose();
        if (_tokens is not null)
        {
            await _tokens.DisposeAsync();
        }

        _directory.Dispose();
    }

    [GeneratedRegex(@"listening on (?<host>127\.0\.0\.1:\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
