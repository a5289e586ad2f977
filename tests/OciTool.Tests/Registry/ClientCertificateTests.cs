using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class ClientCertificateTests : RegistryTests
{
    private readonly DirectoryInfo _certificates = Directory.CreateTempSubdirectory("oci-test-");
    private readonly X509Certificate2 _server = Certificate("CN=registry");

    public override async ValueTask InitializeAsync()
    {
        Registry = await FaultRegistry.StartAsync(_server, client => client?.Subject == "CN=client");
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        File.WriteAllText(Path.Join(_certificates.FullName, "ca.crt"), _server.ExportCertificatePem());
        Options = Options with { CertDirectory = _certificates.FullName, Retries = 0 };
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _server.Dispose();
        _certificates.Delete(recursive: true);
    }

    [Fact]
    public async Task A_pair_of_certificate_and_key_is_shown_to_a_registry_that_asks()
    {
        Write("client", "CN=client");
        await ResolveAsync();
    }

    [Fact]
    public async Task The_pair_is_found_in_the_directory_of_the_host_and_its_port()
    {
        Environment["XDG_CONFIG_HOME"] = _certificates.FullName;
        string own = $"containers/certs.d/{Registry.Address.Authority}";
        _certificates.CreateSubdirectory(own);
        File.Copy(Path.Join(_certificates.FullName, "ca.crt"), Path.Join(_certificates.FullName, own, "ca.crt"));
        Write($"{own}/client", "CN=client");
        Options = Options with { CertDirectory = null };
        await ResolveAsync();
    }

    [Fact]
    [Fault(42, "a registry that requires a client certificate: the error says so, and where to put one")]
    public async Task A_registry_that_requires_one_is_told_apart_and_the_hint_says_where_it_belongs()
    {
        RegistryException failure = await FailureAsync();
        Assert.EndsWith("the server requires a client certificate", failure.Message, StringComparison.Ordinal);
        Assert.Equal($"put NAME.cert and NAME.key into {_certificates.FullName}", failure.Hint);
    }

    [Fact]
    [Fault(42, "a registry that does not accept our client certificate: the error names the certificate")]
    public async Task A_certificate_that_is_not_accepted_is_named()
    {
        Write("client", "CN=stranger");
        Assert.EndsWith("the server did not accept the client certificate 'CN=stranger'", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_without_its_key_is_an_error()
    {
        Write("client", "CN=client");
        File.Delete(Path.Join(_certificates.FullName, "client.key"));
        OciException failure = Assert.Throws<OciException>(() => Source());
        Assert.Equal($"client certificate {_certificates.FullName}/client.cert: its key client.key is missing", failure.Message);
        Assert.Contains(".crt", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_without_its_certificate_is_an_error()
    {
        Write("client", "CN=client");
        File.Delete(Path.Join(_certificates.FullName, "client.cert"));
        Assert.Equal(
            $"client key {_certificates.FullName}/client.key: its certificate client.cert is missing",
            Assert.Throws<OciException>(() => Source()).Message);
    }

    [Fact]
    public void A_pair_that_cannot_be_read_is_named()
    {
        Write("client", "CN=client");
        File.WriteAllText(Path.Join(_certificates.FullName, "client.key"), "no key");
        Assert.StartsWith(
            $"client certificate {_certificates.FullName}/client.cert with its key client.key cannot be read: ",
            Assert.Throws<OciException>(() => Source()).Message, StringComparison.Ordinal);
    }

    private void Write(string name, string subject)
    {
        using X509Certificate2 certificate = Certificate(subject);
        File.WriteAllText(Path.Join(_certificates.FullName, $"{name}.cert"), certificate.ExportCertificatePem());
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Join(_certificates.FullName, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private static X509Certificate2 Certificate(string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
