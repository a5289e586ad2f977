using System.Text;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Keeps content from being collected that no name reaches yet, for as long as its holder lives.</summary>
/// <remarks>
/// A file of digests, and an flock beside it. A digest is written before its presence is looked at, under the shared store
/// lock; whoever removes content reads the leases under the exclusive one. So what a holder saw stays.
/// </remarks>
internal sealed class Lease : IDisposable
{
    private const string LockSuffix = ".lock";

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
        _held = FileLock.Acquire(_path + LockSuffix);
        _file = Open(_path, FileMode.CreateNew, FileAccess.Write);
    }

    /// <summary>Protects content from now on, then looks at the store.</summary>
    internal T Look<T>(Func<T> look, params ReadOnlySpan<Digest> digests)
    {
        using FileLock shared = _root.Lock(_root.LockFile, shared: true);
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
            _file.Dispose();
            File.Delete(_path);
            File.Delete(_path + LockSuffix);
            _held.Dispose();
        }
    }

    /// <summary>All that is protected; the caller holds the exclusive store lock. Leases of the dead are deleted.</summary>
    internal static HashSet<Digest> ReadAll(StorageRoot root) => ReadAll(root, sweep: true);

    /// <summary>All that is protected, as far as is known without the exclusive store lock.</summary>
    internal static HashSet<Digest> Peek(StorageRoot root) => Directory.Exists(root.Leases) ? ReadAll(root, sweep: false) : [];

    private static HashSet<Digest> ReadAll(StorageRoot root, bool sweep)
    {
        HashSet<Digest> digests = [];
        foreach (string lockFile in Directory.EnumerateFiles(root.Leases, "*" + LockSuffix))
        {
            if (sweep && TryReclaim(lockFile))
            {
                continue;
            }

            string path = lockFile[..^LockSuffix.Length];
            if (!sweep && !File.Exists(path))
            {
                continue; // its holder has just begun, or ended
            }

            using StreamReader lines = new(Open(path, FileMode.OpenOrCreate, FileAccess.Read), Encoding.ASCII);
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

    /// <summary>Deletes the leases of the dead.</summary>
    internal static void Sweep(StorageRoot root)
    {
        foreach (string lockFile in Directory.EnumerateFiles(root.Leases, "*" + LockSuffix))
        {
            TryReclaim(lockFile);
        }
    }

    private static bool TryReclaim(string lockFile)
    {
        if (!FileLock.TryAcquire(lockFile, out FileLock? free))
        {
            return false;
        }

        File.Delete(lockFile[..^LockSuffix.Length]);
        File.Delete(lockFile);
        free.Dispose();
        return true;
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access) =>
        new(path, mode, access, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
