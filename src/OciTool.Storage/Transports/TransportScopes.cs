using OciTool.Images;
using OciTool.Images.Verification;

namespace OciTool.Storage.Transports;

/// <summary>The scopes of a signature policy that hold for an archive or a directory.</summary>
/// <remarks>containers-policy.json(5), section "Supported transports and their scopes".</remarks>
public static class TransportScopes
{
    private const int MaxLinks = 40; // as the kernel

    /// <summary>The scopes of what lies at a path, most specific first.</summary>
    /// <param name="kind">The form in which it lies there.</param>
    /// <param name="path">The path; null for a pipe, which has no scope but that of its whole transport.</param>
    /// <exception cref="OciException">The path is behind too many links.</exception>
    public static TransportScope Of(TransportKind kind, string? path)
    {
        if (kind == TransportKind.DockerDaemon)
        {
            string image = $"docker-daemon:{Printable.Shorten(path!)}";
            return Digest.TryParse(path, provider: null, out _)
                ? new TransportScope("docker-daemon", [path!], image)
                : TransportScope.Of("docker-daemon", Reference.Parse(path!), image);
        }

        string transport = kind switch
        {
            TransportKind.OciLayout => "oci",
            TransportKind.OciArchive => "oci-archive",
            TransportKind.Directory => "dir",
            _ => "docker-archive",
        };

        // a docker-archive has no scopes of paths, as in podman
        return new TransportScope(
            transport,
            path is null || kind == TransportKind.DockerArchive ? [] : [.. AndAbove(Resolve(path))],
            $"{transport}:{(path is null ? "the standard input" : Printable.Shorten(path))}");
    }

    /// <summary>The scopes of an image of a store of podman, buildah or CRI-O: the image there, the store with its driver, and without.</summary>
    /// <param name="path">What stands behind <c>containers-storage:</c>.</param>
    /// <param name="byDefault">The store where none is named.</param>
    /// <exception cref="OciException">The store's part is not written as it has to be.</exception>
    public static TransportScope OfStorage(string path, ContainersStoragePlace byDefault)
    {
        ContainersStorageName name = ContainersStorageName.Parse(path, byDefault);
        string store = $"[{name.Place.Driver ?? "overlay"}@{name.Place.Root}]";
        string image = $"containers-storage:{Printable.Shorten(path)}";
        IReadOnlyList<string> within = Reference.TryParse(name.Image, out Reference? reference, out _)
            ? TransportScope.Of("containers-storage", reference, image).Scopes : [];
        return new TransportScope("containers-storage", [.. within.Select(scope => store + scope), store, $"[{name.Place.Root}]"], image);
    }

    // not "/": that is the whole transport
    private static IEnumerable<string> AndAbove(string path)
    {
        for (int slash = path.Length; slash > 0; slash = path.LastIndexOf('/'))
        {
            path = path[..slash];
            yield return path;
        }
    }

    /// <summary>The path without links, so that a rule cannot be passed by another name for the same place.</summary>
    private static string Resolve(string path)
    {
        string whole = path.StartsWith('/') ? path : $"{Environment.CurrentDirectory}/{path}";
        Stack<string> left = new(whole.Split('/').Reverse());
        string resolved = "";
        for (int links = 0; left.TryPop(out string? part);)
        {
            if (part is "" or ".")
            {
                continue;
            }

            if (part == "..")
            {
                resolved = resolved[..Math.Max(0, resolved.LastIndexOf('/'))];
                continue;
            }

            string next = $"{resolved}/{part}";
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new OciException($"'{Printable.Shorten(path)}' is behind too many links");
            }

            resolved = target.StartsWith('/') ? "" : resolved;
            foreach (string above in target.Split('/').Reverse())
            {
                left.Push(above);
            }
        }

        return resolved.Length == 0 ? "/" : resolved;
    }
}
