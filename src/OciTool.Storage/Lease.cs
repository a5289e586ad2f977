using System.Text;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Keeps content from being collected that no name reaches yet, for as long as its holder lives.</summary>
/// <remarks>
/// A file of digests with an flock on it. A digest is written before its presence is looked at, under the shared store
/// lock; whoever removes content reads the leases under the exclusive one. So what a holder saw stays.
/// </remarks>
internal sealed class Lease : IDisposable
{
    private readonly StorageRoot _root;
    private readonly string _path;
    private readonly FileLock _held;
    private readonly FileStream _file;
    private readonly HashSet<Digest> _digests = [];
    private readonly Lock _gate = new();
    private bool _disposed;

    internal Lease(StorageRoot root)
    {
        _root = root;
        _path = StorageRoot.Unique(root.Leases);
        _held = FileLock.Acquire(_path);
        _file = Open(_path, FileAccess.Write);
    }

    /// <summary>Protects content from now on, then looks at the store.</summary>
    internal T Look<T>(Func<T> look, params ReadOnlySpan<Digest> digests)
    {
        using FileLock shared = FileLock.Acquire(_root.LockFile, shared: true);
        lock (_gate)
        {
            foreach (Digest digest in digests)
            {
                if (_digests.Add(digest))
                {
                    _file.Write(Encoding.ASCII.GetBytes($"{digest}\n"));
                }
            }
        }

        return look();
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            File.Delete(_path);
            _file.Dispose();
            _held.Dispose();
        }
    }

    /// <summary>All that is protected; the caller holds the exclusive store lock. Leases of the dead are deleted.</summary>
    internal static HashSet<Digest> ReadAll(StorageRoot root)
    {
        HashSet<Digest> digests = [];
        foreach (string path in Directory.EnumerateFiles(root.Leases))
        {
            if (FileLock.TryAcquire(path, out FileLock? free))
            {
                File.Delete(path);
                free.Dispose();
                continue;
            }

            using StreamReader lines = new(Open(path, FileAccess.Read), Encoding.ASCII);
            while (lines.ReadLine() is { } line)
            {
                if (Digest.TryParse(line, provider: null, out Digest digest))
                {
                    digests.Add(digest);
                }
            }
        }

        return digests;
    }

    // the class library locks files too, unless it is told to share them
    private static FileStream Open(string path, FileAccess access) =>
        new(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
