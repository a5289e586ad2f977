using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "ftruncate", SetLastError = true)]
        internal static partial int FTruncate(int file, long length);
    }
}
