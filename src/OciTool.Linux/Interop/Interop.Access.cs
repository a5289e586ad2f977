using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const int W_OK = 2;

        [LibraryImport(Name, EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Access(string path, int mode);
    }
}
