using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "utimensat", SetLastError = true)]
        internal static partial int UtimensAt(
            SafeFileHandle directory, ReadOnlySpan<byte> path, ReadOnlySpan<TimeSpecification> accessedAndModified, int flags);

        [LibraryImport(Name, EntryPoint = "futimens", SetLastError = true)]
        internal static partial int FUtimens(int file, ReadOnlySpan<TimeSpecification> accessedAndModified);

        /// <summary>struct timespec of the 64-bit ABIs.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct TimeSpecification(long seconds, long nanoseconds)
        {
            internal readonly long Seconds = seconds;
            internal readonly long Nanoseconds = nanoseconds;
        }
    }
}
