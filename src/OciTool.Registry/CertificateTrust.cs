using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Decides on servers' certificates, and remembers why one was refused.</summary>
/// <remarks>
/// The system's authorities are those that OpenSSL would use, <c>SSL_CERT_FILE</c> and <c>SSL_CERT_DIR</c> included.
/// containers-certs.d(5): the <c>*.crt</c> files of the registry's directory are authorities of their own; they are
/// read only when the system's do not know the certificate. A pair of <c>NAME.cert</c> and <c>NAME.key</c> there tells the registry who
/// we are, and nobody else.
/// </remarks>
internal sealed class CertificateTrust(RegistryEndpoint endpoint, RegistryOptions options, TimeProvider time)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2Collection _own = ClientCertificates.Read(Found(endpoint.Registry, options));
    private volatile bool _wasAskedForOwn;

    private readonly ConcurrentDictionary<string, string> _refusals = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings of every TLS connection.</summary>
    internal SslClientAuthenticationOptions Options() => new()
    {
        CertificateChainPolicy = ChainPolicy(),
        LocalCertificateSelectionCallback = (_, host, _, server, issuers) => Own(host, isAsked: server is not null || issuers.Length > 0),
        RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
            Accept(((SslStream)sender).TargetHostName, certificate as X509Certificate2, chain, errors),
    };

    /// <summary>Why a host's certificate was refused; null when it was not.</summary>
    internal string? Refusal(string host) => _refusals.GetValueOrDefault(host);

    /// <summary>What a server may have against our own certificate; null when it did not ask for one.</summary>
    internal string? OwnRefusal => !_wasAskedForOwn ? null
        : _own.Count == 0 ? "the server requires a client certificate"
        : $"the server did not accept the client certificate {Name(_own[0].Subject)}";

    /// <summary>Where the user may put a client certificate.</summary>
    internal string OwnHint => $"put NAME.cert and NAME.key into {options.CertDirectory ?? $"/etc/containers/certs.d/{endpoint.Registry}"}"
        + (options.CertDirectory is null ? ", or name their directory with --cert-dir" : "");

    /// <summary>Where the user may put an authority's certificate.</summary>
    internal string Hint() =>
        $"put the authority's certificate into {options.CertDirectory ?? $"/etc/containers/certs.d/{endpoint.Registry}"} as NAME.crt"
        + (options.CertDirectory is null ? ", or name its directory with --cert-dir" : "")
        + "; --tls-verify=false would not verify at all";

    // what a certificate names for download would be fetched from wherever it says
    private static X509ChainPolicy ChainPolicy()
    {
        X509ChainPolicy policy = new() { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        return policy;
    }

    // a server that a registry sends us on to is not told who we are; SslStream calls once before the server has asked
    private X509Certificate2? Own(string host, bool isAsked)
    {
        string server = new Uri($"https://{endpoint.Host}").IdnHost;
        bool isRegistry = string.Equals(host, server, StringComparison.OrdinalIgnoreCase);
        _wasAskedForOwn |= isAsked && isRegistry;
        return isAsked && isRegistry && _own.Count > 0 ? _own[0] : null;
    }

    private bool Accept(string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || !options.VerifiesCertificates)
        {
            return true;
        }

        string reason;
        if (certificate is null || chain is null)
        {
            reason = "the server sent no certificate";
        }
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            reason = $"the certificate is for {Names(certificate)}, not for {host}";
        }
        else
        {
            try
            {
                X509ChainStatusFlags status = Status(chain);
                if (HasOnlyUnknownAuthority(status))
                {
                    status = StatusWithOwnAuthorities(certificate, chain);
                }

                if (status == X509ChainStatusFlags.NoError)
                {
                    return true;
                }

                reason = Describe(certificate, chain, status);
            }
            catch (OciException e)
            {
                reason = e.Message;
            }
        }

        _refusals[host] = reason;
        return false;
    }

    private static bool HasOnlyUnknownAuthority(X509ChainStatusFlags status) =>
        (status & ~(X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) == X509ChainStatusFlags.NoError;

    private static X509ChainStatusFlags Status(X509Chain chain) =>
        chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (flags, status) => flags | status.Status);

    private X509ChainStatusFlags StatusWithOwnAuthorities(X509Certificate2 certificate, X509Chain systemChain)
    {
        X509Certificate2Collection authorities = ReadAuthorities();
        if (authorities.Count == 0)
        {
            return Status(systemChain);
        }

        using X509Chain chain = new() { ChainPolicy = ChainPolicy() };
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(systemChain.ChainPolicy.ExtraStore);
        return chain.Build(certificate) ? X509ChainStatusFlags.NoError : Status(chain);
    }

    private X509Certificate2Collection ReadAuthorities()
    {
        X509Certificate2Collection authorities = [];
        string? directory = Found(endpoint.Registry, options);
        foreach (string file in directory is null ? [] : Directory.EnumerateFiles(directory, "*.crt"))
        {
            try
            {
                byte[] content = File.ReadAllBytes(file);
                if (content.AsSpan().IndexOf("-----BEGIN "u8) >= 0)
                {
                    authorities.ImportFromPem(System.Text.Encoding.ASCII.GetString(content));
                }
                else
                {
                    authorities.Add(X509CertificateLoader.LoadCertificate(content));
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                throw new OciException($"certificate {file} cannot be read: {e.Message.TrimEnd('.')}", e);
            }
        }

        return authorities;
    }

    private static string? Found(string registry, RegistryOptions options)
    {
        string[] directories = options.CertDirectory is { } only
            ? [only]
            :
            [
                Path.Join(options.ConfigHome, "containers/certs.d", registry),
                Path.Join(options.SystemConfiguration, "certs.d", registry),
                $"/etc/docker/certs.d/{registry}",
            ];
        return Array.Find(directories, Directory.Exists);
    }

    private string Describe(X509Certificate2 certificate, X509Chain chain, X509ChainStatusFlags status)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        foreach (X509ChainElement element in chain.ChainElements)
        {
            if (element.Certificate.NotAfter.ToUniversalTime() < now)
            {
                return $"the certificate of {Name(element.Certificate.Subject)} expired on {element.Certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}";
            }

            if (element.Certificate.NotBefore.ToUniversalTime() > now)
            {
                return $"the certificate of {Name(element.Certificate.Subject)} is not valid before "
                    + $"{element.Certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC; is the system's clock right?";
            }
        }

        return !HasOnlyUnknownAuthority(status) ? $"the certificate is not acceptable: {status}"
            : certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
                ? $"the certificate of {Name(certificate.Subject)} is signed by itself and not trusted"
                : $"the certificate is signed by an unknown authority, {Name(chain.ChainElements[^1].Certificate.Issuer)}";
    }

    private static string Names(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(address => address.ToString())];
        return all.Length == 0 ? Name(certificate.Subject) : Printable.Shorten(string.Join(", ", all.Take(8)));
    }

    private static string Name(string distinguishedName) => $"'{Printable.Shorten(distinguishedName, 128)}'";
}
