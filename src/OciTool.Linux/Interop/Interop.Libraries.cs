using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace OciTool.Linux;

/// <summary>Raw signatures: one file a call, constants with their C names beside the call that takes them.</summary>
internal static partial class Interop
{
    /// <summary>The C library, bound when the binary is linked.</summary>
    internal static partial class Libc
    {
        private const string Name = "libc";

        /// <summary>The descriptor that stands for the working directory in the *at calls.</summary>
        internal const int AT_FDCWD = -100;

        internal const int AT_SYMLINK_NOFOLLOW = 0x100;
        internal const int AT_REMOVEDIR = 0x200;
        internal const int AT_EMPTY_PATH = 0x1000;

        /// <summary>Whether the call that returned -1 was interrupted by a signal and has to be made again.</summary>
        internal static bool Interrupted(nint result) =>
            result == -1 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR;
    }
}
