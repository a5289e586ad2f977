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
public sealed partial class ContainerStore(StorageRoot root, ImageStore images)
{
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
    public string DirectoryOf(string id)
    {
        string directory = Path.Join(root.Containers, id);
        return root.IsReadOnly && !Directory.Exists(directory) && Path.Join(root.StoredContainers, id) is var stored && Directory.Exists(stored)
            ? stored
            : directory;
    }

    /// <summary>Makes a container of an image.</summary>
    /// <param name="container">The container.</param>
    /// <exception cref="ContainerNameTakenException">Another container has the name.</exception>
    /// <exception cref="OciException">The image was removed meanwhile, or the store cannot be written.</exception>
    public void Create(ContainerRecord container) => CreateHeld(container).Dispose();

    /// <summary>Makes a container that this process is going to run.</summary>
    /// <param name="container">The container.</param>
    /// <returns>What <see cref="TryHold"/> gives: nobody takes the container meanwhile for one whose runner was killed.</returns>
    /// <inheritdoc cref="Create"/>
    public FileLock CreateHeld(ContainerRecord container)
    {
        root.EnsureContainersWritable();
        using FileLock held = root.Lock(root.ContainersLockFile);
        if (!File.Exists(images.Content.Locate(container.ImageDigest)))
        {
            throw new OciException($"{container.ImageName}: image not known: it was removed meanwhile");
        }

        if (FindIdByName(container.Name) is { } holder)
        {
            throw new ContainerNameTakenException(container.Name, holder);
        }

        // the name first: one whose container is not there means nothing, and a container always has its name
        FileLock? runner = null;
        try
        {
            File.WriteAllText(NameFile(container.Name), container.Id);
            Directory.CreateDirectory(DirectoryOf(container.Id), Private);
            runner = FileLock.Acquire(LockFile(container.Id));
            Write(container);
            return runner;
        }
        catch
        {
            runner?.Dispose();
            DirectoryTree.Remove(DirectoryOf(container.Id));
            File.Delete(NameFile(container.Name));
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

        if (nameOrId.Length is 0 or > 64 || !nameOrId.All(char.IsAsciiHexDigitLower))
        {
            return null;
        }

        string[] matches = [.. Ids(nameOrId + "*").Take(2)];
        return matches.Length switch
        {
            0 => null,
            1 => Read(matches[0]),
            _ => throw new OciException($"more than one container ID begins with {nameOrId}: write more digits"),
        };
    }

    /// <summary>All containers, the newest first.</summary>
    /// <exception cref="OciException">A record is damaged; the message names the file.</exception>
    public IReadOnlyList<ContainerRecord> List()
    {
        List<ContainerRecord> containers = [];
        foreach (string id in Ids("*"))
        {
            if (Read(id) is { } container)
            {
                containers.Add(container);
            }
        }

        containers.Sort((a, b) => b.Created.CompareTo(a.Created));
        return containers;
    }

    /// <summary>The containers whose records can be read: for decisions that a damaged one must not stop.</summary>
    internal IReadOnlyList<ContainerRecord> ListReadable()
    {
        List<ContainerRecord> containers = [];
        foreach (string id in Ids("*"))
        {
            try
            {
                if (Read(id) is { } container)
                {
                    containers.Add(container);
                }
            }
            catch (OciException)
            {
                // the check names it
            }
        }

        return containers;
    }

    /// <summary>Writes the name of a container again.</summary>
    internal void WriteName(ContainerRecord container) => File.WriteAllText(NameFile(container.Name), container.Id);

    /// <summary>The container that a name leads to; null for none.</summary>
    internal string? IdOfName(string name) => FindIdByName(name);

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
        root.EnsureContainersWritable();
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

    /// <summary>Moves a container out of sight; disposing deletes it. The caller holds the lock of the containers.</summary>
    internal TemporaryDirectory Discard(ContainerRecord container)
    {
        bool isNamed = FindIdByName(container.Name) == container.Id;
        TemporaryDirectory trash = Discard(container.Id);
        if (isNamed)
        {
            File.Delete(NameFile(container.Name));
        }

        return trash;
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

    private IEnumerable<string> Ids(string pattern)
    {
        string[] places = root.IsReadOnly ? [root.Containers, root.StoredContainers] : [root.Containers];
        return places.Where(Directory.Exists).SelectMany(place => Directory.EnumerateDirectories(place, pattern)).Select(Path.GetFileName)!;
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

    private ContainerRecord? Read(string id) =>
        ReadAsWritten(id) is { } container
            ? container is { State: ContainerState.Running } && !IsHeld(id) ? Killed(container) : container
            : null;

    private ContainerRecord? ReadAsWritten(string id)
    {
        // an empty record is one that a power loss caught before it was whole
        if (new FileInfo(RecordFile(id)) is not { Exists: true, Length: > 0 })
        {
            return null;
        }

        return StorageJson.Read(RecordFile(id), StorageJson.Default.ContainerRecord);
    }

    private bool IsHeld(string id) => FileLock.IsHeld(LockFile(id));
}
