using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

internal static partial class Interop
{
    /// <summary>
    /// System calls made by number: glibc wraps them not at all (the mount calls), or with work of its own that a
    /// launcher must not have (its setresuid signals every thread of the process).
    /// </summary>
    internal static partial class Kernel
    {
        internal const nint SYS_pidfd_send_signal = 424;
        internal const nint SYS_open_tree = 428;
        internal const nint SYS_move_mount = 429;
        internal const nint SYS_fsopen = 430;
        internal const nint SYS_fsconfig = 431;
        internal const nint SYS_fsmount = 432;
        internal const nint SYS_pidfd_open = 434;
        internal const nint SYS_close_range = 436;
        internal const nint SYS_pidfd_getfd = 438;
        internal const nint SYS_faccessat2 = 439;
        internal const nint SYS_mount_setattr = 442;

        // from 424 on numbers are the same everywhere; below, x86-64 has its own and arm64 the generic ones
        internal static nint SYS_read => Number(0, 63);

        internal static nint SYS_write => Number(1, 64);

        internal const nint SIG_SETMASK = 2;

        internal static nint SYS_rt_sigaction => Number(13, 134);

        internal static nint SYS_rt_sigprocmask => Number(14, 135);

        internal static nint SYS_ioctl => Number(16, 29);

        internal static nint SYS_socket => Number(41, 198);

        internal static nint SYS_sendmsg => Number(46, 211);

        internal static nint SYS_recvmsg => Number(47, 212);

        internal static nint SYS_socketpair => Number(53, 199);

        internal static nint SYS_execve => Number(59, 221);

        internal static nint SYS_kill => Number(62, 129);

        internal static nint SYS_fcntl => Number(72, 25);

        internal static nint SYS_personality => Number(135, 92);

        internal static nint SYS_sched_setattr => Number(314, 274);

        internal static nint SYS_sched_setaffinity => Number(203, 122);

        internal static nint SYS_ioprio_set => Number(251, 30);

        internal static nint SYS_signalfd4 => Number(289, 74);

        internal static nint SYS_exit_group => Number(231, 94);

        internal static nint SYS_connect => Number(42, 203);

        internal static nint SYS_getcwd => Number(79, 17);

        internal static nint SYS_chdir => Number(80, 49);

        internal static nint SYS_fchdir => Number(81, 50);

        internal static nint SYS_fchown => Number(93, 55);

        internal static nint SYS_umask => Number(95, 166);

        internal static nint SYS_setsid => Number(112, 157);

        internal static nint SYS_setgroups => Number(116, 159);

        internal static nint SYS_setresuid => Number(117, 147);

        internal static nint SYS_setresgid => Number(119, 149);

        internal static nint SYS_capget => Number(125, 90);

        internal static nint SYS_capset => Number(126, 91);

        internal static nint SYS_fstatfs => Number(138, 44);

        internal static nint SYS_pivot_root => Number(155, 41);

        internal static nint SYS_prctl => Number(157, 167);

        internal static nint SYS_mount => Number(165, 40);

        internal static nint SYS_umount2 => Number(166, 39);

        internal static nint SYS_sethostname => Number(170, 161);

        internal static nint SYS_setdomainname => Number(171, 162);

        internal static nint SYS_waitid => Number(247, 95);

        internal static nint SYS_keyctl => Number(250, 219);

        internal static nint SYS_openat => Number(257, 56);

        internal static nint SYS_mkdirat => Number(258, 34);

        internal static nint SYS_mknodat => Number(259, 33);

        internal static nint SYS_fchownat => Number(260, 54);

        internal static nint SYS_unlinkat => Number(263, 35);

        internal static nint SYS_symlinkat => Number(266, 36);

        internal static nint SYS_readlinkat => Number(267, 78);

        internal static nint SYS_ppoll => Number(271, 73);

        internal static nint SYS_unshare => Number(272, 97);

        internal static nint SYS_dup3 => Number(292, 24);

        internal static nint SYS_pipe2 => Number(293, 59);

        internal static nint SYS_prlimit64 => Number(302, 261);

        internal static nint SYS_setns => Number(308, 268);

        internal static nint SYS_seccomp => Number(317, 277);

        internal static nint SYS_memfd_create => Number(319, 279);

        internal static nint SYS_bpf => Number(321, 280);

        /// <summary>Makes a call, again when a signal interrupts it.</summary>
        /// <returns>The result, or -1 with errno set.</returns>
        internal static nint Call(nint number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0)
        {
            nint result;
            do
            {
                result = Syscall(number, a, b, c, d, e, 0);
            }
            while (Libc.Interrupted(result));

            return result;
        }

        /// <summary>Makes a call once: an interruption is the caller's to see.</summary>
        internal static nint CallOnce(nint number, nint a, nint b, nint c, nint d, nint e) =>
            Syscall(number, a, b, c, d, e, 0);

        /// <summary>Makes a call that has a path as its second argument, as the *at family has.</summary>
        internal static unsafe nint CallAt(
            nint number, SafeFileHandle? directory, string path, nint c = 0, nint d = 0, nint e = 0)
        {
            fixed (byte* pointer = Terminated(path))
            {
                return Call(number, Descriptor(directory), (nint)pointer, c, d, e);
            }
        }

        /// <summary>The number of a descriptor, or the one that stands for the working directory.</summary>
        internal static nint Descriptor(SafeFileHandle? handle) => handle?.DangerousGetHandle() ?? Libc.AT_FDCWD;

        /// <summary>A string as the kernel wants it.</summary>
        /// <exception cref="ArgumentException">The text holds a NUL, which would cut it off.</exception>
        internal static byte[] Terminated(string text)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException("text for a system call holds a NUL character", nameof(text));
            }

            byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
            Encoding.UTF8.GetBytes(text, bytes);
            return bytes;
        }

        /// <summary>Turns a result into a descriptor.</summary>
        /// <exception cref="ErrnoException">The call failed.</exception>
        internal static SafeFileHandle Opened(nint result, string call, string? operand = null) => result >= 0
            ? new SafeFileHandle(result, ownsHandle: true)
            : throw ErrnoException.FromLastError(call, operand);

        /// <summary>Turns a failed result into an exception.</summary>
        /// <exception cref="ErrnoException">The call failed.</exception>
        internal static nint Checked(nint result, string call, string? operand = null) =>
            result >= 0 ? result : throw ErrnoException.FromLastError(call, operand);

        private static nint Number(nint x64, nint arm64) => Libc.IsArm64 ? arm64 : x64;

        [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
        private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
    }
}
