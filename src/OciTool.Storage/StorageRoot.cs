using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage;

/// <summary>Where everything of a store lies.</summary>
/// <remarks>
/// Opening one touches nothing: a root that is not there reads as an empty store. The directories are made, mode 0700,
/// when something is written first, so that looking works where writing does not.
/// </remarks>
public sealed class StorageRoot
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string? _snapshotter;
    private bool _writable;
    private bool _containersWritable;
    private bool? _readOnly;

    private StorageRoot(
        string path, string runPath, string? snapshotter, IReadOnlyList<StorageRoot> additional, LockPatience patience) =>
        (Path, RunPath, _snapshotter, Additional, Patience) = (path, runPath, snapshotter, additional, patience);

    /// <summary>The store's directory; a valid OCI Image Layout.</summary>
    public string Path { get; }

    /// <summary>The directory for what does not outlive a reboot.</summary>
    public string RunPath { get; }

    /// <summary>The form that layers shall have; null for the one that suits this machine.</summary>
    /// <exception cref="OciException">There is no such form.</exception>
    public SnapshotForm? AskedForm => _snapshotter is null ? null : SnapshotForms.Parse(_snapshotter);

    /// <summary>Stores whose images are used beside this one's, and that are never written.</summary>
    public IReadOnlyList<StorageRoot> Additional { get; }

    /// <summary>Whether nothing can be written here: the file system is read-only, or belongs to somebody else.</summary>
    public bool IsReadOnly => _readOnly ??= FileAccessCheck.IsReadOnly(Path);

    /// <summary>How long to wait for the store's locks, and whom to tell.</summary>
    internal LockPatience Patience { get; }

    internal string IndexFile => System.IO.Path.Join(Path, "index.json");

    internal string FactsFile => System.IO.Path.Join(Path, "images.json");

    internal string LayoutFile => System.IO.Path.Join(Path, "oci-layout");

    /// <summary>The content of <c>oci-layout</c>.</summary>
    internal static ReadOnlySpan<byte> LayoutVersion => "{\"imageLayoutVersion\":\"1.0.0\"}"u8;

    internal string LockFile => System.IO.Path.Join(Path, "lock");

    internal string Blobs => System.IO.Path.Join(Path, "blobs");

    internal string Ingest => System.IO.Path.Join(Path, "ingest");

    internal string Layers => System.IO.Path.Join(Path, "layers");

    /// <summary>Where containers are made: in the store, or below the run directory when the store can only be read.</summary>
    internal string Containers => System.IO.Path.Join(ContainerBase, "containers");

    /// <summary>The containers that the store holds, whether or not it can be written now.</summary>
    internal string StoredContainers => System.IO.Path.Join(Path, "containers");

    internal string ContainerNames => System.IO.Path.Join(ContainerBase, "names");

    internal string ContainersLockFile => System.IO.Path.Join(ContainerBase, "containers.lock");

    internal string Temporary => System.IO.Path.Join(ContainerBase, "tmp");

    /// <summary>The place of containers; several read-only stores may share a run directory.</summary>
    private string ContainerBase => field ??= IsReadOnly
        ? System.IO.Path.Join(RunPath, "read-only", Uri.EscapeDataString(Path))
        : Path;

    internal string Locks => System.IO.Path.Join(Path, "locks");

    internal string Leases => System.IO.Path.Join(Path, "leases");

    /// <summary>Finds the store: <c>--root</c>, then <c>OCI_ROOT</c>, then the default of root or of a user.</summary>
    /// <param name="root">The value of <c>--root</c>.</param>
    /// <param name="runRoot">The value of <c>--runroot</c>.</param>
    /// <param name="snapshotter">The value of <c>--snapshotter</c>, before <c>OCI_SNAPSHOTTER</c>.</param>
    /// <param name="additional">
    /// The value of <c>--additional-imagestore</c>, before <c>OCI_ADDITIONAL_STORES</c>: directories with colons between them.
    /// </param>
    /// <param name="patience">How long to wait for its locks; null waits in silence, without an end.</param>
    public static StorageRoot Open(
        string? root, string? runRoot, string? snapshotter = null, string? additional = null, LockPatience? patience = null)
    {
        bool isRoot = Environment.IsPrivilegedProcess;
        string path = Given(root, "OCI_ROOT")
            ?? (isRoot ? "/var/lib/containers/oci" : System.IO.Path.Join(DataHome(), "containers/oci"));
        path = System.IO.Path.GetFullPath(path);
        string run = Given(runRoot, "OCI_RUNROOT")
            ?? (isRoot ? "/run/oci"
                : Variable("XDG_RUNTIME_DIR") is { } runtime ? System.IO.Path.Join(runtime, "oci")
                : System.IO.Path.Join(path, "run"));
        run = System.IO.Path.GetFullPath(run);
        patience ??= new LockPatience(Timeout: null, static _ => { });
        return new StorageRoot(
            path, run, Given(snapshotter, "OCI_SNAPSHOTTER"), ReadAdditional(Given(additional, "OCI_ADDITIONAL_STORES"), path, run, patience), patience);
    }

    /// <summary>Makes the store's directories and its <c>oci-layout</c>, unless they are there.</summary>
    /// <exception cref="OciException">The store cannot be written.</exception>
    internal void EnsureWritable()
    {
        if (_writable)
        {
            return;
        }

        if (IsReadOnly)
        {
            throw new OciException($"storage '{Path}' is read-only")
            {
                Hint = "name a store that can be written with --root, and this one with --additional-imagestore",
            };
        }

        try
        {
            MakeDirectories(Path, Blobs, Ingest, Layers, Containers, ContainerNames, Temporary, Locks, Leases);

            if (!File.Exists(LayoutFile))
            {
                WriteAtomically(LayoutFile, LayoutVersion, durably: true);
            }

            _writable = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"store '{Path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Makes the directories that containers need, in the store or, where that is read-only, below the run directory.</summary>
    /// <exception cref="OciException">Neither can be written.</exception>
    internal void EnsureContainersWritable()
    {
        if (!IsReadOnly)
        {
            EnsureWritable();
            return;
        }

        if (_containersWritable)
        {
            return;
        }

        try
        {
            MakeDirectories(ContainerBase, Containers, ContainerNames, Temporary);
            _containersWritable = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"storage '{Path}' is read-only, and so is '{RunPath}', where containers would be: {e.Message}", e)
            {
                Hint = "name a directory that can be written with --runroot",
            };
        }
    }

    /// <summary>Takes a lock of the store, and waits for it as long as the user wants.</summary>
    /// <exception cref="OciException">The patience is over.</exception>
    internal FileLock Lock(string path, bool shared = false)
    {
        try
        {
            return FileLock.Acquire(path, shared, Patience);
        }
        catch (LockTimeoutException e)
        {
            throw LockTimeout(e);
        }
    }

    internal static OciException LockTimeout(LockTimeoutException cause) => new(cause.Message, cause)
    {
        Hint = "end or continue that process, or wait longer with --lock-timeout",
    };

    /// <summary>Where a blob is while it is not whole.</summary>
    internal string PartialOf(Digest digest) => System.IO.Path.Join(Ingest, $"{digest.Algorithm}-{digest.Hex}");

    /// <summary>Removes what processes that were killed have left, but for what a next pull goes on with.</summary>
    internal void Sweep()
    {
        TemporaryPath.Sweep(this);
        Lease.Sweep(this);
        BlobReservation.Sweep(this);
    }

    /// <summary>A new path in a directory of the store, which nothing else uses.</summary>
    internal static string Unique(string directory) =>
        System.IO.Path.Join(directory, System.IO.Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal));

    /// <summary>Replaces a file of the store: readers see the old content or the new, never a part.</summary>
    internal void WriteAtomically(string path, ReadOnlySpan<byte> content, bool durably, UnixFileMode? mode = null)
    {
        using TemporaryPath temporary = new(this);
        Replace(path, temporary.Path, content, durably, mode);
    }

    /// <summary>The same by way of a temporary file beside it, for what lies in a directory of its own.</summary>
    internal static void WriteAtomicallyBeside(string path, ReadOnlySpan<byte> content)
    {
        string temporary = Unique(System.IO.Path.GetDirectoryName(path)!);
        try
        {
            Replace(path, temporary, content, durably: false, mode: null);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void MakeDirectories(params ReadOnlySpan<string> directories)
    {
        foreach (string directory in directories)
        {
            Directory.CreateDirectory(directory, Private);
        }
    }

    private static List<StorageRoot> ReadAdditional(string? directories, string path, string runPath, LockPatience patience)
    {
        if (directories is null)
        {
            return [];
        }

        List<StorageRoot> additional = [];
        foreach (string directory in directories.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string full = System.IO.Path.GetFullPath(directory);
            if (full != path && !additional.Exists(store => store.Path == full))
            {
                additional.Add(new StorageRoot(full, runPath, snapshotter: null, additional: [], patience));
            }
        }

        return additional;
    }

    private static void Replace(string path, string temporary, ReadOnlySpan<byte> content, bool durably, UnixFileMode? mode)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = mode ?? (UnixFileMode.UserRead | UnixFileMode.UserWrite),
        };
        using (FileStream file = new(temporary, options))
        {
            Descriptors.WriteAt(file.SafeFileHandle, content, offset: 0, path);
            if (durably)
            {
                DirectoryTree.SyncFile(file.SafeFileHandle, path);
            }
        }

        File.Move(temporary, path, overwrite: true);
        if (durably)
        {
            DirectoryTree.SyncNames(System.IO.Path.GetDirectoryName(path)!);
        }
    }

    private static string? Given(string? option, string variable) =>
        string.IsNullOrEmpty(option) ? Variable(variable) : option;

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string DataHome()
    {
        // the XDG base directory specification has relative paths ignored
        if (Variable("XDG_DATA_HOME") is ['/', ..] and { } data)
        {
            return data;
        }

        return Variable("HOME") is { } home
            ? System.IO.Path.Join(home, ".local/share")
            : throw new OciException("no place for the store: HOME is not set") { Hint = "name one with --root or OCI_ROOT" };
    }
}
