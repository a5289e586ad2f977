using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        private static nint SYS_getdents64 => IsArm64 ? 61 : 217;

        /// <summary>getdents64(2): glibc 2.30 wraps it, musl names it otherwise.</summary>
        internal static nint GetDents64(SafeFileHandle directory, Span<byte> buffer)
        {
            using HeldHandle held = new(directory);
            return GetDents64(SYS_getdents64, held.Descriptor, buffer, buffer.Length);
        }

        [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
        private static partial nint GetDents64(nint number, nint directory, Span<byte> buffer, nint size);

        /// <summary>Keeps a descriptor open while its number is passed through syscall(2).</summary>
        internal readonly ref struct HeldHandle
        {
            private readonly SafeFileHandle _handle;
            private readonly bool _added;

            internal HeldHandle(SafeFileHandle handle)
            {
                _handle = handle;
                handle.DangerousAddRef(ref _added);
            }

            internal int Descriptor => (int)_handle.DangerousGetHandle();

            internal void Dispose()
            {
                if (_added)
                {
                    _handle.DangerousRelease();
                }
            }
        }
    }
}
