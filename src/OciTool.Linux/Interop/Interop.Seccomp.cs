using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    /// <summary>libseccomp.so.2, bound when a filter has to be compiled and not before.</summary>
    /// <remarks>Function pointers, for a binary that must start where the library is not installed.</remarks>
    internal sealed unsafe class LibSeccomp
    {
        /// <summary>What seccomp_syscall_resolve_name answers for a name that it does not know.</summary>
        internal const int NR_SCMP_ERROR = -1;

        internal readonly delegate* unmanaged<ScmpVersion*> Version;
        internal readonly delegate* unmanaged<uint, nint> Init;
        internal readonly delegate* unmanaged<nint, void> Release;
        internal readonly delegate* unmanaged<byte*, uint> ArchResolveName;
        internal readonly delegate* unmanaged<uint> ArchNative;
        internal readonly delegate* unmanaged<nint, uint, int> ArchAdd;
        internal readonly delegate* unmanaged<byte*, int> SyscallResolveName;
        internal readonly delegate* unmanaged<uint, byte*, int> SyscallResolveNameArch;
        internal readonly delegate* unmanaged<nint, uint, int, uint, ScmpArgCmp*, int> RuleAddArray;
        internal readonly delegate* unmanaged<nint, int, int> ExportBpf;

        private LibSeccomp(nint library)
        {
            Version = (delegate* unmanaged<ScmpVersion*>)NativeLibrary.GetExport(library, "seccomp_version");
            Init = (delegate* unmanaged<uint, nint>)NativeLibrary.GetExport(library, "seccomp_init");
            Release = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "seccomp_release");
            ArchResolveName = (delegate* unmanaged<byte*, uint>)NativeLibrary.GetExport(library, "seccomp_arch_resolve_name");
            ArchNative = (delegate* unmanaged<uint>)NativeLibrary.GetExport(library, "seccomp_arch_native");
            ArchAdd = (delegate* unmanaged<nint, uint, int>)NativeLibrary.GetExport(library, "seccomp_arch_add");
            SyscallResolveName =
                (delegate* unmanaged<byte*, int>)NativeLibrary.GetExport(library, "seccomp_syscall_resolve_name");
            SyscallResolveNameArch = (delegate* unmanaged<uint, byte*, int>)NativeLibrary.GetExport(
                library, "seccomp_syscall_resolve_name_arch");
            RuleAddArray = (delegate* unmanaged<nint, uint, int, uint, ScmpArgCmp*, int>)NativeLibrary.GetExport(
                library, "seccomp_rule_add_array");
            ExportBpf = (delegate* unmanaged<nint, int, int>)NativeLibrary.GetExport(library, "seccomp_export_bpf");
        }

        /// <summary>Loads the library by its plain name, through the loader's own search path.</summary>
        internal static LibSeccomp? TryLoad() =>
            NativeLibrary.TryLoad("libseccomp.so.2", out nint library) ? new LibSeccomp(library) : null;

        /// <summary>An anonymous file (memfd_create(2)) that a filter is exported to.</summary>
        internal static int CreateScratchFile()
        {
            int descriptor = Libc.MemfdForExport("seccomp", Libc.MFD_CLOEXEC_FOR_EXPORT);
            return descriptor >= 0 ? descriptor : throw ErrnoException.FromLastError("memfd_create");
        }

        /// <summary>struct scmp_version.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct ScmpVersion
        {
            internal readonly uint Major;
            internal readonly uint Minor;
            internal readonly uint Micro;
        }

        /// <summary>struct scmp_arg_cmp, 24 bytes.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal readonly struct ScmpArgCmp(uint argument, int comparison, ulong first, ulong second)
        {
            internal readonly uint Argument = argument;
            internal readonly int Comparison = comparison;
            internal readonly ulong First = first;
            internal readonly ulong Second = second;
        }
    }

    internal static partial class Libc
    {
        internal const uint MFD_CLOEXEC_FOR_EXPORT = 1;

        [LibraryImport(Name, EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int MemfdForExport(string name, uint flags);
    }
}
