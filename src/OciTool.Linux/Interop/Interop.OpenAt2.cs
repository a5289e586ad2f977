using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const ulong O_RDONLY = 0;
        internal const ulong O_WRONLY = 1;
        internal const ulong O_RDWR = 2;
        internal const ulong O_CREAT = 0x40;
        internal const ulong O_EXCL = 0x80;
        internal const ulong O_NOCTTY = 0x100;
        internal const ulong O_TRUNC = 0x200;
        internal const ulong O_NONBLOCK = 0x800;
        internal const ulong O_CLOEXEC = 0x80000;
        internal const ulong O_PATH = 0x200000;

        internal const ulong RESOLVE_NO_XDEV = 0x01;
        internal const ulong RESOLVE_NO_MAGICLINKS = 0x02;
        internal const ulong RESOLVE_NO_SYMLINKS = 0x04;
        internal const ulong RESOLVE_BENEATH = 0x08;
        internal const ulong RESOLVE_IN_ROOT = 0x10;

        private const int MostAttempts = 10_000;
        private const nint SYS_openat2 = 437; // the same on x86-64 and arm64

        // two flags whose values arm64 and x86-64 swap (asm/fcntl.h)
        internal static ulong O_DIRECTORY => IsArm64 ? 0x4000UL : 0x10000UL;

        internal static ulong O_NOFOLLOW => IsArm64 ? 0x8000UL : 0x20000UL;

        internal static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

        /// <summary>openat2(2), Linux 5.6. glibc has no wrapper, hence the call through syscall(2).</summary>
        /// <remarks>
        /// It fails with EAGAIN when anything of the machine was renamed while it resolved ".." below a root, and asks to
        /// be called again. Not for ever: somebody may do nothing but rename.
        /// </remarks>
        /// <returns>A file descriptor, or -1 with errno set.</returns>
        internal static unsafe int OpenAt2(int directory, ReadOnlySpan<byte> path, in OpenHow how)
        {
            nint result;
            int attempts = 0;
            fixed (byte* pointer = path)
            {
                do
                {
                    result = OpenAt2(SYS_openat2, directory, pointer, in how, (nuint)sizeof(OpenHow));
                }
                while (Interrupted(result) || (WasDisturbed(result, how.Resolve) && ++attempts < MostAttempts));
            }

            return (int)result;
        }

        private static bool WasDisturbed(nint result, ulong resolve) =>
            result < 0 && (resolve & RESOLVE_IN_ROOT) != 0 && Marshal.GetLastPInvokeError() == (int)Errno.EAGAIN;

        [LibraryImport(Name, EntryPoint = "syscall", SetLastError = true)]
        private static unsafe partial nint OpenAt2(nint number, nint directory, byte* path, in OpenHow how, nuint size);

        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct OpenHow(ulong flags, ulong mode, ulong resolve)
        {
            internal readonly ulong Flags = flags;
            internal readonly ulong Mode = mode;
            internal readonly ulong Resolve = resolve;
        }
    }
}
