using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "fsetxattr", SetLastError = true)]
        internal static partial int FSetXattr(
            int file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nuint size, int flags);
    }
}
