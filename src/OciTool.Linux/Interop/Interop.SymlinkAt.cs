using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "symlinkat", SetLastError = true)]
        internal static partial int SymlinkAt(
            ReadOnlySpan<byte> target, SafeFileHandle directory, ReadOnlySpan<byte> path);
    }
}
