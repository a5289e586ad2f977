using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Brings a file to the disk while it is still being written, so that little is left to wait for at its end.</summary>
/// <remarks>The kernel by itself begins after seconds, or when memory runs short.</remarks>
/// <param name="file">A file that is written from its start to its end; it stays open.</param>
/// <param name="position">Where the writing begins, in bytes.</param>
public sealed class FileWriteBack(SafeFileHandle file, long position = 0)
{
    private const long Step = 8 << 20;
    private const long Page = 4096;

    private long _begun = position / Page * Page;

    /// <summary>Says how far the file is written; the disk begins with it when that is worth it.</summary>
    /// <param name="end">The end of what was written, in bytes; what lies before was written earlier, or is a hole.</param>
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
    }
}
