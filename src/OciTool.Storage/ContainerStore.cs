using System.Text;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The containers of a store: <c>containers/ID/</c> with record, configuration and writable layer.</summary>
/// <param name="root">The store.</param>
/// <param name="images">The images that they are made of.</param>
/// <remarks>
/// Whoever runs a container holds its lock. A record that says running beside a free lock is of a container whose
/// runner was killed, and with it, by the kernel, the container.
/// </remarks>
public sealed class ContainerStore(StorageRoot root, ImageStore images)
{
    private const int KilledStatus = 128 + 9;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A new ID: 64 hexadecimal digits.</summary>
    public static string NewId()
    {
        // from the kernel: the class library's generator would load OpenSSL, for longer than all else here takes
        Span<byte> random = stackalloc byte[32];
        using FileStream source = new("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        source.ReadExactly(random);
        return Convert.ToHexStringLower(random);
    }

    /// <summary>The directory of a container, for its bundle, its log and its writable layer.</summary>
    /// <param name="id">The whole ID.</param>
    public string DirectoryOf(string id) => Path.Join(root.Containers, id);

    /// <summary>Makes a container of an image.</summary>
    /// <param name="container">The container.</param>
    /// <exception cref="ContainerNameTakenException">Another container has the name.</exception>
    /// <exception cref="OciException">The image was removed meanwhile, or the store cannot be written.</exception>
    public void Create(ContainerRecord container) => CreateHeld(container).Dispose();

    /// <summary>Makes a container that this process is going to run: see <see cref="TryHold"/>.</summary>
    /// <inheritdoc cref="Create"/>
    public FileLock CreateHeld(ContainerRecord container)
    {
        root.EnsureWritable();
        using FileLock held = root.Lock(root.ContainersLockFile);
        if (!File.Exists(images.Content.PathOf(container.ImageDigest)))
        {
            throw new ImageNotKnownException(container.ImageName);
        }

        if (FindIdByName(container.Name) is { } holder)
        {
            throw new ContainerNameTakenException(container.Name, holder);
        }

        Directory.CreateDirectory(DirectoryOf(container.Id), Private);
        FileLock? runner = null;
        try
        {
            runner = FileLock.Acquire(LockFile(container.Id));
            Write(container);
            File.WriteAllText(NameFile(container.Name), container.Id);
            return runner;
        }
        catch
        {
            runner?.Dispose();
            DirectoryTree.Remove(DirectoryOf(container.Id));
            throw;
        }
    }

    /// <summary>Finds a container by its name, its ID or the beginning of its ID.</summary>
    /// <param name="nameOrId">What people type for it.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="OciException">Several IDs begin like this, or the record is damaged.</exception>
    public ContainerRecord? Find(string nameOrId)
    {
        if (FindIdByName(nameOrId) is { } id)
        {
            return Read(id);
        }

        if (nameOrId.Length is 0 or > 64 || !nameOrId.All(char.IsAsciiHexDigitLower) || !Directory.Exists(root.Containers))
        {
            return null;
        }

        string[] matches = [.. Directory.EnumerateDirectories(root.Containers, nameOrId + "*").Take(2)];
        return matches.Length switch
        {
            0 => null,
            1 => Read(Path.GetFileName(matches[0])),
            _ => throw new OciException($"more than one container ID begins with {nameOrId}: write more digits"),
        };
    }

    /// <summary>All containers, the newest first.</summary>
    /// <exception cref="OciException">A record is damaged; the message names the file.</exception>
    public IReadOnlyList<ContainerRecord> List()
    {
        if (!Directory.Exists(root.Containers))
        {
            return [];
        }

        List<ContainerRecord> containers = [];
        foreach (string directory in Directory.EnumerateDirectories(root.Containers))
        {
            if (Read(Path.GetFileName(directory)) is { } container)
            {
                containers.Add(container);
            }
        }

        containers.Sort((a, b) => b.Created.CompareTo(a.Created));
        return containers;
    }

    /// <summary>Replaces what is known of a container.</summary>
    /// <param name="container">The container; its ID and its name stay the same.</param>
    public void Update(ContainerRecord container) => Write(container);

    /// <summary>Says that this process runs a container, for as long as it lives or until the lock is disposed.</summary>
    /// <param name="id">The whole ID.</param>
    /// <returns>Null when another process runs it.</returns>
    public FileLock? TryHold(string id) => FileLock.TryAcquire(LockFile(id), out FileLock? held) ? held : null;

    /// <summary>Waits until whoever runs a container has written how it ended, or has removed it.</summary>
    /// <param name="id">The whole ID.</param>
    public void WaitUntilEnded(string id)
    {
        try
        {
            FileLock.Acquire(LockFile(id)).Dispose();
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            // it was run with --rm, and is gone with its directory
        }
    }

    /// <summary>Removes a container that does not run, with its writable layer.</summary>
    /// <param name="container">The container.</param>
    /// <exception cref="ContainerRunningException">It runs.</exception>
    public void Remove(ContainerRecord container)
    {
        root.EnsureWritable();
        TemporaryDirectory trash;
        using (FileLock held = root.Lock(root.ContainersLockFile))
        {
            if (IsHeld(container.Id) && Read(container.Id) is { State: ContainerState.Running })
            {
                throw new ContainerRunningException(container.Id);
            }

            trash = Discard(container);
        }

        trash.Dispose();
    }

    /// <summary>
    /// Removes what killed processes have left: containers that were never whole, ended ones that were run with <c>--rm</c>,
    /// and names without a container.
    /// </summary>
    internal void Sweep()
    {
        List<TemporaryDirectory> trash = [];
        using (FileLock held = root.Lock(root.ContainersLockFile)) // under which containers are made
        {
            foreach (string id in Directory.EnumerateDirectories(root.Containers).Select(path => Path.GetFileName(path)))
            {
                if (IsAbandoned(id))
                {
                    trash.Add(Discard(id));
                }
            }

            foreach (string name in Directory.EnumerateFiles(root.ContainerNames))
            {
                if (FindIdByName(Path.GetFileName(name)) is null)
                {
                    File.Delete(name);
                }
            }
        }

        trash.ForEach(place => place.Dispose());
    }

    private bool IsAbandoned(string id)
    {
        try
        {
            // an empty record is of a power loss: what its container wrote may be dear to somebody
            return !IsHeld(id) && (!File.Exists(RecordFile(id)) || Read(id) is { AutoRemove: true });
        }
        catch (OciException)
        {
            return false; // a damaged record is for people to look at
        }
    }

    /// <summary>Moves a container out of sight; disposing deletes it. The caller holds the lock of the containers.</summary>
    internal TemporaryDirectory Discard(ContainerRecord container)
    {
        if (FindIdByName(container.Name) == container.Id)
        {
            File.Delete(NameFile(container.Name));
        }

        return Discard(container.Id);
    }

    private TemporaryDirectory Discard(string id)
    {
        TemporaryDirectory trash = new(root);
        if (Directory.Exists(DirectoryOf(id)))
        {
            Directory.Move(DirectoryOf(id), Path.Join(trash.Path, "container"));
        }

        return trash;
    }

    // a name is a file name: podman's grammar [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most what a file name may have
    private static bool IsName(string name) => name.Length is > 0 and <= 250 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private string NameFile(string name) => IsName(name)
        ? Path.Join(root.ContainerNames, name)
        : throw new OciException($"invalid container name '{Printable.Shorten(name)}': it has letters, digits, '_', '.' and '-', and begins with a letter or digit");

    private string? FindIdByName(string name)
    {
        if (!IsName(name))
        {
            return null;
        }

        try
        {
            string id = File.ReadAllText(NameFile(name), Encoding.ASCII);
            // a crash may have left the name of a container that is gone
            return id.Length == 64 && id.All(char.IsAsciiHexDigitLower) && Directory.Exists(DirectoryOf(id)) ? id : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string RecordFile(string id) => Path.Join(DirectoryOf(id), "container.json");

    private string LockFile(string id) => Path.Join(DirectoryOf(id), "lock");

    private void Write(ContainerRecord container) =>
        StorageRoot.WriteAtomicallyBeside(RecordFile(container.Id), StorageJson.ToBytes(container.WriteTo));

    private ContainerRecord? Read(string id)
    {
        // an empty record is one that a power loss caught before it was whole
        if (new FileInfo(RecordFile(id)) is not { Exists: true, Length: > 0 })
        {
            return null;
        }

        ContainerRecord? container = StorageJson.Read(RecordFile(id), StorageJson.Default.ContainerRecord);
        return container is { State: ContainerState.Running } && !IsHeld(id)
            ? container with { State = ContainerState.Exited, Pid = 0, ExitCode = KilledStatus }
            : container;
    }

    private bool IsHeld(string id)
    {
        if (!File.Exists(LockFile(id)))
        {
            return false;
        }

        try
        {
            if (!FileLock.TryAcquire(LockFile(id), out FileLock? free, shared: true))
            {
                return true;
            }

            free.Dispose();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true; // a store that may only be read: the record is the best that is known
        }
    }
}
