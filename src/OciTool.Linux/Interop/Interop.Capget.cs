using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        private const uint LINUX_CAPABILITY_VERSION_3 = 0x20080522;

        /// <summary>capget(2) of the calling thread: the permitted set.</summary>
        internal static unsafe ulong PermittedCapabilities()
        {
            CapabilityHeader header = new(LINUX_CAPABILITY_VERSION_3);
            uint* data = stackalloc uint[6]; // two times effective, permitted, inheritable
            return CapabilityGet(&header, data) == 0
                ? data[1] | ((ulong)data[4] << 32)
                : throw ErrnoException.FromLastError("capget");
        }

        [LibraryImport(Name, EntryPoint = "capget", SetLastError = true)]
        private static unsafe partial int CapabilityGet(CapabilityHeader* header, uint* data);

        [StructLayout(LayoutKind.Sequential)]
        private readonly struct CapabilityHeader(uint version)
        {
            private readonly uint _version = version;
            private readonly int _pid; // 0: the calling thread
        }
    }
}
