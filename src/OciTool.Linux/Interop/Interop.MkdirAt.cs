using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "mkdirat", SetLastError = true)]
        internal static partial int MkdirAt(SafeFileHandle directory, ReadOnlySpan<byte> path, uint mode);
    }
}
