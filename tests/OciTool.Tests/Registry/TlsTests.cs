using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class TlsTests : RegistryTests
{
    private readonly DirectoryInfo _certificates = Directory.CreateTempSubdirectory("oci-test-");
    private readonly X509Certificate2 _authority = Authority();

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _authority.Dispose();
        _certificates.Delete(recursive: true);
    }

    [Fact]
    [Fault(42, "an own authority is trusted when its certificate is in the directory")]
    public async Task An_own_authority_is_trusted_when_it_is_in_the_certificate_directory()
    {
        await StartAsync(Certificate());
        await File.WriteAllTextAsync(Path.Join(_certificates.FullName, "own.crt"), _authority.ExportCertificatePem(), Cancel);
        Options = Options with { CertDirectory = _certificates.FullName };
        await ResolveAsync();
    }

    [Fact]
    public async Task An_own_authority_is_found_in_the_users_directory_for_this_registry_in_DER_too()
    {
        await StartAsync(Certificate());
        Environment["XDG_CONFIG_HOME"] = _certificates.FullName;
        DirectoryInfo own = _certificates.CreateSubdirectory($"containers/certs.d/{Registry.Address.Authority}");
        await File.WriteAllBytesAsync(Path.Join(own.FullName, "own.crt"), _authority.Export(X509ContentType.Cert), Cancel);
        await ResolveAsync();
    }

    [Fact]
    [Fault(42, "an unknown authority is named, with the path to put its certificate; plain HTTP is not tried")]
    public async Task An_unknown_authority_is_named_and_plain_http_is_not_tried()
    {
        await StartAsync(Certificate());
        RegistryException failure = await FailureAsync();
        Assert.Equal($"{Registry.Origin}: the certificate is signed by an unknown authority, 'CN=oci test authority'", failure.Message);
        Assert.Contains($"/etc/containers/certs.d/{Registry.Address.Authority}", failure.Hint, StringComparison.Ordinal);
        Assert.Contains("--tls-verify=false", failure.Hint, StringComparison.Ordinal);
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    [Fault(42, "a self-signed certificate is refused")]
    public async Task A_certificate_that_is_signed_by_itself_is_not_trusted()
    {
        await StartAsync(_authority);
        Assert.Contains("is for 'CN=oci test authority', not for 127.0.0.1", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(42, "a certificate for another host is refused, and says for which")]
    public async Task A_certificate_for_another_host_is_refused_even_from_a_known_authority()
    {
        await StartAsync(Certificate(host: "quay.example"));
        await File.WriteAllTextAsync(Path.Join(_certificates.FullName, "own.crt"), _authority.ExportCertificatePem(), Cancel);
        Options = Options with { CertDirectory = _certificates.FullName };
        Assert.Equal($"{Registry.Origin}: the certificate is for quay.example, not for 127.0.0.1", (await FailureAsync()).Message);
    }

    [Fact]
    [Fault(42, "an expired certificate says when it did")]
    public async Task A_certificate_that_has_expired_says_when()
    {
        await StartAsync(Certificate(until: new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero)));
        Assert.Contains("expired on 2026-02-03", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(20, "a certificate that is not valid yet asks whether the clock is right")]
    public async Task A_certificate_from_the_future_makes_one_look_at_the_clock()
    {
        await StartAsync(Certificate(from: DateTimeOffset.UtcNow.AddYears(1), until: DateTimeOffset.UtcNow.AddYears(2)));
        Assert.Contains("is the system's clock right?", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_verification_any_certificate_does()
    {
        await StartAsync(Certificate(host: "quay.example"));
        Options = Options with { TlsVerify = false };
        await ResolveAsync();
    }

    [Fact]
    public async Task A_broken_file_in_the_certificate_directory_is_named()
    {
        await StartAsync(Certificate());
        string file = Path.Join(_certificates.FullName, "own.crt");
        await File.WriteAllTextAsync(file, "no certificate", Cancel);
        Options = Options with { CertDirectory = _certificates.FullName };
        Assert.Contains($"certificate {file} cannot be read", (await FailureAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_directory_that_is_missing_is_an_error()
    {
        await StartAsync(Certificate());
        Options = Options with { CertDirectory = "/nonexistent/certs" };
        Assert.Equal("certificate directory '/nonexistent/certs': no such directory", Assert.Throws<OciException>(() => Source()).Message);
    }

    private async Task StartAsync(X509Certificate2 certificate)
    {
        Registry = await FaultRegistry.StartAsync(certificate);
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
    }

    private static X509Certificate2 Authority()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=oci test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    private X509Certificate2 Certificate(string? host = null, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=registry", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        if (host is null)
        {
            names.AddIpAddress(IPAddress.Loopback);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using X509Certificate2 certificate = request.Create(
            _authority, from ?? new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero), until ?? new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero), [1, 2, 3]);
        return certificate.CopyWithPrivateKey(key);
    }
}
