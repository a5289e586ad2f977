using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    /// <summary>The class library's own build of zlib-ng: a part of the runtime, linked into the binary.</summary>
    internal static partial class Zlib
    {
        internal const int Z_OK = 0;
        internal const int Z_STREAM_END = 1;
        internal const int Z_BUF_ERROR = -5;
        internal const int GzipWindowBits = 15 + 16;

        private const string Name = "libSystem.IO.Compression.Native";

        [LibraryImport(Name, EntryPoint = "CompressionNative_InflateInit2_")]
        internal static partial int InflateInit(ref ZStream stream, int windowBits);

        [LibraryImport(Name, EntryPoint = "CompressionNative_Inflate")]
        internal static partial int Inflate(ref ZStream stream, int flush);

        [LibraryImport(Name, EntryPoint = "CompressionNative_InflateEnd")]
        internal static partial int InflateEnd(ref ZStream stream);

        /// <summary>The runtime's PAL_ZStream.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal unsafe struct ZStream
        {
            internal byte* NextIn;
            internal byte* NextOut;
            internal byte* Message;
            internal void* State;
            internal uint AvailableIn;
            internal uint AvailableOut;
        }
    }
}
