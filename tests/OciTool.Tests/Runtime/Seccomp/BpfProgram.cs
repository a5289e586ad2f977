using System.Buffers.Binary;

namespace OciTool.Tests.Runtime.Seccomp;

/// <summary>Runs a classic BPF program over a system call, as the kernel runs a filter (net/core/filter.c).</summary>
internal sealed class BpfProgram(byte[] program)
{
    internal const uint X64 = 0xc000003e;
    internal const uint X86 = 0x40000003;
    internal const uint Arm64 = 0xc00000b7;
    internal const uint X32Bit = 0x40000000;

    internal int Length => program.Length / 8;

    /// <summary>The verdict on a call: <c>SECCOMP_RET_*</c>.</summary>
    internal uint Judge(uint architecture, uint number, params ulong[] arguments)
    {
        // struct seccomp_data: nr, arch, instruction_pointer, args[6]
        byte[] data = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), architecture);
        for (int i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), arguments[i]);
        }

        return Run(data);
    }

    private uint Run(byte[] data)
    {
        uint accumulator = 0;
        uint index = 0;
        uint[] memory = new uint[16];
        for (int pc = 0; ; pc++)
        {
            ReadOnlySpan<byte> instruction = program.AsSpan(pc * 8, 8);
            ushort code = BinaryPrimitives.ReadUInt16LittleEndian(instruction);
            uint operand = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            uint right = (code & 0x08) != 0 ? index : operand;
            switch (code & 0x07)
            {
                case 0: // LD: an absolute word, a constant or the scratch memory
                    accumulator = (code & 0xe0) switch
                    {
                        0x20 => BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)operand)),
                        0x00 => operand,
                        0x60 => memory[operand],
                        _ => throw new InvalidOperationException($"load {code:x}"),
                    };
                    break;
                case 1: // LDX
                    index = (code & 0xe0) == 0x60 ? memory[operand] : operand;
                    break;
                case 2:
                    memory[operand] = accumulator;
                    break;
                case 3:
                    memory[operand] = index;
                    break;
                case 4: // ALU
                    accumulator = (code & 0xf0) switch
                    {
                        0x50 => accumulator & right,
                        0x40 => accumulator | right,
                        _ => throw new InvalidOperationException($"arithmetic {code:x}"),
                    };
                    break;
                case 5: // JMP
                    bool? isTrue = (code & 0xf0) switch
                    {
                        0x00 => null,
                        0x10 => accumulator == right,
                        0x20 => accumulator > right,
                        0x30 => accumulator >= right,
                        0x40 => (accumulator & right) != 0,
                        _ => throw new InvalidOperationException($"jump {code:x}"),
                    };
                    pc += (int)(isTrue is { } taken ? (taken ? instruction[2] : instruction[3]) : operand);
                    break;
                case 6:
                    return (code & 0x18) == 0x10 ? accumulator : operand;
                case 7:
                    (accumulator, index) = (code & 0xf8) == 0 ? (accumulator, accumulator) : (index, index);
                    break;
            }
        }
    }
}
