using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Reads what people write for an image in a registry where podman also takes other transports.</summary>
internal static class TransferTargets
{
    private static readonly string[] OtherTransports =
    [
        "containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree", "sif", "tarball",
    ];

    /// <summary>Parses a name, which may stand behind <c>docker://</c>.</summary>
    /// <exception cref="OciException">It is another transport's, or no name.</exception>
    public static Reference Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Array.IndexOf(OtherTransports, text[..colon]) >= 0
            ? throw new OciException($"'{Printable.Shorten(text)}': the transport '{text[..colon]}' is not supported, only docker://")
            {
                Hint = "write a registry's name, for example registry.example.com/team/app:1",
            }
            : Reference.Parse(text);
    }

    /// <summary>Writes the digest of what was copied where <c>--digestfile</c> wants it.</summary>
    /// <exception cref="OciException">The file cannot be written.</exception>
    public static void WriteDigest(string? file, Digest digest)
    {
        if (file is null)
        {
            return;
        }

        try
        {
            File.WriteAllText(file, digest.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"digest file '{Printable.Shorten(file)}' cannot be written: {e.Message}", e);
        }
    }
}
