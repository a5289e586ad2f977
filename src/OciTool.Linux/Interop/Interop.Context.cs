using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        // ucontext_t has 968 bytes on x86-64 and 4560 on arm64; its head is the same on both
        internal const int ContextSize = 8192;

        /// <summary>getcontext(3): fills a context with what this thread is now.</summary>
        [LibraryImport(Name, EntryPoint = "getcontext", SetLastError = true)]
        internal static unsafe partial int GetContext(Context* context);

        /// <summary>makecontext(3): makes a context one that calls a function with six words.</summary>
        [LibraryImport(Name, EntryPoint = "makecontext", SetLastError = true)]
        internal static unsafe partial void MakeContext(
            Context* context, nint function, int count, nint a, nint b, nint c, nint d, nint e, nint f);

        /// <summary>clone(2), by the C library's wrapper: a function, its stack, the flags, its argument.</summary>
        [LibraryImport(Name, EntryPoint = "clone", SetLastError = true)]
        internal static unsafe partial int Clone(nint function, byte* stack, int flags, void* argument, nint parent, nint tls, nint child);

        /// <summary>Where this thread's errno is.</summary>
        [LibraryImport(Name, EntryPoint = "__errno_location", SetLastError = true)]
        internal static unsafe partial int* ErrnoLocation();

        /// <summary>The head of ucontext_t.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal unsafe struct Context
        {
            private readonly nuint _flags;
            internal Context* Next;
            internal byte* Stack;
            private readonly nint _stackFlags;
            internal nuint StackSize;
        }
    }
}
