using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A shared lock of fcntl(2) on a whole file, which is what containers/storage locks with: flock(2) knows nothing of it.</summary>
/// <remarks>It belongs to the open file and not to the process (F_OFD_SETLK), so that no other descriptor that is closed ends it.</remarks>
public sealed class RecordLock : IDisposable
{
    private const nint F_OFD_SETLK = 37;
    private const int SizeOfRequest = 32; // struct flock

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle _file;

    private RecordLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes a shared lock, and waits for whoever writes.</summary>
    /// <param name="path">The lock's file; it is not created.</param>
    /// <param name="patience">How long to wait, and whom to tell.</param>
    /// <returns>Null where there is no such file, and so nobody who writes.</returns>
    /// <exception cref="LockTimeoutException">The patience is over.</exception>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the result, and is disposed after a failure")]
    public static RecordLock? TryShare(string path, LockPatience patience)
    {
        SafeFileHandle file;
        try
        {
            file = RootDirectory.Open(
                Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_NONBLOCK | Interop.Libc.O_NOCTTY, mode: 0, resolve: 0);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }

        try
        {
            Wait(file, path, patience);
            return new RecordLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // looked for again and again: a wait in the kernel would have no end
    private static void Wait(SafeFileHandle file, string path, LockPatience patience)
    {
        long start = Stopwatch.GetTimestamp();
        bool told = false;
        while (!IsTaken(file, path))
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            if (patience.IsOver(waited))
            {
                throw new LockTimeoutException(waited, LockPatience.Describe(path));
            }

            if (!told && waited >= LockPatience.Quiet)
            {
                patience.Tell($"waiting for {LockPatience.Describe(path)}");
                told = true;
            }

            Thread.Sleep(Pause);
        }
    }

    private static unsafe bool IsTaken(SafeFileHandle file, string path)
    {
        byte* request = stackalloc byte[SizeOfRequest];
        new Span<byte>(request, SizeOfRequest).Clear(); // F_RDLCK, from the beginning to the end
        if (Interop.Kernel.Call(Interop.Kernel.SYS_fcntl, Interop.Kernel.Descriptor(file), F_OFD_SETLK, (nint)request) == 0)
        {
            return true;
        }

        Errno errno = (Errno)Marshal.GetLastPInvokeError();
        return errno is Errno.EAGAIN or Errno.EACCES ? false : throw new ErrnoException("fcntl", path, errno);
    }
}
