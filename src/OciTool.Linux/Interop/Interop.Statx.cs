using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const uint STATX_BASIC_STATS = 0x7ff;
        internal const uint STATX_MNT_ID = 0x1000;

        internal const int S_IFMT = 0xf000;
        internal const int S_IFDIR = 0x4000;
        internal const int S_IFREG = 0x8000;
        internal const int S_IFLNK = 0xa000;
        internal const int S_IFCHR = 0x2000;
        internal const int S_IFBLK = 0x6000;
        internal const int S_IFIFO = 0x1000;

        /// <summary>statx(2) of a descriptor, or of a name below it that is not followed.</summary>
        /// <exception cref="ErrnoException">The file cannot be looked at.</exception>
        internal static StatxResult Statx(SafeFileHandle directory, string name)
        {
            int flags = AT_SYMLINK_NOFOLLOW | (name.Length == 0 ? AT_EMPTY_PATH : 0);
            return Statx(directory, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, out StatxResult result) == 0
                ? result
                : throw ErrnoException.FromLastError("statx", name.Length == 0 ? null : name);
        }

        /// <summary>statx(2) of a name that ends with NUL and is not followed.</summary>
        /// <returns>0, or -1 with errno set.</returns>
        internal static int Statx(SafeFileHandle directory, ReadOnlySpan<byte> name, out StatxResult result) =>
            Statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, out result);

        /// <summary>statx(2) of a path that the caller trusts; links are followed.</summary>
        internal static bool TryStatx(string path, out StatxResult result)
        {
            using SafeFileHandle current = new(AT_FDCWD, ownsHandle: false);
            return Statx(current, path, 0, STATX_BASIC_STATS | STATX_MNT_ID, out result) == 0;
        }

        [LibraryImport(Name, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        private static partial int Statx(SafeFileHandle directory, string name, int flags, uint mask, out StatxResult result);

        [LibraryImport(Name, EntryPoint = "statx", SetLastError = true)]
        private static partial int Statx(
            SafeFileHandle directory, ReadOnlySpan<byte> name, int flags, uint mask, out StatxResult result);

        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct StatxTime
        {
            internal readonly long Seconds;
            internal readonly uint Nanoseconds;
            private readonly int _reserved;
        }

        /// <summary>struct statx, 256 bytes.</summary>
        [StructLayout(LayoutKind.Sequential, Size = 256)]
        internal readonly struct StatxResult
        {
            internal readonly uint Mask;
            internal readonly uint BlockSize;
            internal readonly ulong Attributes;
            internal readonly uint Links;
            internal readonly uint Uid;
            internal readonly uint Gid;
            internal readonly ushort Mode;
            private readonly ushort _spare0;
            internal readonly ulong Inode;
            internal readonly ulong Size;
            internal readonly ulong Blocks;
            internal readonly ulong AttributesMask;
            internal readonly StatxTime Accessed;
            internal readonly StatxTime Born;
            internal readonly StatxTime Changed;
            internal readonly StatxTime Modified;
            internal readonly uint RdevMajor;
            internal readonly uint RdevMinor;
            internal readonly uint DeviceMajor;
            internal readonly uint DeviceMinor;
            internal readonly ulong MountId;
        }
    }
}
