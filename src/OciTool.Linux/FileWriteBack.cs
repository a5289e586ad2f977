using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Brings one file to the disk while it is still being written, so that little is left to wait for at its end.</summary>
/// <remarks>The kernel by itself begins after seconds, or when memory runs short.</remarks>
/// <param name="file">A file that is written in sequence; it stays open.</param>
/// <param name="path">Its path, for errors.</param>
/// <param name="position">Where in the file the writing begins, in bytes.</param>
public sealed class FileWriteBack(SafeFileHandle file, string path, long position = 0)
{
    private const long Step = 8 << 20;
    private const long Page = 4096;

    private long _written = position;
    private long _begun = position / Page * Page;

    /// <summary>Says that more was written, and has the disk begin with it when it is worth it.</summary>
    /// <param name="count">How many bytes more.</param>
    public void Advance(int count)
    {
        _written += count;
        if (_written - _begun < Step)
        {
            return;
        }

        // whole pages: one that is written to again would go to the disk twice. A refusal only means to wait later.
        long end = _written / Page * Page;
        _ = Interop.Libc.SyncFileRange(file, _begun, end - _begun, Interop.Libc.SYNC_FILE_RANGE_WRITE);
        _begun = end;
    }

    /// <summary>Waits until the file's content and size are on the disk: fdatasync(2). Its name is its directory's matter.</summary>
    /// <exception cref="IOException">The file could not be written back.</exception>
    public void Finish()
    {
        if (Interop.Libc.FDataSync(file) != 0)
        {
            throw ErrnoException.FromLastError("fdatasync", path);
        }
    }
}
