using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "write", SetLastError = true)]
        internal static partial nint Write(int file, ReadOnlySpan<byte> bytes, nint count);

        [LibraryImport(Name, EntryPoint = "pwrite", SetLastError = true)]
        internal static partial nint PWrite(int file, ReadOnlySpan<byte> bytes, nint count, long offset);

        [LibraryImport(Name, EntryPoint = "pwrite", SetLastError = true)]
        internal static partial nint PWrite(SafeFileHandle file, ReadOnlySpan<byte> bytes, nint count, long offset);
    }
}
