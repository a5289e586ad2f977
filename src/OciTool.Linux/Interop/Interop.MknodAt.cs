using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>mknodat(2); the device is encoded as glibc's makedev(3) does.</summary>
        [LibraryImport(Name, EntryPoint = "mknodat", SetLastError = true)]
        internal static partial int MknodAt(SafeFileHandle directory, ReadOnlySpan<byte> path, uint mode, ulong device);
    }
}
