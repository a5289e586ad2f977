using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        [LibraryImport(Name, EntryPoint = "llistxattr", SetLastError = true)]
        internal static partial nint LListXattr(ReadOnlySpan<byte> path, Span<byte> names, nint size);

        [LibraryImport(Name, EntryPoint = "lgetxattr", SetLastError = true)]
        internal static partial nint LGetXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> value, nint size);
    }
}
