using System.Buffers.Binary;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>Lets a filter answer ENOSYS to system calls that are newer than the newest one that it names.</summary>
/// <remarks>
/// A C library tries the newest call and falls back to older ones on ENOSYS, but takes EPERM for the answer. A filter whose
/// default is EPERM, written before that call, therefore breaks programs that are newer than it. runc has put such a
/// preamble before libseccomp's program since 1.0.0-rc93, and engines count on it. Where the author chose another errno, or to
/// kill, that choice stands.
/// </remarks>
internal static class NewerCalls
{
    /// <summary>The bit that tells calls of x32 from those of x86-64, which share an AUDIT_ARCH.</summary>
    private const uint X32Bit = 0x40000000;

    // libseccomp has a token of its own for x32 (EM_X86_64 with __AUDIT_ARCH_LE alone)
    private const uint X32Token = 0x4000003e;
    private const uint X64Token = 0xc000003e;

    private const uint ReturnNoSuchCall = 0x00050000 | (uint)Errno.ENOSYS;

    // classic BPF (linux/bpf_common.h)
    private const ushort Load = 0x20;
    private const ushort Jump = 0x05;
    private const ushort JumpEqual = 0x15;
    private const ushort JumpGreater = 0x25;
    private const ushort JumpAtLeast = 0x35;
    private const ushort Return = 0x06;

    // struct seccomp_data
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;

    /// <summary>Puts the preamble before a program, where the filter is one that needs it.</summary>
    /// <param name="library">Knows the calls' numbers.</param>
    /// <param name="architectures">The architectures that the program judges, as libseccomp's tokens.</param>
    /// <param name="spec">The filter.</param>
    /// <param name="program">What libseccomp made of it.</param>
    internal static byte[] Answer(
        SeccompLibrary library, IReadOnlyList<uint> architectures, SeccompSpec spec, byte[] program)
    {
        if (spec.DefaultAction != "SCMP_ACT_ERRNO" || (spec.DefaultErrnoRet ?? (uint)Errno.EPERM) != (uint)Errno.EPERM)
        {
            return program;
        }

        List<(uint Architecture, uint Newest)> newest = [];
        foreach (uint architecture in architectures)
        {
            if (Newest(library, architecture, spec) is { } number)
            {
                newest.Add((architecture, number));
            }
        }

        return newest.Count == 0 ? program : [.. Preamble(newest), .. program];
    }

    private static uint? Newest(SeccompLibrary library, uint architecture, SeccompSpec spec)
    {
        uint? newest = null;
        foreach (SyscallRule rule in spec.Syscalls ?? [])
        {
            foreach (string name in rule.Names)
            {
                if (library.FindSyscall(name, architecture) is { } number && (newest is null || number > newest))
                {
                    newest = number;
                }
            }
        }

        return newest;
    }

    private static byte[] Preamble(List<(uint Architecture, uint Newest)> newest)
    {
        List<Instruction> code = [new(Load, 0, 0, ArchitectureOffset)];
        List<int> exits = [];
        foreach (IGrouping<uint, (uint Architecture, uint Newest)> group in newest.GroupBy(
            entry => entry.Architecture == X32Token ? X64Token : entry.Architecture))
        {
            List<Instruction> section = Section(group.Key, [.. group]);
            code.Add(new(JumpEqual, 0, (byte)(section.Count + 1), group.Key));
            code.AddRange(section);
            exits.Add(code.Count);
            code.Add(new(Jump, 0, 0, 0));
        }

        byte[] bytes = new byte[code.Count * 8];
        for (int i = 0; i < code.Count; i++)
        {
            uint operand = exits.Contains(i) ? (uint)(code.Count - i - 1) : code[i].Operand;
            Span<byte> instruction = bytes.AsSpan(i * 8, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, code[i].Code);
            instruction[2] = code[i].IfTrue;
            instruction[3] = code[i].IfFalse;
            BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], operand);
        }

        return bytes;
    }

    /// <summary>Returns ENOSYS or falls through to the jump that follows.</summary>
    private static List<Instruction> Section(uint architecture, (uint Architecture, uint Newest)[] newest)
    {
        List<Instruction> section = [new(Load, 0, 0, NumberOffset)];
        if (architecture != X64Token)
        {
            section.AddRange([new(JumpGreater, 0, 1, newest[0].Newest), new(Return, 0, 0, ReturnNoSuchCall)]);
            return section;
        }

        // a call of x32 is judged by the newest call of x32 if the filter has that architecture, else by the program alone
        uint? x64 = null;
        uint? x32 = null;
        foreach ((uint token, uint number) in newest)
        {
            if (token == X32Token)
            {
                x32 = number | X32Bit;
            }
            else
            {
                x64 = number;
            }
        }

        section.Add(new(JumpAtLeast, 2, 0, X32Bit));
        section.AddRange([new(JumpGreater, 0, x32 is null ? (byte)1 : (byte)3, x64 ?? X32Bit), new(Return, 0, 0, ReturnNoSuchCall)]);
        if (x32 is { } last)
        {
            section.AddRange([new(JumpGreater, 0, 1, last), new(Return, 0, 0, ReturnNoSuchCall)]);
        }

        return section;
    }

    /// <summary><c>struct sock_filter</c>.</summary>
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);
}
