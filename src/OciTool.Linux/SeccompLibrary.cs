using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A condition on an argument of a system call, as libseccomp takes it.</summary>
/// <param name="Index">The argument, from 0.</param>
/// <param name="Comparison">The number of <c>enum scmp_compare</c>, from <c>SCMP_CMP_NE</c> = 1.</param>
/// <param name="First">The value, or the mask.</param>
/// <param name="Second">The value behind a mask.</param>
public readonly record struct SeccompCondition(uint Index, int Comparison, ulong First, ulong Second);

/// <summary>libseccomp, where it is installed: compiles rules to a program of the kernel's classic BPF.</summary>
public sealed unsafe class SeccompLibrary
{
    private readonly Interop.LibSeccomp _library;

    private SeccompLibrary(Interop.LibSeccomp library) => _library = library;

    /// <summary>Loads the library.</summary>
    /// <returns>Null where it is not installed.</returns>
    public static SeccompLibrary? TryLoad() =>
        Interop.LibSeccomp.TryLoad() is { } library ? new SeccompLibrary(library) : null;

    /// <summary>The library's version.</summary>
    public Version Version => new(
        (int)_library.Version()->Major, (int)_library.Version()->Minor, (int)_library.Version()->Micro);

    /// <summary>Starts a filter.</summary>
    /// <param name="defaultAction">What happens to calls without a rule, as the kernel's <c>SECCOMP_RET_*</c>.</param>
    /// <exception cref="ErrnoException">The action is invalid.</exception>
    public Filter Create(uint defaultAction)
    {
        nint context = _library.Init(defaultAction);
        return context != 0
            ? new Filter(_library, context)
            : throw new ErrnoException("seccomp_init", null, Errno.EINVAL);
    }

    /// <summary>The number of a system call on this architecture.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Null for a call that the library does not know; negative for one of another architecture.</returns>
    public int? FindSyscall(string name)
    {
        fixed (byte* text = CString(name))
        {
            int number = _library.SyscallResolveName(text);
            return number == Interop.LibSeccomp.NR_SCMP_ERROR ? null : number;
        }
    }

    /// <summary>The number of a system call on an architecture.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="architecture">From <see cref="FindArchitecture"/>.</param>
    /// <returns>Null for a call that this architecture does not have.</returns>
    public uint? FindSyscall(string name, uint architecture)
    {
        fixed (byte* text = CString(name))
        {
            int number = _library.SyscallResolveNameArch(architecture, text);
            return number < 0 ? null : (uint)number;
        }
    }

    /// <summary>The library's token for an architecture, which is the kernel's <c>AUDIT_ARCH_*</c> except for x32.</summary>
    /// <param name="name">In libseccomp's words, for example <c>x86_64</c>.</param>
    /// <returns>Null for one that this version of the library does not know.</returns>
    public uint? FindArchitecture(string name)
    {
        fixed (byte* text = CString(name))
        {
            uint token = _library.ArchResolveName(text);
            return token == 0 ? null : token;
        }
    }

    /// <summary>The token of the machine's own architecture.</summary>
    public uint NativeArchitecture => _library.ArchNative();

    private static byte[] CString(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static void Check(int result, string call, string? operand)
    {
        if (result < 0)
        {
            throw new ErrnoException(call, operand, (Errno)(-result));
        }
    }

    /// <summary>A filter that is being put together.</summary>
    public sealed class Filter : IDisposable
    {
        private readonly Interop.LibSeccomp _library;
        private nint _context;

        internal Filter(Interop.LibSeccomp library, nint context)
        {
            _library = library;
            _context = context;
        }

        /// <summary>Makes the filter judge the calls of one more architecture; a new filter judges the machine's own alone.</summary>
        /// <param name="architecture">From <see cref="FindArchitecture"/>.</param>
        /// <returns>False for one of the other byte order, whose calls this machine cannot make.</returns>
        /// <exception cref="ErrnoException">The library refuses.</exception>
        public bool TryAddArchitecture(uint architecture)
        {
            int result = _library.ArchAdd(_context, architecture);
            if (result is -(int)Errno.EEXIST)
            {
                return true;
            }

            if (result is -(int)Errno.EDOM)
            {
                return false;
            }

            Check(result, "seccomp_arch_add", null);
            return true;
        }

        /// <summary>Adds a rule.</summary>
        /// <param name="action">What happens, as the kernel's <c>SECCOMP_RET_*</c>.</param>
        /// <param name="syscall">The call, from <see cref="FindSyscall(string)"/>.</param>
        /// <param name="conditions">All must hold; at most one an argument.</param>
        /// <exception cref="ErrnoException">The library refuses the rule.</exception>
        public void AddRule(uint action, int syscall, ReadOnlySpan<SeccompCondition> conditions)
        {
            Interop.LibSeccomp.ScmpArgCmp[] arguments = new Interop.LibSeccomp.ScmpArgCmp[conditions.Length];
            for (int i = 0; i < conditions.Length; i++)
            {
                arguments[i] = new(conditions[i].Index, conditions[i].Comparison, conditions[i].First, conditions[i].Second);
            }

            fixed (Interop.LibSeccomp.ScmpArgCmp* first = arguments)
            {
                Check(_library.RuleAddArray(_context, action, syscall, (uint)arguments.Length, first),
                    "seccomp_rule_add", null);
            }
        }

        /// <summary>Compiles the filter.</summary>
        /// <returns>An array of <c>struct sock_filter</c>, 8 bytes each.</returns>
        /// <exception cref="ErrnoException">The library or the kernel refuses.</exception>
        public byte[] Export()
        {
            using SafeFileHandle file = new(Interop.LibSeccomp.CreateScratchFile(), ownsHandle: true);
            Check(_library.ExportBpf(_context, (int)file.DangerousGetHandle()), "seccomp_export_bpf", null);
            byte[] program = new byte[RandomAccess.GetLength(file)];
            int length = 0;
            while (length < program.Length)
            {
                int read = RandomAccess.Read(file, program.AsSpan(length), length);
                if (read == 0)
                {
                    throw new EndOfStreamException();
                }

                length += read;
            }

            return program;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (_context != 0)
            {
                _library.Release(_context);
                _context = 0;
            }
        }
    }
}
