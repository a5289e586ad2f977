using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>What this thread may do and whom it acts for. execve takes it over from the thread that calls it.</summary>
/// <remarks>Raw system calls: they are about one thread, where the C library's functions are about all of them.</remarks>
public static class Credentials
{
    internal const nint SECCOMP_SET_MODE_FILTER = 1;
    internal const nint PR_SET_PDEATHSIG = 1;
    private const nint PR_SET_DUMPABLE = 4;
    private const nint PR_SET_KEEPCAPS = 8;
    private const nint PR_SET_NAME = 15;
    private const nint PR_CAPBSET_READ = 23;
    private const nint PR_CAPBSET_DROP = 24;
    private const nint PR_SET_NO_NEW_PRIVS = 38;
    private const nint PR_CAP_AMBIENT = 47;
    private const nint PR_CAP_AMBIENT_RAISE = 2;
    private const nint PR_CAP_AMBIENT_CLEAR_ALL = 4;
    private const nint KEYCTL_JOIN_SESSION_KEYRING = 1;
    private const uint CapabilityVersion = 0x20080522; // _LINUX_CAPABILITY_VERSION_3

    /// <summary>Gets a signal when the thread that started this process ends.</summary>
    public static void DieWithParent() => Control(PR_SET_PDEATHSIG, Signals.Kill, "PR_SET_PDEATHSIG");

    /// <summary>Outlives the process that started this one.</summary>
    public static void OutliveParent() => Control(PR_SET_PDEATHSIG, 0, "PR_SET_PDEATHSIG");

    /// <summary>Keeps other processes of the same user from looking into this one.</summary>
    public static void Conceal() => Control(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE");

    /// <summary>Lets execve grant nothing any more.</summary>
    public static void ForbidNewPrivileges() => Control(PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS");

    /// <summary>Keeps capabilities over a change of user, or not.</summary>
    public static void KeepCapabilities(bool keep) => Control(PR_SET_KEEPCAPS, keep ? 1 : 0, "PR_SET_KEEPCAPS");

    /// <summary>Names this thread; at most 15 bytes are kept.</summary>
    public static unsafe void SetName(string name)
    {
        fixed (byte* pointer = Interop.Kernel.Terminated(name))
        {
            Interop.Kernel.Call(Interop.Kernel.SYS_prctl, PR_SET_NAME, (nint)pointer);
        }
    }

    /// <summary>Drops every capability from the bounding set that is not in a set.</summary>
    public static void LimitBoundingSet(CapabilitySet wanted)
    {
        for (int number = 0; number < 64; number++)
        {
            nint present = Interop.Kernel.Call(Interop.Kernel.SYS_prctl, PR_CAPBSET_READ, number);
            if (present < 0)
            {
                return; // past the last capability that this kernel knows
            }

            if (present == 1 && (wanted.Bits & (1UL << number)) == 0)
            {
                Control(PR_CAPBSET_DROP, number, "PR_CAPBSET_DROP");
            }
        }
    }

    /// <summary>The capabilities that this thread may have.</summary>
    public static unsafe CapabilitySet Permitted()
    {
        CapabilityRequest request = new(default, default, default);
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_capget, (nint)(&request), (nint)request.Data), "capget");
        return new(request.Data[1] | ((ulong)request.Data[4] << 32));
    }

    /// <summary>Sets the three old capability sets.</summary>
    /// <exception cref="ErrnoException">More is wanted than is permitted.</exception>
    public static unsafe void SetCapabilities(CapabilitySet effective, CapabilitySet permitted, CapabilitySet inheritable)
    {
        CapabilityRequest request = new(effective, permitted, inheritable);
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_capset, (nint)(&request), (nint)request.Data), "capset");
    }

    /// <summary>Sets the ambient capabilities.</summary>
    /// <exception cref="ErrnoException">One is not permitted or not inheritable.</exception>
    public static void SetAmbient(CapabilitySet ambient)
    {
        Interop.Kernel.Call(Interop.Kernel.SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
        for (int number = 0; number < CapabilitySet.Count; number++)
        {
            if ((ambient.Bits & (1UL << number)) != 0)
            {
                Interop.Kernel.Checked(
                    Interop.Kernel.Call(Interop.Kernel.SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number),
                    "prctl", "PR_CAP_AMBIENT_RAISE");
            }
        }
    }

    /// <summary>Sets all supplementary groups; the old ones are dropped.</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static unsafe void SetGroups(ReadOnlySpan<uint> groups)
    {
        fixed (uint* pointer = groups)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_setgroups, groups.Length, (nint)pointer), "setgroups");
        }
    }

    /// <summary>Becomes another user, for good.</summary>
    /// <param name="user">The user ID: real, effective and saved.</param>
    /// <param name="group">The group ID: real, effective and saved.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void Become(uint user, uint group)
    {
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_setresgid, (nint)group, (nint)group, (nint)group), "setresgid", $"{group}");
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_setresuid, (nint)user, (nint)user, (nint)user), "setresuid", $"{user}");
    }

    /// <summary>Starts a session keyring of its own, so that the host's keys are out of reach.</summary>
    /// <returns>False where the kernel has no keyrings, or no room for one.</returns>
    public static unsafe bool TryJoinKeyring(string name)
    {
        fixed (byte* pointer = Interop.Kernel.Terminated(name))
        {
            return Interop.Kernel.Call(Interop.Kernel.SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, (nint)pointer) >= 0;
        }
    }

    /// <summary>Installs a system call filter for this thread.</summary>
    /// <param name="program">Its BPF instructions, 8 bytes each.</param>
    /// <param name="flags">Flags of seccomp(2).</param>
    /// <returns>With <c>SECCOMP_FILTER_FLAG_NEW_LISTENER</c> the listener's descriptor.</returns>
    /// <exception cref="ErrnoException">The kernel refuses the program, or the thread may not install one.</exception>
    public static unsafe nint InstallFilter(ReadOnlySpan<byte> program, uint flags = 0)
    {
        fixed (byte* instructions = program)
        {
            FilterProgram filter = new((ushort)(program.Length / 8), (nint)instructions);
            return Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_seccomp, SECCOMP_SET_MODE_FILTER, (nint)flags, (nint)(&filter)), "seccomp");
        }
    }

    /// <summary>Sets the mask of permission bits that new files do not get.</summary>
    public static void SetFileMask(uint mask) => Interop.Kernel.Call(Interop.Kernel.SYS_umask, (nint)mask);

    private static void Control(nint operation, nint argument, string name) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_prctl, operation, argument), "prctl", name);

    /// <summary>struct __user_cap_header_struct of capset(2), and behind it the two of __user_cap_data_struct.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct CapabilityRequest
    {
        private readonly uint _version = CapabilityVersion;
        private readonly int _process;
        private fixed uint _data[6]; // effective, permitted, inheritable: low halves, then high ones

        internal CapabilityRequest(CapabilitySet effective, CapabilitySet permitted, CapabilitySet inheritable)
        {
            (_data[0], _data[3]) = ((uint)effective.Bits, (uint)(effective.Bits >> 32));
            (_data[1], _data[4]) = ((uint)permitted.Bits, (uint)(permitted.Bits >> 32));
            (_data[2], _data[5]) = ((uint)inheritable.Bits, (uint)(inheritable.Bits >> 32));
        }

        /// <summary>The sets; of an object on the stack only.</summary>
        internal uint* Data => (uint*)Unsafe.AsPointer(ref _data[0]);
    }

    /// <summary>struct sock_fprog, 16 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct FilterProgram(ushort length, nint instructions)
    {
        private readonly ushort _length = length;
        private readonly nint _instructions = instructions;
    }
}
