using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "readlinkat", SetLastError = true)]
        internal static partial nint ReadLinkAt(
            SafeFileHandle directory, ReadOnlySpan<byte> path, Span<byte> buffer, nint size);
    }
}
