using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>The small files and directories of the kernel's own file systems, such as cgroupfs.</summary>
/// <remarks>
/// Three system calls a file: <see cref="File"/> makes twice as many, and a container's start writes dozens of these
/// files. Such a file takes a value as one write or not at all, and the error number is its answer.
/// </remarks>
public static class KernelFile
{
    /// <summary>Writes a value.</summary>
    /// <param name="path">The file, which exists.</param>
    /// <param name="value">The text, without a line end.</param>
    /// <returns>Why the file cannot be opened, or does not take the value.</returns>
    public static Errno Write(string path, string value)
    {
        Errno error = TryOpen(path, write: true, out SafeFileHandle? file);
        using (file)
        {
            return file is null ? error : Write(file, value);
        }
    }

    /// <summary>Writes a value into an opened file.</summary>
    /// <returns>Why the file does not take the value.</returns>
    public static Errno Write(SafeFileHandle file, string value)
    {
        int written = Descriptors.TryWrite(file, Encoding.UTF8.GetBytes(value));
        return written < 0 ? (Errno)(-written) : Errno.None;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">What is in it; empty where it cannot be read.</param>
    /// <returns>Why it cannot be read.</returns>
    public static Errno Read(string path, out string text)
    {
        text = "";
        Errno error = TryOpen(path, write: false, out SafeFileHandle? file);
        using (file)
        {
            if (file is null)
            {
                return error;
            }

            byte[] buffer = new byte[1024];
            int length = 0;
            while (true)
            {
                int read = Descriptors.TryRead(file, buffer.AsSpan(length));
                if (read < 0)
                {
                    return (Errno)(-read);
                }

                if (read == 0)
                {
                    text = Encoding.UTF8.GetString(buffer, 0, length);
                    return Errno.None;
                }

                length += read;
                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, length * 4);
                }
            }
        }
    }

    /// <summary>Opens a file; execve closes it.</summary>
    /// <param name="path">The file, which exists.</param>
    /// <param name="write">Whether to write to it instead of reading.</param>
    /// <param name="file">The file, the caller's to close; null where it cannot be opened.</param>
    /// <returns>Why it cannot be opened.</returns>
    public static Errno TryOpen(string path, bool write, out SafeFileHandle? file)
    {
        ulong flags = (write ? Interop.Libc.O_WRONLY : Interop.Libc.O_RDONLY) | Interop.Libc.O_CLOEXEC;
        nint result = Interop.Kernel.CallAt(Interop.Kernel.SYS_openat, directory: null, path, (nint)flags);
        file = result >= 0 ? new SafeFileHandle(result, ownsHandle: true) : null;
        return Result(result);
    }

    /// <summary>Makes a directory.</summary>
    /// <returns>Why it cannot be made; <see cref="Errno.EEXIST"/> where there is one.</returns>
    public static Errno MakeDirectory(string path) =>
        Result(Interop.Kernel.CallAt(Interop.Kernel.SYS_mkdirat, directory: null, path, 0x1ed)); // rwxr-xr-x

    /// <summary>Removes a directory that has no directories in it: the kernel's files go with theirs.</summary>
    /// <returns>Why it cannot be removed.</returns>
    public static Errno RemoveDirectory(string path) =>
        Result(Interop.Kernel.CallAt(Interop.Kernel.SYS_unlinkat, directory: null, path, Interop.Libc.AT_REMOVEDIR));

    /// <summary>Sends a signal to a process.</summary>
    /// <returns>Why it cannot be sent; <see cref="Errno.ESRCH"/> where there is no such process.</returns>
    /// <remarks>By number: only for a process that cannot end and be followed by another one meanwhile, as a frozen one.</remarks>
    public static Errno Signal(int pid, int signal) => Result(Interop.Kernel.Call(Interop.Kernel.SYS_kill, pid, signal));

    private static Errno Result(nint result) => result >= 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
}
