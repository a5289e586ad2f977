using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Where a runtime remembers its containers: a directory each, which exists as long as the container does.</summary>
/// <param name="root">The directory of all.</param>
public sealed class StateDirectory(string root)
{
    private const string EntryFile = "state.json";

    /// <summary>Where it is when nobody says otherwise: fixed, for an engine calls one verb with the name and the next without.</summary>
    public static string Default => Environment.IsPrivilegedProcess
        ? "/run/oci-runtime"
        : Path.Join(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "/tmp", "oci-runtime");

    /// <summary>A container's directory.</summary>
    /// <exception cref="OciException">The ID is not one.</exception>
    internal string Of(string id)
    {
        bool valid = id.Length is > 0 and <= 1024 && id is not ("." or "..");
        foreach (char c in id)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.';
        }

        return valid ? Path.Join(root, id) : throw new OciException($"invalid container ID format: {Printable.Shorten(id)}");
    }

    /// <summary>Where a created container waits.</summary>
    internal string GateOf(string id) => Path.Join(Of(id), "exec.fifo");

    /// <summary>The copy of a container's configuration.</summary>
    internal string ConfigOf(string id) => Path.Join(Of(id), Bundle.FileName);

    /// <summary>Makes a container's directory.</summary>
    /// <exception cref="OciException">The ID is in use.</exception>
    internal string Make(string id)
    {
        string directory = Of(id);
        Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return MountPoints.MakeDirectory(directory, 0x1c0) switch // 0700
        {
            Errno.None => directory,
            Errno.EEXIST => throw new OciException("container with given ID already exists"),
            Errno errno => throw new ErrnoException("mkdir", directory, errno),
        };
    }

    /// <summary>Writes what is remembered: readers find the old or the new, whole.</summary>
    internal void Save(ContainerEntry entry)
    {
        string path = Path.Join(Of(entry.Id), EntryFile);
        string fresh = $"{path}.{Environment.ProcessId}";
        File.WriteAllBytes(fresh, RuntimeJson.ToBytes(entry, LifecycleJson.Write));
        File.Move(fresh, path, overwrite: true);
    }

    /// <summary>Reads what is remembered.</summary>
    /// <exception cref="OciException">There is no such container.</exception>
    internal ContainerEntry Load(string id) =>
        TryLoad(id) ?? throw new OciException("container does not exist");

    /// <summary>Reads what is remembered; null where there is no such container.</summary>
    internal ContainerEntry? TryLoad(string id)
    {
        string path = Path.Join(Of(id), EntryFile);
        try
        {
            return ContainerEntry.Read(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new OciException($"{Printable.Shorten(path)} is damaged: {Printable.Shorten(e.Message)}", e);
        }
    }

    /// <summary>Forgets a container.</summary>
    internal void Remove(string id)
    {
        try
        {
            Directory.Delete(Of(id), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // another call was faster
        }
    }

    /// <summary>The IDs of all containers, sorted.</summary>
    internal List<string> List()
    {
        List<string> ids = [];
        if (Directory.Exists(root))
        {
            foreach (string directory in Directory.GetDirectories(root))
            {
                if (File.Exists(Path.Join(directory, EntryFile)))
                {
                    ids.Add(Path.GetFileName(directory));
                }
            }
        }

        ids.Sort(string.CompareOrdinal);
        return ids;
    }
}
