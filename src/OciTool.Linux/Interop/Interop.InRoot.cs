using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        /// <summary>mkdirat(2): makes a directory below a descriptor.</summary>
        [LibraryImport(Name, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int MakeDirectory(SafeFileHandle directory, string name, uint mode);

        /// <summary>fchownat(2) with <c>AT_EMPTY_PATH</c>: changes the owner of an open file, an O_PATH descriptor included.</summary>
        internal static int ChangeOwner(SafeFileHandle file, uint uid, uint gid) =>
            ChangeOwner(file, "", uid, gid, AT_EMPTY_PATH);

        [LibraryImport(Name, EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        private static partial int ChangeOwner(SafeFileHandle directory, string name, uint uid, uint gid, int flags);
    }
}
