using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const int LOCK_SH = 1;
        internal const int LOCK_EX = 2;
        internal const int LOCK_NB = 4;
        internal const int LOCK_UN = 8;

        [LibraryImport(Name, EntryPoint = "flock", SetLastError = true)]
        internal static partial int Flock(SafeFileHandle file, int operation);
    }
}
