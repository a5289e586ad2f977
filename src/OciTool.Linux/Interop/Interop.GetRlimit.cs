using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>prlimit64(2) of this process, without a new limit: the same layout on every architecture.</summary>
        [LibraryImport(Name, EntryPoint = "prlimit64", SetLastError = true)]
        internal static partial int GetLimit(int pid, int resource, nint newLimit, out LimitPair oldLimit);

        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct LimitPair
        {
            internal readonly ulong Soft;
            internal readonly ulong Hard;
        }
    }
}
