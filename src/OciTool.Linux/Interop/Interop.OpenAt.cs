using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>openat(2) of one name.</summary>
        /// <returns>A file descriptor, or -1 with errno set.</returns>
        [LibraryImport(Name, EntryPoint = "openat", SetLastError = true)]
        internal static partial int OpenAt(SafeFileHandle directory, ReadOnlySpan<byte> path, int flags, uint mode);
    }
}
