using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Named pipes.</summary>
public static class Fifo
{
    /// <summary>Makes one that its owner alone may open.</summary>
    /// <exception cref="ErrnoException">Something is there, or the kernel refuses.</exception>
    public static void Create(string path) => Interop.Kernel.Checked(
        Interop.Kernel.CallAt(Interop.Kernel.SYS_mknodat, null, path, Interop.Libc.S_IFIFO | 0x180), "mkfifo", path); // 0600

    /// <summary>Opens the reading end without waiting for a writer.</summary>
    /// <exception cref="ErrnoException">It is not there.</exception>
    public static SafeFileHandle OpenReader(string path) => RootDirectory.Open(
        Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_NONBLOCK, mode: 0, resolve: 0);

    /// <summary>Opens the writing end.</summary>
    /// <returns>Null when nobody has the reading end open.</returns>
    /// <exception cref="ErrnoException">It is not there.</exception>
    public static SafeFileHandle? TryOpenWriter(string path)
    {
        try
        {
            return RootDirectory.Open(
                Interop.Libc.AT_FDCWD, path, Interop.Libc.O_WRONLY | Interop.Libc.O_NONBLOCK, mode: 0, resolve: 0);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENXIO)
        {
            return null;
        }
    }
}
