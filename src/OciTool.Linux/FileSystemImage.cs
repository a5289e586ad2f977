using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A file with an EROFS file system, mounted nowhere.</summary>
/// <remarks>Linux 6.12 and newer mount the file itself; before, a loop device stands between, which goes away with the mount.</remarks>
public static class FileSystemImage
{
    /// <summary>Mounts it once, to see how.</summary>
    /// <param name="path">A file that the caller trusts.</param>
    /// <returns>Whether it takes a loop device.</returns>
    /// <exception cref="ErrnoException">The kernel does not mount it in either way.</exception>
    public static bool NeedsLoopDevice(string path)
    {
        Mount(path, out bool isLoop).Dispose();
        return isLoop;
    }

    /// <summary>Mounts it.</summary>
    /// <param name="path">A file that the caller trusts.</param>
    /// <returns>The root of the mount.</returns>
    /// <exception cref="ErrnoException">The kernel does not mount it.</exception>
    internal static SafeFileHandle Mount(string path) => Mount(path, out _);

    private static SafeFileHandle Mount(string path, out bool isLoop)
    {
        using SafeFileHandle? opened = DetachedMount.IsTooLong(path) ? DetachedMount.Open(path) : null;
        try
        {
            isLoop = false;
            return Create(opened is null ? path : DetachedMount.PathOf(opened));
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOTBLK)
        {
            isLoop = true;
            using LoopDevice device = LoopDevice.Attach(path);
            return Create(device.Path);
        }
    }

    private static SafeFileHandle Create(string source) => Mounts.Create("erofs", source, ["ro"], MountAttributes.ReadOnly);
}
