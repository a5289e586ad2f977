using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "syncfs", SetLastError = true)]
        internal static partial int Syncfs(SafeFileHandle file);
    }
}
