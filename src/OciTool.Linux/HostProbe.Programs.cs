using System.Buffers.Binary;

namespace OciTool.Linux;

/// <summary>The smallest programs: each ends with status 0.</summary>
public static partial class HostProbe
{
    // exit(0) of each architecture, as an assembler writes it
    private static Dictionary<string, TinyProgram> Programs => field ??= new(StringComparer.Ordinal)
    {
        ["386"] = new(Is64: false, IsBigEndian: false, Machine: 3, Flags: 0, [0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80]),
        ["amd64"] = new(Is64: true, IsBigEndian: false, Machine: 62, Flags: 0, [0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]),
        ["arm"] = new(Is64: false, IsBigEndian: false, Machine: 40, Flags: 0x05000400, [0x00, 0x00, 0xa0, 0xe3, 0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef]),
        ["arm64"] = new(Is64: true, IsBigEndian: false, Machine: 183, Flags: 0, [0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]),
        ["loong64"] = new(Is64: true, IsBigEndian: false, Machine: 258, Flags: 0x43, [0x04, 0x00, 0x80, 0x03, 0x0b, 0x74, 0x81, 0x03, 0x00, 0x00, 0x2b, 0x00]),
        ["ppc64le"] = new(Is64: true, IsBigEndian: false, Machine: 21, Flags: 2, [0x01, 0x00, 0x00, 0x38, 0x00, 0x00, 0x60, 0x38, 0x02, 0x00, 0x00, 0x44]),
        ["riscv64"] = new(Is64: true, IsBigEndian: false, Machine: 243, Flags: 5, [0x13, 0x05, 0x00, 0x00, 0x93, 0x08, 0xd0, 0x05, 0x73, 0x00, 0x00, 0x00]),
        ["s390x"] = new(Is64: true, IsBigEndian: true, Machine: 22, Flags: 0, [0xa7, 0x29, 0x00, 0x00, 0x0a, 0x01]),
    };

    // clock_gettime64(CLOCK_REALTIME, a place on the stack); exit(-result)
    private static Dictionary<string, TinyProgram> WideTimePrograms => field ??= new(StringComparer.Ordinal)
    {
        ["386"] = new(Is64: false, IsBigEndian: false, Machine: 3, Flags: 0,
        [
            0x83, 0xec, 0x10, 0x31, 0xdb, 0x89, 0xe1, 0xb8, 0x93, 1, 0, 0, 0xcd, 0x80, // sub esp,16; xor ebx,ebx; mov ecx,esp; mov eax,403; int 0x80
            0xf7, 0xd8, 0x89, 0xc3, 0xb8, 1, 0, 0, 0, 0xcd, 0x80, // neg eax; mov ebx,eax; mov eax,1; int 0x80
        ]),
        ["arm"] = new(Is64: false, IsBigEndian: false, Machine: 40, Flags: 0x05000400,
        [
            0x10, 0xd0, 0x4d, 0xe2, 0x00, 0x00, 0xa0, 0xe3, 0x0d, 0x10, 0xa0, 0xe1, // sub sp,sp,#16; mov r0,#0; mov r1,sp
            0x19, 0x7e, 0xa0, 0xe3, 0x03, 0x70, 0x87, 0xe2, 0x00, 0x00, 0x00, 0xef, // mov r7,#400; add r7,r7,#3; svc 0
            0x00, 0x00, 0x60, 0xe2, 0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef, // rsb r0,r0,#0; mov r7,#1; svc 0
        ]),
    };

    /// <summary>An ELF file of one segment that holds everything.</summary>
    private sealed record TinyProgram(bool Is64, bool IsBigEndian, ushort Machine, uint Flags, byte[] Code)
    {
        private const ulong Address = 0x10000000;
        private const ulong Alignment = 0x10000; // fits every page size

        public byte[] Build()
        {
            int headers = Is64 ? 64 + 56 : 52 + 32;
            byte[] file = new byte[headers + Code.Length];
            ReadOnlySpan<byte> ident = [0x7f, (byte)'E', (byte)'L', (byte)'F', (byte)(Is64 ? 2 : 1), (byte)(IsBigEndian ? 2 : 1), 1];
            ident.CopyTo(file);
            int at = 16;
            Half(file, ref at, 2);
            Half(file, ref at, Machine);
            Word(file, ref at, 1);
            Native(file, ref at, Address + (ulong)headers);
            Native(file, ref at, Is64 ? 64u : 52u);
            Native(file, ref at, 0);
            Word(file, ref at, Flags);
            Half(file, ref at, (ushort)(Is64 ? 64 : 52));
            Half(file, ref at, (ushort)(Is64 ? 56 : 32));
            Half(file, ref at, 1);
            at += 6; // no sections
            Word(file, ref at, 1);
            if (Is64)
            {
                Word(file, ref at, 5);
            }

            Native(file, ref at, 0);
            Native(file, ref at, Address);
            Native(file, ref at, Address);
            Native(file, ref at, (ulong)file.Length);
            Native(file, ref at, (ulong)file.Length);
            if (!Is64)
            {
                Word(file, ref at, 5);
            }

            Native(file, ref at, Alignment);
            Code.CopyTo(file, at);
            return file;
        }

        private void Half(Span<byte> file, ref int at, ushort value)
        {
            if (IsBigEndian)
            {
                BinaryPrimitives.WriteUInt16BigEndian(file[at..], value);
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(file[at..], value);
            }

            at += 2;
        }

        private void Word(Span<byte> file, ref int at, uint value)
        {
            if (IsBigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(file[at..], value);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(file[at..], value);
            }

            at += 4;
        }

        private void Native(Span<byte> file, ref int at, ulong value)
        {
            if (!Is64)
            {
                Word(file, ref at, (uint)value);
            }
            else if (IsBigEndian)
            {
                BinaryPrimitives.WriteUInt64BigEndian(file[at..], value);
                at += 8;
            }
            else
            {
                BinaryPrimitives.WriteUInt64LittleEndian(file[at..], value);
                at += 8;
            }
        }
    }
}
