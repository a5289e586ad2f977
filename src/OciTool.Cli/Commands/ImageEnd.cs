using OciTool.Images;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary>One end of a copy as it is typed: a name of a registry, or another transport's.</summary>
/// <param name="Registry">The name in a registry; null where it is another transport's.</param>
/// <param name="Transport">What the other transport names; null where it is a registry's.</param>
internal sealed record ImageEnd(Reference? Registry, TransportName? Transport)
{
    private static readonly string[] OtherTransports = ["ostree", "sif", "tarball"];

    /// <summary>Parses what was typed; <c>docker://</c> may stand before a registry's name.</summary>
    /// <exception cref="OciException">It is no name, or that of a transport that is not supported.</exception>
    public static ImageEnd Parse(string text)
    {
        if (TransportName.TryParse(text) is { } transport)
        {
            return new ImageEnd(null, transport);
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Array.IndexOf(OtherTransports, text[..colon]) >= 0
            ? throw new OciException($"'{Printable.Shorten(text)}': the transport '{text[..colon]}' is not supported")
            {
                Hint = $"choose from: docker://, {string.Join(", ", TransportName.Transports.Select(known => $"{known}:"))}",
            }
            : new ImageEnd(Reference.Parse(text), null);
    }
}
