using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A device node of the host.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="IsBlock">Whether it is a block device; otherwise it is a character device.</param>
/// <param name="Major">The major number.</param>
/// <param name="Minor">The minor number.</param>
/// <param name="Mode">The permission bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
public sealed record HostDevice(string Path, bool IsBlock, uint Major, uint Minor, uint Mode, uint Uid, uint Gid);

/// <summary>The device nodes in <c>/dev</c>.</summary>
public static class HostDevices
{
    /// <summary>Lists them in the order of their paths, without those that every container has of its own.</summary>
    public static IReadOnlyList<HostDevice> List()
    {
        List<HostDevice> devices = [];
        Walk("/dev", devices);
        devices.Sort((left, right) => string.CompareOrdinal(left.Path, right.Path));
        return devices;
    }

    private static void Walk(string directory, List<HostDevice> devices)
    {
        using SafeFileHandle current = new(Interop.Libc.AT_FDCWD, ownsHandle: false);
        foreach (string path in Directory.EnumerateFileSystemEntries(directory))
        {
            Interop.Libc.StatxResult status;
            try
            {
                status = Interop.Libc.Statx(current, path);
            }
            catch (ErrnoException)
            {
                continue; // gone since it was listed
            }

            int type = status.Mode & Interop.Libc.S_IFMT;
            if (type == Interop.Libc.S_IFDIR && path is not ("/dev/pts" or "/dev/shm" or "/dev/mqueue" or "/dev/fd"))
            {
                Walk(path, devices);
            }
            else if (type is Interop.Libc.S_IFCHR or Interop.Libc.S_IFBLK && path is not (
                "/dev/console" or "/dev/ptmx" or "/dev/null" or "/dev/zero" or "/dev/full" or "/dev/tty" or "/dev/random"
                or "/dev/urandom"))
            {
                devices.Add(new(path, type == Interop.Libc.S_IFBLK, status.RdevMajor, status.RdevMinor,
                    (uint)status.Mode & 0xfff, status.Uid, status.Gid));
            }
        }
    }
}
