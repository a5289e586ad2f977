using System.Globalization;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>The forms in which images lie outside of stores and registries.</summary>
public enum TransportKind
{
    /// <summary>An OCI image layout in a directory, <c>oci:PATH[:REF]</c>.</summary>
    OciLayout,

    /// <summary>A tar archive of an OCI image layout, <c>oci-archive:FILE[:REF]</c>.</summary>
    OciArchive,

    /// <summary>What <c>docker save</c> writes, <c>docker-archive:FILE[:REF|@INDEX]</c>.</summary>
    DockerArchive,

    /// <summary>One image as plain files in a directory, <c>dir:PATH</c>.</summary>
    Directory,

    /// <summary>An image of a docker daemon, <c>docker-daemon:NAME:TAG|sha256:ID</c>.</summary>
    DockerDaemon,

    /// <summary>An image of a store of podman, buildah or CRI-O, <c>containers-storage:[STORE]NAME|ID</c>.</summary>
    ContainersStorage,
}

/// <summary>Where an image lies or is to lie, as it is typed: containers-transports(5).</summary>
/// <param name="Kind">The form.</param>
/// <param name="Path">The file or directory; in a daemon or a store, the image.</param>
/// <param name="Image">Which image of several; null where that is not said.</param>
public sealed record TransportName(TransportKind Kind, string Path, string? Image)
{
    private static readonly Dictionary<string, TransportKind> Kinds = new()
    {
        ["oci"] = TransportKind.OciLayout,
        ["oci-archive"] = TransportKind.OciArchive,
        ["docker-archive"] = TransportKind.DockerArchive,
        ["dir"] = TransportKind.Directory,
        ["docker-daemon"] = TransportKind.DockerDaemon,
        ["containers-storage"] = TransportKind.ContainersStorage,
    };

    /// <summary>The position of the image in a docker archive, where one was written as <c>@INDEX</c>.</summary>
    public int? Index => Kind == TransportKind.DockerArchive && Image is ['@', .. var digits]
        && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;

    /// <summary>How the transports are written, without the colon.</summary>
    public static IReadOnlyCollection<string> Transports => Kinds.Keys;

    /// <summary>The format that manifests have to have there; null for any. Readers of layouts pass over entries that are not OCI's.</summary>
    public ManifestFormat? Format => Kind is TransportKind.OciLayout or TransportKind.OciArchive ? ManifestFormat.Oci : null;

    /// <summary>Reads a name; text that begins with no transport of this list is another's.</summary>
    /// <param name="text">What was typed.</param>
    /// <returns>Null when it is none.</returns>
    /// <exception cref="OciException">There is no path behind the transport.</exception>
    public static TransportName? TryParse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !Kinds.TryGetValue(text[..colon], out TransportKind kind))
        {
            return null;
        }

        string rest = text[(colon + 1)..];
        bool isPath = kind is TransportKind.Directory or TransportKind.DockerDaemon or TransportKind.ContainersStorage;
        int second = isPath ? -1 : rest.IndexOf(':', StringComparison.Ordinal);
        (string path, string? image) = second < 0 ? (rest, null) : (rest[..second], rest[(second + 1)..]);
        return path.Length > 0
            ? new TransportName(kind, path, image is "" ? null : image)
            : throw new OciException($"'{Printable.Shorten(text)}': there is nothing behind the transport");
    }

    /// <summary>As it is typed.</summary>
    public override string ToString()
    {
        string kind = Kinds.First(known => known.Value == Kind).Key;
        return $"{kind}:{Printable.Shorten(Path)}{(Image is null ? "" : $":{Printable.Shorten(Image)}")}";
    }
}
