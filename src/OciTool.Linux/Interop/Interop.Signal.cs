using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const nint SIG_DFL = 0;
        internal const nint SIG_IGN = 1;

        /// <summary>signal(2): what a signal does to this process.</summary>
        [LibraryImport(Name, EntryPoint = "signal", SetLastError = true)]
        internal static partial nint Signal(int signal, nint disposition);
    }
}
