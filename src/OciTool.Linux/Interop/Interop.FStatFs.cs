using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "fstatfs", SetLastError = true)]
        internal static partial int FStatFs(SafeFileHandle file, out StatFsResult result);

        /// <summary>struct statfs of the 64-bit ABIs, 120 bytes.</summary>
        [StructLayout(LayoutKind.Sequential, Size = 120)]
        internal readonly struct StatFsResult
        {
            internal readonly long Type;
            internal readonly long BlockSize;
            internal readonly ulong Blocks;
            internal readonly ulong BlocksFree;
            internal readonly ulong BlocksAvailable;
        }
    }
}
