using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Brings a file to the disk while it is still being written, so that little is left to wait for at its end.</summary>
/// <remarks>
/// The kernel by itself begins after seconds, or when memory runs short; and a disk with a cache of its own, as virtual ones
/// have, does most of the work only when it is told to empty it.
/// </remarks>
/// <param name="file">A file that is written from its start to its end; it stays open.</param>
/// <param name="path">Its path, for errors.</param>
/// <param name="position">Where the writing begins, in bytes.</param>
public sealed class FileWriteBack(SafeFileHandle file, string path, long position = 0)
{
    private const long Step = 8 << 20;
    private const long FlushStep = 32 << 20;
    private const long Page = 4096;

    private long _begun = position / Page * Page;
    private long _flushed = position;
    private Task _flush = Task.CompletedTask;

    /// <summary>Says how far the file is written; the disk begins with it when that is worth it.</summary>
    /// <param name="end">The end of what was written, in bytes; what lies before was written earlier, or is a hole.</param>
    /// <exception cref="ErrnoException">What was written before did not reach the disk.</exception>
    public void WrittenTo(long end)
    {
        if (end - _begun < Step)
        {
            return;
        }

        // whole pages: one that is written to again would go to the disk twice. A refusal only means to wait later.
        end = end / Page * Page;
        _ = Interop.Libc.SyncFileRange(file, _begun, end - _begun, Interop.Libc.SYNC_FILE_RANGE_WRITE);
        _begun = end;
        if (end - _flushed >= FlushStep && _flush.IsCompleted)
        {
            _flush.GetAwaiter().GetResult(); // done: this only tells of a failure
            _flushed = end;
            _flush = Task.Run(() => DirectoryTree.SyncFile(file, path));
        }
    }

    /// <summary>Waits for what is under way. The kernel tells of a failure once: whoever makes the file durable must ask here first.</summary>
    /// <exception cref="ErrnoException">What was written before did not reach the disk.</exception>
    public Task CompleteAsync() => _flush;
}
