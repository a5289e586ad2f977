using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>Removes groups.</summary>
internal static class CgroupRemoval
{
    // rmdir fails until the kernel has reaped the last process: it has been killed, so it is a matter of milliseconds
    private static readonly TimeSpan ReapTimeout = TimeSpan.FromSeconds(2);

    // a container can make groups in groups without an end; the kernel does not go deeper by itself either
    private const int MostLevels = 256;

    /// <summary>Removes a group and those below it, and waits for killed processes to be gone.</summary>
    /// <returns>False where it is still there.</returns>
    internal static bool TryRemove(string directory)
    {
        TimeSpan waited = TimeSpan.Zero;
        for (TimeSpan delay = TimeSpan.FromMilliseconds(0.2); ; delay *= 2)
        {
            Errno error = Remove(directory, MostLevels);
            if (error is Errno.None or Errno.ENOENT)
            {
                return true;
            }

            if (waited > ReapTimeout || error is Errno.EPERM or Errno.EACCES or Errno.EROFS)
            {
                return false;
            }

            Thread.Sleep(delay);
            waited += delay;
        }
    }

    private static Errno Remove(string directory, int levels)
    {
        Errno error = KernelFile.RemoveDirectory(directory);
        if (error is not (Errno.EBUSY or Errno.ENOTEMPTY) || levels == 0)
        {
            return error;
        }

        // busy by groups below, or by processes
        bool any = false;
        try
        {
            foreach (string below in Directory.EnumerateDirectories(directory))
            {
                any = true;
                Errno inner = Remove(below, levels - 1);
                if (inner is not (Errno.None or Errno.ENOENT))
                {
                    return inner;
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            return Errno.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Errno.EBUSY;
        }

        return any ? KernelFile.RemoveDirectory(directory) : error;
    }
}
