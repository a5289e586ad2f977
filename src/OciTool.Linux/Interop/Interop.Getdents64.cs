using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        private static nint SYS_getdents64 => IsArm64 ? 61 : 217;

        /// <summary>getdents64(2): raw, because readdir(3) keeps state behind the descriptor.</summary>
        /// <returns>How many bytes of <c>struct linux_dirent64</c> were written, 0 at the end, or -1 with errno set.</returns>
        internal static unsafe int Getdents64(SafeFileHandle directory, Span<byte> entries)
        {
            fixed (byte* pointer = entries)
            {
                return (int)Getdents64(SYS_getdents64, directory, pointer, (nuint)entries.Length);
            }
        }

        [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
        private static unsafe partial nint Getdents64(nint number, SafeFileHandle directory, byte* entries, nuint size);
    }
}
