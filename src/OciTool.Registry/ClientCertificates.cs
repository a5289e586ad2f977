using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Reads the certificates that tell a registry who we are.</summary>
/// <remarks>containers-certs.d(5): <c>NAME.cert</c> is the certificate and <c>NAME.key</c> its key, both in PEM.</remarks>
internal static class ClientCertificates
{
    /// <summary>All pairs of a directory, in the order of their names.</summary>
    /// <param name="directory">The directory; null when there is none.</param>
    /// <exception cref="OciException">A half of a pair is missing, or one cannot be read.</exception>
    internal static X509Certificate2Collection Read(string? directory)
    {
        X509Certificate2Collection certificates = [];
        foreach (string file in directory is null ? [] : Files(directory))
        {
            switch (Path.GetExtension(file))
            {
                case ".cert":
                    string key = Path.ChangeExtension(file, ".key");
                    if (!File.Exists(key))
                    {
                        throw new OciException($"client certificate {file}: its key {Path.GetFileName(key)} is missing")
                        {
                            Hint = "the certificate of an authority has a name that ends in .crt",
                        };
                    }

                    certificates.Add(Load(file, key));
                    break;
                case ".key" when !File.Exists(Path.ChangeExtension(file, ".cert")):
                    throw new OciException($"client key {file}: its certificate {Path.GetFileNameWithoutExtension(file)}.cert is missing");
                default:
                    break;
            }
        }

        return certificates;
    }

    private static string[] Files(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"certificate directory {directory}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static X509Certificate2 Load(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new OciException($"client certificate {certificate} with its key {Path.GetFileName(key)} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }
}
