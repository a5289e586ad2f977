using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>fchmodat(3): glibc finds a way to honour <c>AT_SYMLINK_NOFOLLOW</c> before fchmodat2(2) of Linux 6.6.</summary>
        [LibraryImport(Name, EntryPoint = "fchmodat", SetLastError = true)]
        internal static partial int FChmodAt(SafeFileHandle directory, ReadOnlySpan<byte> path, uint mode, int flags);

        [LibraryImport(Name, EntryPoint = "fchmod", SetLastError = true)]
        internal static partial int FChmod(int file, uint mode);
    }
}
