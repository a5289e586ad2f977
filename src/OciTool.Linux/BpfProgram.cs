using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A device filter in the kernel, and its groups (bpf(2)).</summary>
public static unsafe class BpfProgram
{
    private const nint ProgramLoad = 5;
    private const nint ProgramAttach = 8;
    private const nint ProgramDetach = 9;
    private const nint ProgramById = 13;
    private const nint ProgramQuery = 16;
    private const uint DeviceProgram = 15; // BPF_PROG_TYPE_CGROUP_DEVICE
    private const uint DeviceHook = 6; // BPF_CGROUP_DEVICE
    private const uint AllowMulti = 2;
    private const uint Replace = 4;
    private const int LockedMemoryLimit = 8; // RLIMIT_MEMLOCK

    // the kernel runs at most 64 programs of a kind in a group
    private const int MostPrograms = 64;

    /// <summary>Puts a device filter on a group in the place of those that are on it.</summary>
    /// <param name="directory">The group's directory in a mount of cgroup v2.</param>
    /// <param name="program">What <see cref="DeviceFilter.Compile"/> has made.</param>
    /// <exception cref="ErrnoException">The kernel refuses; the message holds what its verifier says.</exception>
    public static void Attach(string directory, ReadOnlySpan<ulong> program)
    {
        Errno error = KernelFile.TryOpen(directory, write: false, out SafeFileHandle? group);
        using (group)
        {
            if (group is null)
            {
                throw new ErrnoException("open", directory, error);
            }

            using SafeFileHandle loaded = Load(program);
            Attach(group, loaded, directory);
        }
    }

    /// <summary>How many device filters are on a group itself.</summary>
    /// <param name="directory">The group's directory in a mount of cgroup v2.</param>
    /// <exception cref="ErrnoException">The kernel does not say.</exception>
    public static int Count(string directory)
    {
        Errno error = KernelFile.TryOpen(directory, write: false, out SafeFileHandle? group);
        using (group)
        {
            return group is null
                ? throw new ErrnoException("open", directory, error)
                : Query(group, stackalloc uint[MostPrograms], directory);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "disposed in the blocks that use them")]
    private static void Attach(SafeFileHandle group, SafeFileHandle loaded, string directory)
    {
        Span<uint> old = stackalloc uint[MostPrograms];
        old = old[..Query(group, old, directory)];
        AttachArguments arguments = new()
        {
            Group = Number(group),
            Program = Number(loaded),
            Hook = DeviceHook,
            Flags = AllowMulti,
        };
        if (old.Length == 1 && TryOpen(old[0]) is { } replaced)
        {
            using (replaced)
            {
                AttachArguments replacing = arguments with { Flags = AllowMulti | Replace, Replaced = Number(replaced) };
                if (Call(ProgramAttach, &replacing, sizeof(AttachArguments)) == 0)
                {
                    return;
                }
            }

            // before Linux 5.6 there is no replacing: attach, then detach. For that moment both filters must allow.
        }

        if (Call(ProgramAttach, &arguments, sizeof(AttachArguments)) < 0)
        {
            throw ErrnoException.FromLastError("bpf(BPF_PROG_ATTACH)", directory);
        }

        foreach (uint id in old)
        {
            // one that a security module keeps from us stays: more programs only deny more
            if (TryOpen(id) is { } previous)
            {
                using (previous)
                {
                    AttachArguments detaching = new() { Group = Number(group), Program = Number(previous), Hook = DeviceHook };
                    if (Call(ProgramDetach, &detaching, sizeof(AttachArguments)) < 0)
                    {
                        throw ErrnoException.FromLastError("bpf(BPF_PROG_DETACH)", directory);
                    }
                }
            }
        }
    }

    private static SafeFileHandle Load(ReadOnlySpan<ulong> program)
    {
        nint result = TryLoad(program, log: []);
        if (result < 0 && (Errno)Marshal.GetLastPInvokeError() == Errno.EPERM)
        {
            // before Linux 5.11 a program counts as locked memory, of which 64 KiB are usual
            ResourceLimits.SetAsFarAsAllowed(LockedMemoryLimit, ulong.MaxValue, ulong.MaxValue);
            result = TryLoad(program, log: []);
        }

        if (result >= 0)
        {
            return new SafeFileHandle(result, ownsHandle: true);
        }

        Errno error = (Errno)Marshal.GetLastPInvokeError();
        byte[] log = new byte[64 * 1024]; // asked for only now, as the verifier is slower with it
        _ = TryLoad(program, log);
        int length = Math.Max(0, Array.IndexOf(log, (byte)0));
        string said = Encoding.ASCII.GetString(log, 0, length).Trim().ReplaceLineEndings("; ");
        throw new ErrnoException("bpf(BPF_PROG_LOAD)", said.Length > 0 ? $"device filter: {said}" : "device filter", error);
    }

    private static nint TryLoad(ReadOnlySpan<ulong> program, byte[] log)
    {
        fixed (ulong* instructions = program)
        fixed (byte* license = "MIT\0"u8)
        fixed (byte* buffer = log)
        {
            LoadArguments arguments = new()
            {
                Type = DeviceProgram,
                InstructionCount = (uint)program.Length,
                Instructions = (ulong)instructions,
                License = (ulong)license,
                LogLevel = log.Length > 0 ? 1u : 0u,
                LogSize = (uint)log.Length,
                Log = (ulong)buffer,
            };
            return Call(ProgramLoad, &arguments, sizeof(LoadArguments));
        }
    }

    private static int Query(SafeFileHandle group, Span<uint> ids, string directory)
    {
        fixed (uint* pointer = ids)
        {
            QueryArguments arguments = new()
            {
                Group = Number(group),
                Hook = DeviceHook,
                Ids = (ulong)pointer,
                Count = (uint)ids.Length,
            };
            return Call(ProgramQuery, &arguments, sizeof(QueryArguments)) == 0
                ? (int)arguments.Count
                : throw ErrnoException.FromLastError("bpf(BPF_PROG_QUERY)", directory);
        }
    }

    private static SafeFileHandle? TryOpen(uint id)
    {
        uint* arguments = stackalloc uint[4] { id, 0, 0, 0 };
        nint result = Call(ProgramById, arguments, 4 * sizeof(uint));
        return result >= 0 ? new SafeFileHandle(result, ownsHandle: true) : null;
    }

    private static uint Number(SafeFileHandle file) => (uint)Interop.Kernel.Descriptor(file);

    private static nint Call(nint command, void* arguments, int size) =>
        Interop.Kernel.Call(Interop.Kernel.SYS_bpf, command, (nint)arguments, size);

    // parts of union bpf_attr; the kernel takes what is behind them for zeros
    [StructLayout(LayoutKind.Sequential)]
    private record struct LoadArguments
    {
        public uint Type;
        public uint InstructionCount;
        public ulong Instructions;
        public ulong License;
        public uint LogLevel;
        public uint LogSize;
        public ulong Log;
        public uint KernelVersion;
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private record struct AttachArguments
    {
        public uint Group;
        public uint Program;
        public uint Hook;
        public uint Flags;
        public uint Replaced;
    }

    [StructLayout(LayoutKind.Sequential)]
    private record struct QueryArguments
    {
        public uint Group;
        public uint Hook;
        public uint QueryFlags;
        public uint AttachFlags;
        public ulong Ids;
        public uint Count;
        private readonly uint _unused;
    }
}
