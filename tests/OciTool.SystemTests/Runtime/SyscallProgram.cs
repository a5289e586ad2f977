using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>The smallest program there is: it makes one system call and ends with its error number as its status.</summary>
internal static class SyscallProgram
{
    private const int HeadersLength = 64 + 56;
    private const ulong Address = 0x400000;

    /// <summary>Writes it, for x86-64.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="number">The number of the system call.</param>
    /// <param name="argument">Its first argument; the others are zero.</param>
    public static void Write(string path, int number, int argument = 0)
    {
        Need.That(RuntimeInformation.OSArchitecture == Architecture.X64, "needs x86-64");
        byte[] code =
        [
            0xb8, .. Word(number), // mov eax, number
            0xbf, .. Word(argument), // mov edi, argument
            0x0f, 0x05, // syscall
            0xf7, 0xd8, // neg eax
            0x89, 0xc7, // mov edi, eax
            0xb8, .. Word(231), // mov eax, exit_group
            0x0f, 0x05, // syscall
        ];
        byte[] program = new byte[HeadersLength + code.Length];
        Span<byte> elf = program;
        ReadOnlySpan<byte> identity = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identity.CopyTo(elf);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[16..], 2); // an executable
        BinaryPrimitives.WriteUInt16LittleEndian(elf[18..], 62); // x86-64
        BinaryPrimitives.WriteUInt32LittleEndian(elf[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[24..], Address + HeadersLength);
        BinaryPrimitives.WriteUInt64LittleEndian(elf[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(elf[56..], 1);
        Span<byte> segment = elf[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1); // to load
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 5); // to read and to execute
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], Address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], Address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)program.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)program.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        code.CopyTo(elf[HeadersLength..]);
        File.WriteAllBytes(path, program);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    private static byte[] Word(int value)
    {
        byte[] word = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(word, value);
        return word;
    }
}
