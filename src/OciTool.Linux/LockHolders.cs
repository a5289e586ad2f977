using System.Globalization;

namespace OciTool.Linux;

/// <summary>Who holds an flock(2), as /proc/locks tells: F_GETLK knows only locks of the other kind.</summary>
public static class LockHolders
{
    /// <summary>The process that holds a lock on a file.</summary>
    /// <param name="path">The lock's file.</param>
    /// <returns>Null when nobody does, or the holder is not to be seen from this PID namespace.</returns>
    public static int? Find(string path)
    {
        if (!FileIdentity.TryOf(path, out FileIdentity file))
        {
            return null;
        }

        try
        {
            return Find(File.ReadLines("/proc/locks"), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // no /proc: the name of the lock must do
        }
    }

    /// <summary>The same in the lines of /proc/locks.</summary>
    /// <param name="lines">For example <c>7: FLOCK  ADVISORY  WRITE 4711 fe:00:131074 0 EOF</c>; who waits has an arrow before FLOCK.</param>
    /// <param name="file">The lock's file.</param>
    internal static int? Find(IEnumerable<string> lines, FileIdentity file)
    {
        int? elsewhere = null;
        foreach (string line in lines)
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [_, "FLOCK", _, _, { } holder, { } place, ..]
                || place.Split(':') is not [{ } major, { } minor, { } inode]
                || inode != file.Inode.ToString(CultureInfo.InvariantCulture)
                || !int.TryParse(holder, NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
            {
                continue;
            }

            if (major == file.DeviceMajor.ToString("x2", CultureInfo.InvariantCulture)
                && minor == file.DeviceMinor.ToString("x2", CultureInfo.InvariantCulture))
            {
                return pid;
            }

            elsewhere ??= pid; // subvolumes of btrfs have device numbers that the kernel does not show here
        }

        return elsewhere;
    }
}
