using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "fchownat", SetLastError = true)]
        internal static partial int FChownAt(
            SafeFileHandle directory, ReadOnlySpan<byte> path, uint owner, uint group, int flags);

        [LibraryImport(Name, EntryPoint = "fchown", SetLastError = true)]
        internal static partial int FChown(int file, uint owner, uint group);
    }
}
