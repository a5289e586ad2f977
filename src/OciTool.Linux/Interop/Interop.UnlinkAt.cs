using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>unlinkat(2); the name is its bytes with the NUL behind them.</summary>
        internal static unsafe int UnlinkAt(SafeFileHandle directory, ReadOnlySpan<byte> name, int flags)
        {
            fixed (byte* pointer = name)
            {
                return UnlinkAt(directory, pointer, flags);
            }
        }

        [LibraryImport(Name, EntryPoint = "unlinkat", SetLastError = true)]
        private static unsafe partial int UnlinkAt(SafeFileHandle directory, byte* name, int flags);
    }
}
