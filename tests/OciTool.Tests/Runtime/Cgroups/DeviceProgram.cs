using OciTool.Linux;

namespace OciTool.Tests.Runtime.Cgroups;

/// <summary>Runs an eBPF program over a use of a device, as far as device filters need the machine.</summary>
internal static class DeviceProgram
{
    internal static bool Allows(ulong[] program, char type, uint major, uint minor, DeviceAccess access)
    {
        uint[] context = [((uint)access << 16) | (type == 'b' ? 1u : 2u), major, minor];
        ulong[] registers = new ulong[11];
        for (int counter = 0; ; counter++)
        {
            ulong instruction = program[counter];
            int destination = (int)(instruction >> 8) & 15;
            int source = (int)(instruction >> 12) & 15;
            short offset = (short)(instruction >> 16);
            long value = (int)(instruction >> 32);
            switch ((byte)instruction)
            {
                case 0x61:
                    registers[destination] = context[offset / 4];
                    break;
                case 0xb7:
                    registers[destination] = (ulong)value;
                    break;
                case 0xbf:
                    registers[destination] = registers[source];
                    break;
                case 0x57:
                    registers[destination] &= (ulong)value;
                    break;
                case 0x77:
                    registers[destination] >>= (int)value;
                    break;
                case 0x15:
                    counter += registers[destination] == (ulong)value ? offset : 0;
                    break;
                case 0x55:
                    counter += registers[destination] != (ulong)value ? offset : 0;
                    break;
                case 0x95:
                    return registers[0] == 1;
                default:
                    throw new InvalidOperationException($"instruction {instruction:x16}");
            }
        }
    }
}
