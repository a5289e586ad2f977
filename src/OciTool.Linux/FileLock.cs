using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>An flock(2) on a file: the kernel gives it back when the process ends, however it ends.</summary>
/// <remarks>
/// The file is opened <c>O_CLOEXEC</c>, so no child inherits the lock. It may be deleted by its holder: taking a lock
/// checks that the path still names the locked file, and starts again where it does not.
/// </remarks>
public sealed class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>The locked file, open for reading and writing; it belongs to this object.</summary>
    public SafeFileHandle Handle => _file;

    /// <summary>Takes the lock, and waits for whoever holds it.</summary>
    /// <param name="path">The lock's file; created when it is absent.</param>
    /// <param name="shared">True for a lock that other shared holders may hold too.</param>
    /// <param name="patience">How long to wait, and whom to tell; null waits in silence, without an end.</param>
    /// <exception cref="LockTimeoutException">The patience is over.</exception>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static FileLock Acquire(string path, bool shared = false, LockPatience? patience = null) =>
        TryAcquire(path, out FileLock? held, shared) ? held
            : patience is null ? Take(path, Operation(shared))!
            : AcquireContended(path, shared, patience);

    /// <summary>Takes the lock if nobody holds it.</summary>
    /// <param name="path">The lock's file; created when it is absent.</param>
    /// <param name="held">The lock, or null when another process or handle holds it.</param>
    /// <param name="shared">True for a lock that other shared holders may hold too.</param>
    public static bool TryAcquire(string path, [NotNullWhen(true)] out FileLock? held, bool shared = false)
    {
        held = Take(path, Operation(shared) | Interop.Libc.LOCK_NB);
        return held is not null;
    }

    /// <summary>Whether somebody holds a lock; one without a file is free.</summary>
    /// <param name="path">The lock's file; it is not created.</param>
    /// <returns>True also where the file cannot be opened, as in a store that can only be read: nobody can tell.</returns>
    public static bool IsHeld(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using FileLock? free = Take(path, Operation(shared: true) | Interop.Libc.LOCK_NB);
            return free is null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static int Operation(bool shared) => shared ? Interop.Libc.LOCK_SH : Interop.Libc.LOCK_EX;

    // the kernel wakes waiters in their order, which looking again and again would not; but nothing ends such a wait
    private static FileLock AcquireContended(string path, bool shared, LockPatience patience)
    {
        long start = Stopwatch.GetTimestamp();
        Task<FileLock> taking = Task.Factory.StartNew(
            () => Take(path, Operation(shared))!, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!EndsWithin(taking, patience.IsOver(LockPatience.Quiet) ? patience.Timeout : LockPatience.Quiet))
        {
            if (!patience.IsOver(Stopwatch.GetElapsedTime(start)))
            {
                patience.Tell($"waiting for {LockPatience.Describe(path)}");
            }

            if (!EndsWithin(taking, patience.Timeout - Stopwatch.GetElapsedTime(start)))
            {
                string what = LockPatience.Describe(path);
                _ = taking.ContinueWith(
                    late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
                throw new LockTimeoutException(patience.Timeout!.Value, what);
            }
        }

        return taking.GetAwaiter().GetResult();
    }

    private static bool EndsWithin(Task task, TimeSpan? time) => Task.WaitAny(
        [task], time is { } limit ? (int)Math.Clamp(limit.TotalMilliseconds, 0, int.MaxValue) : Timeout.Infinite) == 0;

    private static FileLock? Take(string path, int operation)
    {
        while (true)
        {
            // not by File.OpenHandle: it takes an flock of its own, and fails where another process holds ours
            SafeFileHandle file = RootDirectory.Open(
                Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDWR | Interop.Libc.O_CREAT, mode: 0x180, resolve: 0);
            int result;
            do
            {
                result = Interop.Libc.Flock(file, operation);
            }
            while (Interop.Libc.Interrupted(result));

            if (result != 0)
            {
                Errno errno = (Errno)Marshal.GetLastPInvokeError();
                file.Dispose();
                return errno == Errno.EAGAIN ? null : throw new ErrnoException("flock", path, errno);
            }

            if (FileIdentity.TryOf(path, out FileIdentity named) && named == FileIdentity.Of(file))
            {
                return new FileLock(file);
            }

            file.Dispose(); // the holder before us deleted the file: what we locked has no name any more
        }
    }
}
