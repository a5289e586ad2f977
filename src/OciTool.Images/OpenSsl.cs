using System.Runtime.InteropServices;

namespace OciTool.Images;

/// <summary>OpenSSL, by which .NET hashes and encrypts: where it is missing the process would end in an abort, without a word of ours.</summary>
public static class OpenSsl
{
    // those that .NET looks for, in its order
    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0", "libssl.so.10"];

    // .NET opens it anyway, and then finds it open
    private static readonly Lazy<bool> IsHere = new(() =>
        Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE") is { Length: > 0 }
        || Array.Exists(Names, name => NativeLibrary.TryLoad(name, out _)));

    /// <summary>Ends what needs OpenSSL and cannot have it; called before the first hash and the first connection.</summary>
    /// <exception cref="OciException">It is not installed.</exception>
    public static void Require()
    {
        if (!IsHere.Value)
        {
            throw new OciException("OpenSSL (libssl.so.3) is not installed: no digest can be checked and no registry be asked")
            {
                Hint = "install it: apt-get install libssl3, dnf install openssl-libs, or apk add libssl3",
            };
        }
    }
}
