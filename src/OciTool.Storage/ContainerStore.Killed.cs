using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <content>What becomes of containers whose runner was killed, or whose making was.</content>
public sealed partial class ContainerStore
{
    private const int KilledStatus = 128 + 9;

    /// <summary>
    /// Settles what killed processes have left: writes down how containers ended, removes those that were run with
    /// <c>--rm</c> or were never whole, and names without a container.
    /// </summary>
    /// <returns>The IDs of containers that ended so: what the host still has of them, such as control groups, can go.</returns>
    /// <exception cref="OciException">The store cannot be written.</exception>
    public IReadOnlyList<string> SettleKilled()
    {
        List<string> settled = [];
        if (!Directory.Exists(root.Containers))
        {
            return settled;
        }

        root.EnsureContainersWritable();
        List<TemporaryDirectory> trash = [];
        using (FileLock held = root.Lock(root.ContainersLockFile)) // under which containers are made
        {
            foreach (string id in Directory.EnumerateDirectories(root.Containers).Select(path => Path.GetFileName(path)))
            {
                if (!IsHeld(id) && Settle(id, trash))
                {
                    settled.Add(id);
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
        return settled;
    }

    private bool Settle(string id, List<TemporaryDirectory> trash)
    {
        try
        {
            switch (ReadAsWritten(id))
            {
                case { AutoRemove: true, State: ContainerState.Created } when File.Exists(Path.Join(DirectoryOf(id), "config.json")):
                    return false; // it was made to be started later; one that run makes has no such file
                case { AutoRemove: true } container:
                    trash.Add(Discard(container));
                    return true;
                case { State: ContainerState.Running } container:
                    Write(Killed(container));
                    return true;
                case null when IsRemains(DirectoryOf(id)):
                    trash.Add(Discard(id));
                    return true;
                default:
                    return false;
            }
        }
        catch (OciException)
        {
            return false; // a damaged record is for people to look at
        }
    }

    private static ContainerRecord Killed(ContainerRecord container) =>
        container with { State = ContainerState.Exited, Pid = 0, ExitCode = KilledStatus };

    /// <summary>Whether a directory is of a container that was never made to its end.</summary>
    internal bool IsRemains(string directory) =>
        // an empty record is of a power loss: what its container wrote may be dear to somebody
        !File.Exists(RecordFile(Path.GetFileName(directory))) && !Directory.Exists(Path.Join(directory, "upper"))
        && !File.Exists(Path.Join(directory, "config.json")) && !IsHeld(Path.GetFileName(directory));
}
