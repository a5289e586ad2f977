using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a descriptor can be told to do, whatever it stands for.</summary>
public static class Descriptors
{
    private const nint F_GETFD = 1;
    private const nint F_SETFL = 4;
    private const nint F_DUPFD_CLOEXEC = 1030;
    private const nint CLOSE_RANGE_UNSHARE = 2;
    internal const nint CLOSE_RANGE_CLOEXEC = 4;

    /// <summary>Makes a pipe; both ends are closed by execve.</summary>
    /// <exception cref="ErrnoException">There are too many open files.</exception>
    public static unsafe void Pipe(out SafeFileHandle read, out SafeFileHandle write)
    {
        int* ends = stackalloc int[2];
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_pipe2, (nint)ends, (nint)Interop.Libc.O_CLOEXEC), "pipe2");
        read = new SafeFileHandle(ends[0], ownsHandle: true);
        write = new SafeFileHandle(ends[1], ownsHandle: true);
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>The bytes read, 0 at the end, or the negative error number.</returns>
    public static unsafe int TryRead(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return Result(Interop.Kernel.Call(
                Interop.Kernel.SYS_read, Interop.Kernel.Descriptor(file), (nint)pointer, buffer.Length));
        }
    }

    /// <summary>Writes as much as fits.</summary>
    /// <returns>The bytes written, or the negative error number.</returns>
    public static unsafe int TryWrite(SafeFileHandle file, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return Result(Interop.Kernel.Call(
                Interop.Kernel.SYS_write, Interop.Kernel.Descriptor(file), (nint)pointer, buffer.Length));
        }
    }

    /// <summary>Writes all.</summary>
    /// <exception cref="ErrnoException">The other end is gone, or the file is full.</exception>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> buffer, string name)
    {
        while (buffer.Length > 0)
        {
            int written = TryWrite(file, buffer);
            if (written == -(int)Errno.EINTR)
            {
                continue;
            }

            if (written == -(int)Errno.EAGAIN)
            {
                // whoever shares the descriptor with us has made it non-blocking
                Span<PollEntry> entry = [new PollEntry(file, PollEvents.Write)];
                Poller.Wait(entry, timeout: -1);
                continue;
            }

            buffer = written >= 0
                ? buffer[written..]
                : throw new ErrnoException("write", name, (Errno)(-written));
        }
    }

    /// <summary>Writes all at an offset, whatever the file's position is; what was skipped stays a hole.</summary>
    /// <remarks>The class library calls it a wrong argument when a file would become larger than it may.</remarks>
    /// <exception cref="ErrnoException">The disk, the quota or the file is full, or broken.</exception>
    public static void WriteAt(SafeFileHandle file, ReadOnlySpan<byte> buffer, long offset, string name)
    {
        while (buffer.Length > 0)
        {
            nint written = Interop.Libc.PWrite(file, buffer, buffer.Length, offset);
            if (Interop.Libc.Interrupted(written))
            {
                continue;
            }

            if (written < 0)
            {
                throw ErrnoException.FromLastError("write", name);
            }

            buffer = buffer[(int)written..];
            offset += written;
        }
    }

    /// <summary>Sets the size of a file; what is new reads as zeros and takes no space.</summary>
    /// <exception cref="ErrnoException">The file may not become that large, or the disk is broken.</exception>
    public static void SetLength(SafeFileHandle file, long length, string name)
    {
        int result;
        do
        {
            result = Interop.Libc.FTruncate(file, length);
        }
        while (Interop.Libc.Interrupted(result));

        if (result != 0)
        {
            throw ErrnoException.FromLastError("ftruncate", name);
        }
    }

    /// <summary>Makes reads and writes return at once; for descriptors that nobody else shares.</summary>
    /// <exception cref="ErrnoException">The descriptor is not open.</exception>
    public static void SetNonBlocking(SafeFileHandle file) => Interop.Kernel.Checked(
        Interop.Kernel.Call(
            Interop.Kernel.SYS_fcntl, Interop.Kernel.Descriptor(file), F_SETFL, (nint)Interop.Libc.O_NONBLOCK),
        "fcntl");

    /// <summary>Makes one descriptor of this process another one.</summary>
    /// <exception cref="ErrnoException">A descriptor is not open.</exception>
    public static void Replace(SafeFileHandle file, int number) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_dup3, Interop.Kernel.Descriptor(file), number), "dup3");

    /// <summary>Lets execve close every descriptor from a number on.</summary>
    /// <exception cref="ErrnoException">The kernel is older than 5.11.</exception>
    public static void CloseOnExecute(int first) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_close_range, first, int.MaxValue, CLOSE_RANGE_CLOEXEC), "close_range");

    /// <summary>Gives this thread a table of descriptors of its own, which ends below a number; other threads keep theirs.</summary>
    /// <exception cref="ErrnoException">The kernel is older than 5.9.</exception>
    public static void KeepBelow(int number) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_close_range, number, int.MaxValue, CLOSE_RANGE_UNSHARE), "close_range");

    /// <summary>Gives a file another owner, and leaves its group.</summary>
    /// <returns>False where the kernel refuses.</returns>
    public static bool TryChangeOwner(SafeFileHandle file, uint user) =>
        Interop.Kernel.Call(Interop.Kernel.SYS_fchown, Interop.Kernel.Descriptor(file), (nint)user, -1) == 0;

    /// <summary>Whether a number is that of an open descriptor.</summary>
    public static bool IsOpen(int number) => Interop.Kernel.Call(Interop.Kernel.SYS_fcntl, number, F_GETFD) >= 0;

    /// <summary>Whether a descriptor stands for a pipe.</summary>
    public static bool IsPipe(SafeFileHandle file) =>
        (Interop.Libc.Statx(file, "").Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFIFO;

    /// <summary>The permission bits of a file, setuid, setgid and sticky included.</summary>
    public static int PermissionsOf(SafeFileHandle file) => Interop.Libc.Statx(file, "").Mode & 0xFFF;

    /// <summary>Whether a descriptor stands for a directory.</summary>
    public static bool IsDirectory(SafeFileHandle file) =>
        (Interop.Libc.Statx(file, "").Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFDIR;

    /// <summary>Whether a descriptor stands for a character device of these numbers.</summary>
    public static bool IsCharacterDevice(SafeFileHandle file, uint major, uint minor)
    {
        Interop.Libc.StatxResult status = Interop.Libc.Statx(file, "");
        return (status.Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFCHR
            && status.RdevMajor == major && status.RdevMinor == minor;
    }

    /// <summary>Makes a pipe whose ends have high numbers.</summary>
    internal static void HighPipe(out SafeFileHandle read, out SafeFileHandle write)
    {
        Pipe(out SafeFileHandle lowRead, out SafeFileHandle lowWrite);
        using (lowRead)
        using (lowWrite)
        {
            read = DuplicateHigh(lowRead);
            write = DuplicateHigh(lowWrite);
        }
    }

    /// <summary>Copies a descriptor to a high number, out of the way of those that a child is to get.</summary>
    internal static SafeFileHandle DuplicateHigh(SafeFileHandle file) => Interop.Kernel.Opened(
        Interop.Kernel.Call(Interop.Kernel.SYS_fcntl, Interop.Kernel.Descriptor(file), F_DUPFD_CLOEXEC, 100), "fcntl");

    private static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();
}
