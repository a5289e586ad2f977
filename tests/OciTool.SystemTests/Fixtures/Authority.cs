using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OciTool.SystemTests.Fixtures;

/// <summary>An own certificate authority, and one certificate of it for 127.0.0.1.</summary>
public sealed class Authority : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly X509Certificate2 _certificate;
    private readonly RSA _serverKey = RSA.Create(2048);
    private readonly X509Certificate2 _serverCertificate;

    public Authority()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        CertificateRequest own = new("CN=oci test authority", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        own.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        own.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        own.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(own.PublicKey, false));
        _certificate = own.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));

        CertificateRequest server = new("CN=127.0.0.1", _serverKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        server.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        _serverCertificate = server.Create(_certificate, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
    }

    public string CertificatePem => _certificate.ExportCertificatePem();

    public string ServerCertificatePem => _serverCertificate.ExportCertificatePem();

    public string ServerKeyPem => _serverKey.ExportPkcs8PrivateKeyPem();

    /// <summary>The server's certificate for the header <c>x5c</c> of RFC 7515, section 4.1.6.</summary>
    public string ServerCertificateBase64 => Convert.ToBase64String(_serverCertificate.RawData);

    /// <summary>A certificate for a client, and its key.</summary>
    public (string CertificatePem, string KeyPem) Client(string name)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using X509Certificate2 certificate = request.Create(_certificate, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 5]);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>An RS256 signature (RFC 7518, section 3.3) with the server's key.</summary>
    public byte[] Sign(byte[] content) =>
        _serverKey.SignData(content, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public void Dispose()
    {
        _serverCertificate.Dispose();
        _serverKey.Dispose();
        _certificate.Dispose();
        _key.Dispose();
    }
}
