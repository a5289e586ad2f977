using System.Runtime.InteropServices;
using System.Text;

namespace OciTool.Linux;

/// <summary>What becomes of this process: its session, its directory, its program.</summary>
public static class ProcessImage
{
    /// <summary>Leaves the session that this process was started in.</summary>
    /// <exception cref="ErrnoException">It leads a process group already.</exception>
    public static void StartSession() =>
        Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_setsid), "setsid");

    /// <summary>Changes the working directory, and makes sure that it is below the root.</summary>
    /// <returns>What went wrong; <see cref="Errno.None"/> where nothing did.</returns>
    /// <remarks>A directory that is reached through a leaked descriptor is outside (CVE-2024-21626); getcwd shows it.</remarks>
    public static unsafe Errno TryChangeDirectory(string path)
    {
        fixed (byte* pointer = Interop.Kernel.Terminated(path))
        {
            if (Interop.Kernel.Call(Interop.Kernel.SYS_chdir, (nint)pointer) != 0)
            {
                return (Errno)Marshal.GetLastPInvokeError();
            }
        }

        byte* buffer = stackalloc byte[4096];
        return Interop.Kernel.Call(Interop.Kernel.SYS_getcwd, (nint)buffer, 4096) < 0
            ? (Errno)Marshal.GetLastPInvokeError()
            : buffer[0] == '/' ? Errno.None : Errno.EXDEV;
    }

    /// <summary>Ends this process at once.</summary>
    /// <param name="status">Its exit status.</param>
    public static void Exit(int status) => Interop.Kernel.Call(Interop.Kernel.SYS_exit_group, status);

    /// <summary>Becomes another program.</summary>
    /// <param name="candidates">Where it may be, in the order in which they are tried.</param>
    /// <param name="arguments">Its arguments, with its name first.</param>
    /// <param name="environment">Its environment.</param>
    /// <returns>Only on failure: the reason of the most telling candidate.</returns>
    public static unsafe Errno Execute(
        IReadOnlyList<string> candidates, ReadOnlySpan<string> arguments, ReadOnlySpan<string> environment)
    {
        using NativeStrings argv = new(arguments);
        using NativeStrings envp = new(environment);
        Errno reason = Errno.ENOENT;
        for (int i = 0; i < candidates.Count; i++)
        {
            fixed (byte* path = Interop.Kernel.Terminated(candidates[i]))
            {
                Interop.Kernel.Call(Interop.Kernel.SYS_execve, (nint)path, (nint)argv.Pointer, (nint)envp.Pointer);
            }

            Errno errno = (Errno)Marshal.GetLastPInvokeError();
            if (errno is not (Errno.ENOENT or Errno.ENOTDIR))
            {
                reason = errno;
                if (errno != Errno.EACCES)
                {
                    break;
                }
            }
        }

        return reason;
    }
}
