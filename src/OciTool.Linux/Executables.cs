using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>Finds the file that a command names, before it is executed.</summary>
public static class Executables
{
    private const nint AT_EACCESS = 0x200;
    private const nint X_OK = 1;

    /// <summary>Looks for a file that this thread may execute.</summary>
    /// <param name="candidates">Where it may be, in the order in which they are tried.</param>
    /// <returns>Its path; or null, and the reason of the most telling candidate.</returns>
    public static (string? Path, Errno Reason) Find(IReadOnlyList<string> candidates)
    {
        Errno reason = Errno.ENOENT;
        for (int i = 0; i < candidates.Count; i++)
        {
            Errno errno = Check(candidates[i]);
            if (errno == Errno.None)
            {
                return (candidates[i], Errno.None);
            }

            reason = errno is Errno.ENOENT or Errno.ENOTDIR && candidates.Count > 1 ? reason : errno;
        }

        return (null, reason);
    }

    private static unsafe Errno Check(string path)
    {
        fixed (byte* pointer = Interop.Kernel.Terminated(path))
        {
            if (Interop.Kernel.Call(
                Interop.Kernel.SYS_faccessat2, Interop.Libc.AT_FDCWD, (nint)pointer, X_OK, AT_EACCESS) != 0)
            {
                return (Errno)Marshal.GetLastPInvokeError();
            }
        }

        return Directory.Exists(path) ? Errno.EACCES : Errno.None;
    }
}
