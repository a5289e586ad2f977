using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Certificates of both sides, and a registry whose blobs are elsewhere.</summary>
public sealed class RegistryTlsTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task SSL_CERT_FILE_names_the_authorities()
    {
        string image = await ImageAsync(RegistryAuth.Tls);
        Failed(await Oci.RunAsync("pull", "-q", image), 125, "unknown authority, 'CN=oci test authority'");
        (await Oci.RunAsync([("SSL_CERT_FILE", Machine.AuthorityFile)], null, "pull", "-q", image)).Succeeded();
    }

    [Fact]
    public async Task SSL_CERT_DIR_names_a_directory_of_authorities()
    {
        Need.Programs("openssl");
        string image = await ImageAsync(RegistryAuth.Tls);
        Directory.CreateDirectory(Oci["authorities"]);
        File.Copy(Machine.AuthorityFile, Path.Join(Oci["authorities"], "own.pem"));
        (await Shell.RunAsync("openssl", "rehash", Oci["authorities"])).Succeeded();
        (await Oci.RunAsync([("SSL_CERT_DIR", Oci["authorities"])], null, "pull", "-q", image)).Succeeded();
    }

    [Fact]
    [Fault(42, "docker-registry requires a client certificate: the error says so; NAME.cert and NAME.key let us in")]
    public async Task A_registry_that_requires_a_client_certificate_gets_it()
    {
        string image = await ImageAsync(RegistryAuth.MutualTls);
        string certificates = Certificates(withClient: false);
        Failed(
            await Oci.RunAsync("pull", "-q", "--retry", "0", "--cert-dir", certificates, image), 125, "the server requires a client certificate$");
        Certificates(withClient: true);
        (await Oci.RunAsync("pull", "-q", "--cert-dir", certificates, image)).Succeeded();

        string config = Oci["home/.config/containers/certs.d"];
        Directory.CreateDirectory(config);
        Directory.Move(certificates, Path.Join(config, image[..image.IndexOf('/', StringComparison.Ordinal)]));
        (await Oci.RunAsync("pull", "-q", image)).Succeeded();
    }

    [Fact]
    public async Task A_run_that_pulls_takes_the_same_options()
    {
        string image = await ImageAsync(RegistryAuth.MutualTls);
        ProgramResult run = await Oci.RunAsync(
            "run", "--rm", "-q", "--cert-dir", Certificates(withClient: true), "--retry", "1", "--retry-delay", "10ms", image, "echo", "hello");
        Assert.Equal("hello\n", run.Succeeded().Output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Blobs_behind_a_redirect_to_another_origin_are_fetched_without_credentials(bool wantsClientCertificate)
    {
        await Machine.PlainAsync();
        string upstream = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string open = await Machine.HostAsync();
        using RedirectingFront front = await RedirectingFront.StartAsync(
            wantsClientCertificate ? open : upstream, Machine.Authority, wantsClientCertificate);
        string[] credentials = wantsClientCertificate ? [] : ["--creds", RegistryProcess.Credentials];

        ProgramResult pull = await Oci.RunAsync(
            ["pull", "-q", "--retry", "0", "--cert-dir", Certificates(wantsClientCertificate), .. credentials, $"{front.Host}/busybox:latest"]);

        string blobPort = front.BlobHost.Split(':')[1];
        string[] redirected = [.. front.Requests.Where(request => request.StartsWith(blobPort, StringComparison.Ordinal))];
        Assert.NotEmpty(redirected);
        Assert.All(redirected, request => Assert.EndsWith("auth=- client=-", request, StringComparison.Ordinal));
        if (wantsClientCertificate)
        {
            pull.Succeeded();
            Assert.Contains(front.Requests, request => request.EndsWith("client=CN=client", StringComparison.Ordinal));
            await Oci.BlobsAreWholeAsync();
        }
        else
        {
            // the registry behind the second origin wants a password too, which must not go there
            Failed(pull, 125, "401|authentication");
            Assert.Contains(front.Requests, request => request.Contains("auth=Basic ", StringComparison.Ordinal));
        }
    }

    private async Task<string> ImageAsync(RegistryAuth auth)
    {
        await Machine.PlainAsync();
        return $"{(await Machine.RegistryAsync(auth)).Host}/busybox:latest";
    }

    private string Certificates(bool withClient)
    {
        string directory = Oci["certs"];
        Directory.CreateDirectory(directory);
        File.Copy(Machine.AuthorityFile, Path.Join(directory, "ca.crt"), overwrite: true);
        if (withClient)
        {
            (string certificate, string key) = Machine.Authority.Client("client");
            File.WriteAllText(Path.Join(directory, "client.cert"), certificate);
            File.WriteAllText(Path.Join(directory, "client.key"), key);
        }

        return directory;
    }
}
