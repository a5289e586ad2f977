using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "linkat", SetLastError = true)]
        internal static partial int LinkAt(
            SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldPath,
            SafeFileHandle newDirectory, ReadOnlySpan<byte> newPath, int flags);
    }
}
