using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "write", SetLastError = true)]
        internal static partial nint Write(int file, ReadOnlySpan<byte> bytes, nint count);

        [LibraryImport(Name, EntryPoint = "pwrite", SetLastError = true)]
        internal static partial nint PWrite(int file, ReadOnlySpan<byte> bytes, nint count, long offset);
    }
}
