using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const uint RENAME_NOREPLACE = 1;
        internal const uint RENAME_EXCHANGE = 2;

        [LibraryImport(Name, EntryPoint = "renameat2", SetLastError = true)]
        internal static partial int RenameAt2(
            SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldPath,
            SafeFileHandle newDirectory, ReadOnlySpan<byte> newPath, uint flags);
    }
}
