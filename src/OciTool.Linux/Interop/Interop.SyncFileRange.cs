using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const uint SYNC_FILE_RANGE_WRITE = 2;

        [LibraryImport(Name, EntryPoint = "sync_file_range", SetLastError = true)]
        internal static partial int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);

        [LibraryImport(Name, EntryPoint = "fdatasync", SetLastError = true)]
        internal static partial int FDataSync(SafeFileHandle file);
    }
}
