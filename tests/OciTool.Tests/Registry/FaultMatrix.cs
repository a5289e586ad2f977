namespace OciTool.Tests.Registry;

/// <summary>What may go wrong in a pull, a store and a run: the rows that <see cref="FaultAttribute"/> counts from 1.</summary>
internal static class FaultMatrix
{
    internal static readonly (int First, string Heading)[] Sections =
    [
        (1, "Sudden ends"), (4, "Disks"), (13, "Others at the same time"), (20, "Networks and registries"), (46, "Containers"),
    ];

    /// <summary>The fault of each row, in order.</summary>
    internal static readonly string[] Rows =
    [
        "`kill -9` at any time of a pull, a removal or a prune",
        "SIGINT or SIGTERM during a pull",
        "loss of power between two flushes of the disk",
        "the disk is full: for a blob, a layer, a record or a temporary file",
        "the quota is used up, or the largest file size reached",
        "a stored blob cannot be read (EIO)",
        "a flush to the disk fails (EIO)",
        "the store is on a read-only file system",
        "no more file descriptors",
        "a record is missing, empty, cut off or garbage",
        "a stored blob was deleted or changed",
        "an applied layer was deleted or changed",
        "several pulls of the same image at once",
        "pulls that have layers in common at once",
        "a pull and a removal of the same image",
        "a pull and a prune",
        "a removal or a prune, and a run",
        "a hundred runs at once",
        "whoever holds a lock is stopped",
        "the clock jumps by years, or is wrong",
        "the connection is reset at some byte",
        "the connection is reset again and again",
        "the server ignores ranges and sends everything",
        "the server sends another part than was asked for, or refuses the offset",
        "the server is silent, or sends a byte now and then",
        "the server fails: 408, 500, 502, 503, 504",
        "the server limits the rate: 429",
        "the token expires during the pull",
        "the server refuses: 401, 403, 404",
        "the length is wrong or absent, the body chunked or said to be encoded",
        "the right number of wrong bytes",
        "digests by SHA-512, or by an unknown algorithm",
        "redirects: elsewhere, without end, out of HTTPS, into our own network",
        "a tag moves, or a manifest changes, during the pull",
        "manifests and indexes that are too large, too many or too deep",
        "manifests of unknown or old kinds, and artifacts",
        "layers that occur twice, none, many, too many",
        "a page where a document should be",
        "what HTTP/2 can do to a client: GOAWAY, resets, floods",
        "the proxy is down, refuses, or wants a password",
        "names that do not resolve, and addresses that do not answer",
        "certificates that are not what they should be",
        "the rest of a blob is that of another one",
        "the first of several registries or mirrors is down",
        "the same pull twice",
        "the machine was restarted while containers ran",
        "`kill -9` of `oci run`",
        "a container without restraint: processes, memory",
    ];
}
